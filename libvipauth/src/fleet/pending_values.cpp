#include "fleet/pending_values.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <vipauth/curve_key.hpp>
#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>

#include "fleet/value_members.hpp"

namespace vipauth::fleet {
namespace {

/// A text that means itself alone in a record, and nothing to a terminal.
std::string literal_text(ValueMembers& members, std::string_view name) {
  std::string out = members.plain_text(name);
  if (Pattern::looks_like_regex(out)) members.fail(name, "must not be a pattern");
  return out;
}

/// Where somebody asked: in a record an empty one would mean "from anywhere".
std::string literal_place(ValueMembers& members, std::string_view name) {
  std::string out = literal_text(members, name);
  if (out.empty()) members.fail(name, "must not be empty");
  return out;
}

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
std::string key_of(ValueMembers& members) {
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
  const auto json = object_of(text, kMaxPendingBytes, "a pending request");
  if (!json) return json.error();
  ValueMembers members(*json);
  // No other ever waits: a record of another would let in more than the one who asked.
  if (members.text("mechanism") != to_string(Mechanism::kCurve))
    members.fail("mechanism", "must be \"CURVE\"");
  PendingRequest out;
  out.mechanism = Mechanism::kCurve;
  out.credentials = key_of(members);
  out.domain = literal_place(members, "domain");
  out.address = literal_place(members, "address");
  out.user_id = members.text("user_id");
  if (!is_user_id(out.user_id)) members.fail("user_id", "must be a UUID in lower case");
  out.first_seen = members.time("first_seen");
  out.last_seen = members.time("last_seen");
  out.retries = members.count("retries");
  if (members.error()) return *members.error();
  return out;
}

}  // namespace vipauth::fleet
