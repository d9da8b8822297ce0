#include "fleet/pending_values.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>

namespace vipauth::fleet {
namespace {

// Source: ZeroMQ RFC 27, whose strings are of an octet of length.
constexpr std::size_t kMaxTextBytes = 255;

class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::string text(std::string_view name) {
    const Json* member = object_.find(name);
    if (member != nullptr && member->is_string()) return member->as_string();
    fail(name, "must be a string");
    return {};
  }

  /// A text that means itself alone in a record, and nothing to a terminal.
  std::string plain_text(std::string_view name) {
    std::string out = text(name);
    const bool has_control = std::any_of(out.begin(), out.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7F;
    });
    if (out.size() > kMaxTextBytes) fail(name, "is longer than 255 bytes");
    if (has_control) fail(name, "holds a control character");
    if (Pattern::looks_like_regex(out)) fail(name, "must not be a pattern");
    return out;
  }

  /// Where somebody asked: in a record an empty one would mean "from anywhere".
  std::string plain_place(std::string_view name) {
    std::string out = plain_text(name);
    if (out.empty()) fail(name, "must not be empty");
    return out;
  }

  Timestamp time(std::string_view name) {
    const auto parsed = parse_timestamp(text(name));
    if (!parsed) fail(name, parsed.error().message);
    return parsed.value_or(Timestamp{});
  }

  std::uint64_t count(std::string_view name) {
    const Json* member = object_.find(name);
    const std::string digits = member != nullptr && member->is_number() ? member->as_number().digits : "";
    std::int64_t out = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error != std::errc() || end != digits.data() + digits.size() || out < 0) {
      fail(name, "must be a count");
      return 0;
    }
    return static_cast<std::uint64_t>(out);
  }

  void fail(std::string_view name, std::string message) {
    if (!error_) error_ = Error{ErrorCode::kInvalidArgument, std::move(message), json_pointer("", name)};
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

/// As make_user_id() writes one. Any other name could be a known user's, or an identity.
bool is_user_id(std::string_view text) {
  constexpr std::size_t kBytes = 36;
  if (text.size() != kBytes) return false;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (is_hyphen ? text[i] != '-' : !is_digit) return false;
  }
  return true;
}

/// By what a stranger is noted: its key, in the one form of it.
std::string key_of(Members& members) {
  std::string out = members.text("credentials");
  const auto key = CurveKey::parse(out);
  if (!key || key->to_base64url() != out) members.fail("credentials", "must be a public key as base64url");
  return out;
}

}  // namespace

std::string pending_value(const PendingRequest& request) {
  constexpr std::uint64_t kMostRetries = std::numeric_limits<std::int64_t>::max();
  const auto retries = static_cast<std::int64_t>(std::min(request.retries, kMostRetries));
  return Json(Json::Object{{"mechanism", Json(to_string(request.mechanism))},
                           {"credentials", Json(request.credentials)},
                           {"domain", Json(request.domain)},
                           {"address", Json(request.address)},
                           {"user_id", Json(request.user_id)},
                           {"first_seen", Json(format_timestamp(request.first_seen))},
                           {"last_seen", Json(format_timestamp(request.last_seen))},
                           {"retries", Json(retries)}})
      .dump();
}

Result<PendingRequest> parse_pending(std::string_view text) {
  if (text.size() > kMaxPendingBytes) {
    return Error{ErrorCode::kLimitExceeded,
                 "a pending request is longer than " + std::to_string(kMaxPendingBytes) + " bytes", ""};
  }
  const auto json = Json::parse(text);
  if (!json) return json.error();
  if (!json->is_object()) {
    return Error{ErrorCode::kInvalidArgument, "must be an object, not " + std::string(json->kind_name()), ""};
  }
  Members members(*json);
  // No other ever waits: a record of another would let in more than the one who asked.
  if (members.text("mechanism") != to_string(Mechanism::kCurve))
    members.fail("mechanism", "must be \"CURVE\"");
  PendingRequest out;
  out.mechanism = Mechanism::kCurve;
  out.credentials = key_of(members);
  out.domain = members.plain_place("domain");
  out.address = members.plain_place("address");
  out.user_id = members.text("user_id");
  if (!is_user_id(out.user_id)) members.fail("user_id", "must be a UUID in lower case");
  out.first_seen = members.time("first_seen");
  out.last_seen = members.time("last_seen");
  out.retries = members.count("retries");
  if (members.error()) return *members.error();
  return out;
}

}  // namespace vipauth::fleet
