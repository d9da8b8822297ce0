#include "platform.hpp"

#include <utility>

#include <vipauth/vip_address.hpp>
#include <vipauth/vip_keys.hpp>

#include "home.hpp"
#include "working.hpp"

namespace vipauth::vctl {

Result<ClientKeys> client_keys(const Context& context, const std::string& address) {
  const auto home = Home::open(context);
  if (!home) return home.error();
  const auto parsed = VipAddress::parse(address);
  if (!parsed) return parsed.error();
  const std::string identity = parsed->identity.value_or(std::string(kControlIdentity));
  auto keys = find_client_keys(home->path(), *parsed, identity, home->strict_modes());
  if (!keys) return keys.error();
  keys->identity = identity;
  return keys;
}

Result<std::shared_ptr<Platform>> Platform::connect(const Context& context, const std::string& address) {
  auto keys = client_keys(context, address);
  if (!keys) return keys.error().at("--vip-address");
  const Working working(context, "connecting to " + keys->endpoint);
  auto client = VipClient::open(*std::move(keys));
  if (!client) return client.error().at("--vip-address");
  if (const auto welcome = client->hello(context.options.timeout); !welcome) {
    return welcome.error().at("--vip-address");
  }
  return std::shared_ptr<Platform>(new Platform(*std::move(client), context.options.timeout));
}

}  // namespace vipauth::vctl
