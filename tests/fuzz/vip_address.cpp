// A VIP address, and the addresses of the web: what is read is written so that it is read again, but for its
// secrets.
#include <vipauth/vip_address.hpp>

#include <vipauth/known_hosts.hpp>

#include "fuzz.hpp"
#include "web/web_address.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

void check_same(const VipAddress& a, const VipAddress& b) {
  require(a.transport == b.transport && a.server == b.server && a.ipv6 == b.ipv6);
  require_same(a.endpoint, b.endpoint);
  require_same(a.host, b.host);
  require_same(a.port, b.port);
  require(a.domain == b.domain && a.username == b.username && a.identity == b.identity);
  require(a.publickey == b.publickey && a.serverkey == b.serverkey);
}

/// A secret that stands nowhere else in the address.
bool is_hidden(std::string_view text, const VipAddress& address, const std::string& secret) {
  if (secret.size() < 6 || secret.find("XXXXX") != std::string::npos) return true;
  for (const auto& other : {address.domain, address.username, address.identity}) {
    if (other && other->find(secret) != std::string::npos) return true;
  }
  for (const auto& key : {address.publickey, address.serverkey}) {
    if (key && (key->to_base64url() == secret || key->to_z85() == secret)) return true;
  }
  return address.endpoint.find(secret) != std::string::npos || text.find(secret) == std::string_view::npos;
}

void check_vip(std::string_view text) {
  const auto address = VipAddress::parse(text);
  if (!address) return require_good(address.error(), text.size());
  require(text.size() <= VipAddress::kMaxBytes && !address->endpoint.empty());
  require(!address->identity || address->identity->size() <= VipAddress::kMaxIdentityBytes);
  const std::string written = address->to_string();
  if (address->password) require(is_hidden(written, *address, *address->password), written);
  if (address->secretkey) {
    require(is_hidden(written, *address, reveal_base64url(address->secretkey->secret_key)), written);
    require(is_hidden(written, *address, reveal_z85(address->secretkey->secret_key)), written);
  }
  const auto again = VipAddress::parse(written);
  if (address->password || address->secretkey) {
    require(!again.has_value(), written);
    return;
  }
  if (written.size() > VipAddress::kMaxBytes) return;  // more of it is escaped than was
  require(again.has_value(), written);
  check_same(*again, *address);
  require_same(again->to_string(), written);
}

void check_host_key(std::string_view text) {
  const auto key = KnownHosts::host_key(text);
  if (!key) return require_good(key.error(), text.size());
  require(!key->empty() && key->size() <= KnownHosts::kMaxBytes && !has_control_character(*key), *key);
  const auto address = VipAddress::parse(text);
  if (address && address->password && address->password->size() >= 6) {
    require(is_hidden(*key, *address, *address->password), *key);
  }
}

void check_web(std::string_view text) {
  const auto address = web::WebAddress::parse(text);
  if (!address) return require_good(address.error(), text.size());
  require(!address->host.empty() && address->port >= 0 && address->port <= 65535);
  require(!has_control_character(address->host) && !has_control_character(address->path));
  const std::string written = address->origin() + address->path;
  const auto again = web::WebAddress::parse(written);
  require(again.has_value(), written);
  require_same(again->origin() + again->path, written);
  require(again->host == address->host && again->port == address->port && again->is_tls == address->is_tls);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  check_vip(text);
  check_host_key(text);
  check_web(text);
  return 0;
}
