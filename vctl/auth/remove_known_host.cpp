#include "auth/remove_known_host.hpp"

#include <ostream>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {

int remove_known_host(const RemoveKnownHostOptions& options, const Context& context) {
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const KnownHosts known_hosts = home->known_hosts();
  const auto report = known_hosts.remove(options.host, home->patience());
  if (!report) return fail(context, report.error());
  if (report->written) home->audit("known_hosts", Json::strings(report->hosts), Json());
  if (context.options.json) {
    print_document(context, Json::Object{{"removed", Json::strings(report->hosts)}});
  } else {
    context.env.out << "host \"" << printable(report->hosts.front()) << "\" removed from "
                    << printable(known_hosts.path().string()) << '\n';
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
