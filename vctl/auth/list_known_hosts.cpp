#include "auth/list_known_hosts.hpp"

#include <algorithm>
#include <ostream>

#include "home.hpp"
#include "output.hpp"

namespace vipauth::vctl::auth {
namespace {

Json shown(const KnownHosts::Entry& entry) {
  Json out(Json::Object{{"host", entry.host}, {"serverkey", entry.source}});
  if (entry.key) {
    out.set("fingerprint", entry.key->fingerprint());
  } else {
    out.set("problem", entry.key.error().message);
  }
  return out;
}

}  // namespace

int list_known_hosts(const Context& context) {
  constexpr std::size_t kSpaces = 2;
  const auto home = Home::open(context);
  if (!home) return fail(context, home.error());
  const KnownHosts known_hosts = home->known_hosts();
  auto entries = known_hosts.load();
  if (!entries) return fail(context, entries.error());

  std::sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) { return a.host < b.host; });
  if (context.options.json) {
    Json::Array list;
    for (const KnownHosts::Entry& entry : *entries) list.push_back(shown(entry));
    print_document(context, Json::Object{{"known_hosts", std::move(list)}});
  } else if (entries->empty()) {
    context.env.out << "No entries in " << printable(known_hosts.path().string()) << '\n';
  } else {
    std::vector<Row> rows{{"HOST", "CURVE KEY"}, {"----", "---------"}};
    for (const KnownHosts::Entry& entry : *entries) {
      rows.push_back({entry.host, entry.source.is_string() ? entry.source.as_string() : entry.source.dump()});
    }
    context.env.out << format_table(rows, kSpaces);
  }
  context.env.out.flush();
  for (const KnownHosts::Entry& entry : *entries) {
    if (!entry.key) {
      warn(context,
           entry.key.error().at("known_hosts").to_string() + ": nobody can connect to that host by it");
    }
  }
  return kExitDone;
}

}  // namespace vipauth::vctl::auth
