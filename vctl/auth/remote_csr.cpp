#include "auth/remote_csr.hpp"

#include <ostream>
#include <string>
#include <utility>

#include "output.hpp"

namespace vipauth::vctl::auth {

namespace {

Json asked_document(const FleetCsr::Asked& asked) {
  return Json::Object{
      {"decision", asked.decision}, {"who", asked.who}, {"time", format_timestamp(asked.time)}};
}

}  // namespace

Json csr_document(const FleetCsr& csr) {
  const CsrEntry& entry = csr.request;
  Json out(Json::Object{{"kind", "csr"},
                        {"user_id", entry.common_name.text()},
                        {"address", entry.address},
                        {"status", to_string(entry.status)},
                        {"key_fingerprint", entry.key_fingerprint},
                        {"key_kind", entry.key_kind},
                        {"retries", static_cast<std::int64_t>(entry.retries)}});
  if (entry.first_seen) out.set("first_seen", format_timestamp(*entry.first_seen));
  if (entry.last_seen) out.set("last_seen", format_timestamp(*entry.last_seen));
  if (entry.certificate) {
    out.set("certificate", Json::Object{{"serial", entry.certificate->serial},
                                        {"not_before", format_timestamp(entry.certificate->not_before)},
                                        {"not_after", format_timestamp(entry.certificate->not_after)},
                                        {"fingerprint", entry.certificate->fingerprint}});
  }
  if (!csr.site.empty()) out.set("site", csr.site);
  if (csr.asked) out.set("asked", asked_document(*csr.asked));
  if (csr.failed) {
    Json failed = asked_document(csr.failed->asked);
    failed.set("problem", csr.failed->problem.message);
    out.set("failed", std::move(failed));
  }
  return out;
}

void warn_about(const Context& context, const FleetCsr& csr) {
  const auto told = [&](const FleetCsr::Asked& asked) {
    return csr.site + ": " + asked.who + " has asked to " + asked.decision + " " +
           csr.request.common_name.text();
  };
  if (csr.asked) warn(context, told(*csr.asked) + ", which the site has not done yet");
  if (csr.failed)
    warn(context, told(csr.failed->asked) + ", which failed: " + csr.failed->problem.to_string());
}

int report_csr(const Context& context, const char* verb, const Result<FleetCsrDecision>& at_site) {
  if (!at_site) return fail(context, at_site.error());
  const CsrDecision* decision = &at_site->decision;
  const CsrEntry& entry = decision->entry;
  const bool is_elsewhere = !at_site->site.empty();
  if (context.options.json) {
    print_document(context, Json::Object{{verb, csr_document({at_site->site, entry, {}, {}})}});
  } else {
    context.env.out << verb << ' ' << printable(entry.common_name.text()) << " (address "
                    << printable(entry.address.empty() ? "-" : entry.address) << ", key "
                    << printable(entry.key_fingerprint.empty() ? "-" : entry.key_fingerprint)
                    << (is_elsewhere ? ", site " + printable(at_site->site) : "") << ")\n";
  }
  context.env.out.flush();
  for (const std::string& warning : decision->warnings) warn(context, warning);
  if (!decision->broker_problem) return kExitDone;
  warn(context,
       "the decision holds, but the broker does not know it yet: " + decision->broker_problem->to_string());
  warn(context, "when that is mended, type" + (is_elsewhere ? " at " + at_site->site : "") +
                    ": vctl auth remote sync");
  return kExitFailed;
}

}  // namespace vipauth::vctl::auth
