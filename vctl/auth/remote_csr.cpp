#include "auth/remote_csr.hpp"

#include <ostream>

#include "output.hpp"

namespace vipauth::vctl::auth {

Json csr_document(const CsrEntry& entry) {
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
  return out;
}

bool knows(const CsrStore& requests, const CommonName& name) {
  const auto entry = requests.get(name);
  return entry || entry.error().code != ErrorCode::kNotFound;
}

int report_csr(const Context& context, const char* verb, const Result<CsrDecision>& decision) {
  if (!decision) return fail(context, decision.error());
  const CsrEntry& entry = decision->entry;
  if (context.options.json) {
    print_document(context, Json::Object{{verb, csr_document(entry)}});
  } else {
    context.env.out << verb << ' ' << printable(entry.common_name.text()) << " (address "
                    << printable(entry.address.empty() ? "-" : entry.address) << ", key "
                    << printable(entry.key_fingerprint.empty() ? "-" : entry.key_fingerprint) << ")\n";
  }
  context.env.out.flush();
  for (const std::string& warning : decision->warnings) warn(context, warning);
  if (!decision->broker_problem) return kExitDone;
  warn(context,
       "the decision holds, but the broker does not know it yet: " + decision->broker_problem->to_string());
  warn(context, "when that is mended, type: vctl auth remote sync");
  return kExitFailed;
}

}  // namespace vipauth::vctl::auth
