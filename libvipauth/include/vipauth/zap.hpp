#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/result.hpp>

namespace vipauth {

/// A ZAP request, decoded from the frames behind the routing envelope and the empty delimiter.
/// Views into those frames. Source: ZeroMQ RFC 27, ZAP 1.0.
struct ZapRequest {
  std::string_view request_id;  ///< opaque bytes
  std::string_view domain;
  std::string_view address;
  std::string_view identity;  ///< the server socket's own routing id: identifies nobody
  std::string_view mechanism;
  std::span<const std::string_view> credentials;  ///< NULL none, PLAIN username and password, CURVE 32 bytes

  /// Checks version, number and length of the frames, and that text is UTF-8; `frames` must outlive the
  /// result.
  /// \return kInvalidArgument  what is wrong, never a credential
  VIPAUTH_EXPORT static Result<ZapRequest> parse(std::span<const std::string_view> frames);
};

/// A ZAP reply.
struct ZapReply {
  static constexpr std::string_view kVersion = "1.0";

  std::string request_id;
  std::string status_code;  ///< "200", "300", "400" or "500"
  std::string status_text;
  std::string user_id;  ///< empty unless the status is 200
  std::vector<std::pair<std::string, std::string>> metadata;

  /// The six frames behind the envelope: version, request id, status code, status text, user id, metadata.
  VIPAUTH_EXPORT std::vector<std::string> serialize() const;
};

/// Names of the metadata that an accepting reply carries, and that libzmq then attaches to every message of
/// the peer.
inline constexpr std::string_view kMetadataIdentity = "X-Vip-Identity";
inline constexpr std::string_view kMetadataMechanism = "X-Vip-Mechanism";
inline constexpr std::string_view kMetadataCredentials = "X-Vip-Credentials";
inline constexpr std::string_view kMetadataDomain = "X-Vip-Domain";

}  // namespace vipauth
