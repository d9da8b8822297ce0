#include "auth/bus_addresses.hpp"

namespace vipauth::vctl::auth {

Result<std::vector<BusAddress>> bus_addresses(const Home& home, const CurveKey& server_key,
                                              const std::string& any_host, const std::string& any_ipv6_host) {
  const auto addresses = home.load_vip_addresses();
  if (!addresses) return addresses.error();
  std::vector<BusAddress> out;
  for (const VipAddress& address : *addresses) {
    std::string endpoint = address.endpoint;
    if (address.host == "*" || address.host == "0.0.0.0") endpoint = "tcp://" + any_host + ":" + address.port;
    if (address.host == "[::]") endpoint = "tcp://" + any_ipv6_host + ":" + address.port;
    const bool has_own_key = address.secretkey && address.secretkey->public_key != server_key;
    out.push_back(
        {std::move(endpoint), has_own_key ? address.secretkey->public_key : server_key, has_own_key});
  }
  return out;
}

}  // namespace vipauth::vctl::auth
