#pragma once

#include <string>

#include <vipauth/export.hpp>
#include <vipauth/json.hpp>

namespace vipauth {

/// How to reach a platform, as it tells by GET /discovery/ of its web service. What is empty, it does not
/// tell.
/// Source: VOLTTRON discovery.py.
struct PlatformDiscovery {
  std::string instance_name;
  std::string vip_address;
  std::string serverkey;
  std::string rmq_address;
  std::string rmq_ca_cert;  ///< PEM

  /// Takes what is known of an object: a platform may send anything beside, and values that are no text.
  VIPAUTH_EXPORT static PlatformDiscovery parse(const Json& document);
  /// `{"instance-name": "...", "vip-address": ..., "serverkey": ..., "rmq-address": ..., "rmq-ca-cert": ...}`
  VIPAUTH_EXPORT Json to_json() const;
};

}  // namespace vipauth
