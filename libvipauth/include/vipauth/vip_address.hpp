#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <vipauth/curve_key.hpp>
#include <vipauth/result.hpp>

namespace vipauth {

/// Where a bus listens or a peer connects to, with the parameters that VOLTTRON adds to ZeroMQ's form:
/// `tcp://host:port?serverkey=...&ipv6=1#identity`, `ipc://@/path`, `inproc://name`.
///
/// Names of parameters may be in any case; `+` and `%XX` in values are decoded. A key is base64url, or Z85
/// with its special characters as `%XX`. A parameter that is not known, stands twice, or has no value is an
/// error: one that was meant to secure a connection must not be lost.
/// Source: VOLTTRON vip/socket.py, Address.
struct VipAddress {
  static constexpr std::size_t kMaxBytes = 4096;
  static constexpr std::size_t kMaxIdentityBytes = 255;  ///< ZeroMQ's limit on a routing id

  enum class Transport { kTcp, kIpc, kInproc };
  enum class Server { kNull, kPlain, kCurve };

  Transport transport = Transport::kTcp;
  std::string endpoint;  ///< as ZeroMQ takes it: "tcp://127.0.0.1:22916"; the scheme in small letters
  std::string host;      ///< of tcp: a name, an address, in brackets if it is IPv6, or "*"; else empty
  std::string port;      ///< of tcp: "22916" (with a path behind it, if any), or "*"; else empty

  std::optional<std::string> domain;      ///< the ZAP domain of a server
  std::optional<Server> server;           ///< the mechanism; none: not said
  std::optional<CurveKeyPair> secretkey;  ///< one's own, with the public key that belongs to it
  std::optional<CurveKey> publickey;      ///< one's own, as it was given: perhaps of another secret key
  std::optional<CurveKey> serverkey;
  std::optional<bool> ipv6;
  std::optional<std::string> username;
  std::optional<std::string> password;
  std::optional<std::string> identity;  ///< what stands behind `#`

  /// Without a scheme, `127.0.0.1:22916` is tcp.
  /// \return kParseError     `location` names the parameter; never with the value of a secret
  /// \return kLimitExceeded  longer than kMaxBytes; an identity longer than kMaxIdentityBytes
  VIPAUTH_EXPORT static Result<VipAddress> parse(std::string_view text);

  /// The whole address, but `secretkey=XXXXX` and `password=XXXXX`, which parse() does not take back. Keys
  /// are in base64url, which needs no `%`.
  VIPAUTH_EXPORT std::string to_string() const;
};

}  // namespace vipauth
