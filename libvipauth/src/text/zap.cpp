#include <vipauth/zap.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>

#include "text/zap_metadata.hpp"

namespace vipauth {
namespace {

// Version, request id, domain, address, identity, mechanism; then the credentials.
constexpr std::size_t kFixedFrames = 6;
constexpr std::size_t kMaxStringBytes = 255;

Error malformed(std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message), ""}; }

/// How many credential frames a mechanism has; nothing for one that is not known.
std::optional<std::size_t> credential_frames(std::string_view mechanism) {
  if (mechanism == "NULL") return 0;
  if (mechanism == "PLAIN") return 2;
  if (mechanism == "CURVE") return 1;
  return std::nullopt;
}

}  // namespace

char* ZapProperty::write(char* out) const noexcept {
  *out++ = static_cast<char>(name.size());
  out = std::copy(name.begin(), name.end(), out);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    *out++ = static_cast<char>((static_cast<std::uint32_t>(value.size()) >> shift) & 0xffU);
  }
  return std::copy(value.begin(), value.end(), out);
}

Result<ZapRequest> ZapRequest::parse(std::span<const std::string_view> frames) {
  if (frames.size() < kFixedFrames) {
    return malformed("a ZAP request of " + std::to_string(frames.size()) +
                     " frames: at least 6 are expected");
  }
  if (frames[0] != ZapReply::kVersion) return malformed("a ZAP request of a version other than 1.0");
  ZapRequest request{frames[1], frames[2], frames[3], frames[4], frames[5], frames.subspan(kFixedFrames)};
  for (const std::string_view text : {request.domain, request.address}) {
    if (text.size() > kMaxStringBytes) return malformed("a domain or address longer than 255 bytes");
    if (!is_valid_utf8(text)) return malformed("a domain or address that is not valid UTF-8");
  }
  const auto expected = credential_frames(request.mechanism);
  if (!expected) return malformed("an unknown mechanism");
  if (request.credentials.size() != *expected) {
    return malformed(std::string(request.mechanism) + " with " + std::to_string(request.credentials.size()) +
                     " credential frames: " + std::to_string(*expected) + " expected");
  }
  if (request.mechanism == "CURVE" && request.credentials[0].size() != kCurveKeyBytes) {
    return malformed("a CURVE key of " + std::to_string(request.credentials[0].size()) +
                     " bytes: 32 expected");
  }
  if (request.mechanism == "PLAIN") {
    for (const std::string_view text : request.credentials) {
      if (text.size() > kMaxStringBytes) return malformed("a user name or password longer than 255 bytes");
    }
    if (!is_valid_utf8(request.credentials[0])) return malformed("a user name that is not valid UTF-8");
  }
  return request;
}

std::vector<std::string> ZapReply::serialize() const {
  std::string properties;
  for (const auto& [name, value] : metadata) {
    const ZapProperty property{name, value};
    const std::size_t begin = properties.size();
    properties.resize(begin + property.size());
    property.write(properties.data() + begin);
  }
  return {std::string(kVersion), request_id, status_code, status_text, user_id, std::move(properties)};
}

}  // namespace vipauth
