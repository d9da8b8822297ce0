// Two texts, 0xFF between them: keys of a fleet's store, what stands in keys, and addresses of stores. A key
// says one thing of one site; what a key is made of can be read from it; no error repeats an address.
#include <arpa/inet.h>
#include <optional>
#include <vector>

#include <vipauth/store_address.hpp>

#include "fleet/etcd_client.hpp"
#include "fleet/fleet_layout.hpp"
#include "fleet_texts.hpp"
#include "fuzz.hpp"
#include "web/web_address.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;
using namespace vipauth::fleet;

namespace {

bool is_site(const std::string& text) {
  const auto address = StoreAddress::parse("etcds://h/p?site=" + text);
  return address && address->site == text;
}

// ---- Keys ----

/// What a key says, in one line; empty: nothing.
std::string meaning(const FleetLayout& layout, std::string_view key) {
  std::vector<std::string> found;
  if (const auto parsed = layout.parse(key)) {
    require_same(layout.key(*parsed), key);
    require(key.starts_with(layout.scope_prefix(parsed->scope)));
    const std::string name = display_name(*parsed);
    require(!name.empty() && name.size() <= 1000 && !has_control_character(name) && is_valid_utf8(name),
            name);
    require(parsed->scope == Scope::kFleet || !layout.site().empty());
    require(!parsed->is_malformed || is_list(parsed->kind));
    found.push_back((parsed->scope == Scope::kFleet ? "fleet " : "site ") + layout.key(*parsed));
  }
  if (const auto site = layout.site_of_pending(key)) {
    require(site->empty() || is_site(*site), *site);
    require(layout.site().empty() || *site == layout.site());
    found.push_back("pending at " + *site);
  }
  if (const auto id = layout.pending_id(key)) {
    require(layout.site_of_pending(key) == layout.site());
    require_same(layout.pending_key(layout.site(), *id), key);
    require(is_valid_utf8(*id));
  }
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    const auto id = layout.decided_id(scope, key);
    if (!id) continue;
    require_same(layout.decided_key(scope, *id), key);
    require(is_valid_utf8(*id));
    found.push_back(std::string("decided by ") + (scope == Scope::kFleet ? "fleet " : "site ") + *id);
  }
  if (const auto csr = layout.parse_csr(key)) {
    require(is_site(csr->site) && (layout.site().empty() || csr->site == layout.site()), csr->site);
    require(key.starts_with(layout.csr_prefix(csr->site, csr->kind)));
    if (csr->name) require_same(layout.csr_key(csr->site, csr->kind, *csr->name), key);
    found.push_back("certificate at " + csr->site);
  }
  require(found.size() <= 1, "a key says two things");
  return found.empty() ? std::string() : found.front();
}

bool is_of_fleet(std::string_view key, const FleetLayout& layout) {
  return key.starts_with(layout.scope_prefix(Scope::kFleet));
}

void check_key(std::string_view key, const std::string& prefix, const std::string& site,
               const std::string& other) {
  const FleetLayout all(prefix, "");
  const FleetLayout here(prefix, site);
  const FleetLayout there(prefix, other);
  const std::string of_all = meaning(all, key);
  const std::string of_here = meaning(here, key);
  const std::string of_there = meaning(there, key);
  if (is_of_fleet(key, all)) {
    require_same(of_here, of_all);
    require_same(of_there, of_all);
    return;
  }
  require(site == other || of_here.empty() || of_there.empty(), "two sites share a key");
  // Who looks at all sites sees what they see, but for their policies.
  if (of_all.starts_with("pending at " + site) || of_all.starts_with("certificate at " + site)) {
    if (of_all.ends_with(" at " + site)) require_same(of_here, of_all);
  }
  if (!of_here.empty() && !of_here.starts_with("site ") && !of_here.starts_with("decided by site ")) {
    require_same(of_all, of_here);
  }
}

/// What stands below a prefix: `key` behind each that there is.
void check_below(std::string_view key, const std::string& prefix, const std::string& site,
                 const std::string& other) {
  const FleetLayout layout(prefix, site);
  const std::string rest(key);
  check_key(key, prefix, site, other);
  check_key("/" + prefix + "/" + rest, prefix, site, other);
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    check_key(layout.scope_prefix(scope) + rest, prefix, site, other);
    check_key(layout.decided_prefix(scope) + rest, prefix, site, other);
  }
  check_key(layout.pending_prefix() + rest, prefix, site, other);
  check_key(layout.csr_prefix() + rest, prefix, site, other);
  for (const auto kind : {CsrKey::Kind::kRequest, CsrKey::Kind::kDecision, CsrKey::Kind::kAnswer}) {
    const std::string made = layout.csr_prefix(site, kind) + rest;
    check_key(made, prefix, site, other);
    require(layout.parse_csr(made) && layout.parse_csr(made)->kind == kind, made);
  }
}

