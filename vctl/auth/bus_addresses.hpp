#pragma once

#include <string>
#include <vector>

#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>
#include <vipauth/vip_address.hpp>

#include "home.hpp"

namespace vipauth::vctl::auth {

/// An address of the home's bus, as an agent connects to it.
struct BusAddress {
  std::string endpoint;
  CurveKey server_key;
  bool has_own_key = false;  ///< a secret key in the configuration, which is not that of the key store

  /// "tcp://127.0.0.1:22916?serverkey=..."
  std::string to_string() const { return endpoint + "?serverkey=" + server_key.to_base64url(); }
};

/// Where the home's bus is reached. One that listens on every interface is reached at `any_host`, such as
/// "127.0.0.1" ("[::1]" for IPv6).
/// \return what Home::load_vip_addresses returns
Result<std::vector<BusAddress>> bus_addresses(const Home& home, const CurveKey& server_key,
                                              const std::string& any_host, const std::string& any_ipv6_host);

}  // namespace vipauth::vctl::auth
