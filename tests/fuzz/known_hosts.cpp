// A known_hosts file, 0xFF, and an address: what is in it, and what a change of it leaves alone.
#include <vipauth/known_hosts.hpp>

#include <map>

#include "fuzz.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

using Sources = std::map<std::string, std::string>;

Sources sources_of(const KnownHosts& hosts, std::size_t size) {
  const auto entries = hosts.load();
  require(entries.has_value(), entries ? "" : entries.error().to_string());
  Sources out;
  for (const KnownHosts::Entry& entry : *entries) {
    if (!entry.key) require_good(entry.key.error(), size);
    out[entry.host] = entry.source.dump();
  }
  return out;
}

/// All but these hosts.
Sources without(Sources sources, const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) sources.erase(host);
  return sources;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TempHome folder;
  const auto parts = parts_of(text_of(data, size), 2);
  const std::string_view address = parts.back();
  folder.write("known_hosts", parts.front());
  const KnownHosts hosts(folder / "known_hosts");
  const auto key = *CurveKey::parse("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA");

  if (const auto entries = hosts.load(); !entries) {
    require_good(entries.error(), size);
    const bool changed = hosts.add("127.0.0.1:1", key).has_value() ||
                         hosts.remove("127.0.0.1:1").has_value() || hosts.replace_key(key, key).has_value();
    require(!changed, "changed what cannot be read");
    require_same(folder.read("known_hosts"), parts.front());
    return 0;
  }
  const Sources before = sources_of(hosts, size);
  const auto found = hosts.find(address);
  if (!found) require_good(found.error(), size);
  const auto added = hosts.add(address, key);
  if (!added) {
    require_good(added.error(), size);
    require_same(folder.read("known_hosts"), parts.front());
    return 0;
  }
  require(!added->hosts.empty());
  const auto now = hosts.find(address);
  require(now && *now && **now == key, address);
  require(without(sources_of(hosts, size), added->hosts) == without(before, added->hosts));
  const auto removed = hosts.remove(address);
  require(removed && removed->written);
  require(without(sources_of(hosts, size), added->hosts) == without(before, added->hosts));
  const auto gone = hosts.find(address);
  require(!gone || !*gone || **gone != key || added->hosts != removed->hosts, address);
  return 0;
}