/// Any text as the name of what a key is about.
void check_names(std::string_view text, const FleetLayout& layout) {
  const std::string name(text);
  require(from_path_part(web::path_part(text)) == name, "what a name becomes is another name");
  const bool is_text = is_valid_utf8(text);
  for (const Scope scope : {Scope::kFleet, Scope::kSite}) {
    for (const auto kind : {FleetKey::Kind::kRole, FleetKey::Kind::kGroup}) {
      const FleetKey key{scope, kind, 0, name, false};
      const auto parsed = layout.parse(layout.key(key));
      require(parsed.has_value() == is_text && (!parsed || *parsed == key), layout.key(key));
    }
    for (const auto kind : {FleetKey::Kind::kAllow, FleetKey::Kind::kReadProtect}) {
      const FleetKey ranked{scope, kind, text.size() * 0x9e3779b97f4a7c15U, {}, false};
      require(layout.parse(layout.key(ranked)) == ranked, layout.key(ranked));
      const auto parsed = layout.parse(layout.key({scope, kind, 0, name, true}));
      require(parsed.has_value() && parsed->kind == kind && parsed->scope == scope);
      require(!parsed->is_malformed || parsed->name == name);
    }
    const auto id = layout.decided_id(scope, layout.decided_key(scope, text));
    require(id.has_value() == is_text && (!id || *id == name));
  }
  const auto id = layout.pending_id(layout.pending_key(layout.site(), text));
  require(id.has_value() == is_text && (!id || *id == name));
}

// ---- Addresses ----

bool is_loopback(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) == 1) return IN6_IS_ADDR_LOOPBACK(&address);
  in_addr address4{};
  return host == "localhost" ||
         (host.starts_with("127.") && ::inet_pton(AF_INET, host.c_str(), &address4) == 1);
}

void check_client(const StoreAddress& address, std::size_t size) {
  for (const bool has_user : {false, true}) {
    EtcdOptions options;
    if (has_user) options.user = "operator";
    if (has_user) options.password = kSecret;
    const auto client = EtcdClient::create(address, options);
    if (!client) {
      require_good(client.error(), size);
      const bool is_hidden = client.error().to_string().find(kSecret) == std::string::npos;
      require(is_hidden || address.to_string().find(kSecret) != std::string::npos, "a password is shown");
      continue;
    }
    require(!address.is_tls, "TLS without authorities");
    for (const auto& endpoint : address.endpoints) {
      require(is_loopback(endpoint.host) || (!has_user && address.allows_plain_network), endpoint.host);
    }
  }
}

std::optional<StoreAddress> check_address(std::string_view text) {
  const auto address = StoreAddress::parse(text);
  if (!address) {
    require_quiet(address.error(), text.size());
    return std::nullopt;
  }
  require(text.find('@') == std::string_view::npos && !address->endpoints.empty());
  const std::string written = address->to_string();
  require(!has_control_character(written) && is_valid_utf8(written), written);
  const auto again = StoreAddress::parse(written);
  require(again.has_value() && *again == *address, written);
  require_same(again->to_string(), written);
  require(web::path_part(address->site) == address->site && !address->prefix.empty());
  return *address;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const auto parts = parts_of(text, 2);
  std::string prefix = "p";
  std::string site = "berlin";
  std::string other = "berlin-2";
  for (const std::string_view part : parts) {
    if (const auto address = check_address(part)) {
      check_client(*address, size);
      prefix = address->prefix;
      if (!address->site.empty()) site = address->site;
    }
    // In each place where somebody may put a password.
    for (const char* begin : {"etcd://", "etcds://h/p?site=", "etcd://localhost/", "etcd://127.0.0.1:1/p?"}) {
      check_address(begin + std::string(part));
    }
    if (is_site(std::string(part)) && part != site) other = part;
  }
  check_below(parts.back(), prefix, site, other);
  check_names(parts.front(), FleetLayout(prefix, site));
  if (parts.size() == 1) return 0;
  // Any bytes.
  check_below(text, "p", "berlin", site);
  check_names(text, FleetLayout("p", "berlin"));
  return 0;
}
