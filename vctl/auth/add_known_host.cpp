#include "auth/add_known_host.hpp"

#include <ostream>
#include <utility>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {

std::optional<std::string> replaced_host_warning(const KnownHosts::Report& report, const CurveKey& key) {
  if (!report.replaced) return std::nullopt;
  const std::string before = report.replaced_key ? "the key " + report.replaced_key->to_base64url() + " (" +
                                                       report.replaced_key->fingerprint() + ")"
                                                 : "what is no key: " + report.replaced->dump();
  return "host \"" + report.hosts.front() + "\" had " + before + "; now it has " + key.fingerprint();
}

void audit_known_host(const Home& home, const KnownHosts::Report& report, const CurveKey& key) {
  if (!report.written) return;
  Json before;
  Json after;
  for (const std::string& host : report.hosts) after.set(host, key.to_base64url());
  if (report.replaced) {
    before.set(report.hosts.front(), report.replaced_key ? report.replaced_key->to_base64url() : "(no key)");
  }
  home.audit("known_hosts", std::move(before), std::move(after));
}

int add_known_host(const AddKnownHostOptions& options, const Context& context) {
  const auto key = CurveKey::parse(*options.serverkey);
  if (!key) return fail(context, key.error().at("--serverkey"));
  const auto host = KnownHosts::host_key(*options.host);
  if (!host) return fail(context, host.error().at("--host"));
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());

  const KnownHosts known_hosts = home->known_hosts();
  const auto report = known_hosts.add(*options.host, *key, home->patience());
  if (!report) return fail(context, report.error());
  audit_known_host(*home, *report, *key);
  if (context.options.json) {
    print_document(context, Json::Object{{"host", *host},
                                         {"serverkey", key->to_base64url()},
                                         {"fingerprint", key->fingerprint()},
                                         {"replaced", report->replaced.value_or(Json())}});
  } else {
    context.env.out << "server key written to " << printable(known_hosts.path().string()) << '\n';
  }
  context.env.out.flush();
  if (const auto warning = replaced_host_warning(*report, *key)) warn(context, *warning);
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
