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
  out.domain = literal_text(members, "domain");
  out.address = literal_text(members, "address");
  out.user_id = literal_text(members, "user_id");
  if (out.user_id.empty()) members.fail("user_id", "must not be empty");
  out.first_seen = members.time("first_seen");
  out.last_seen = members.time("last_seen");
  out.retries = members.count("retries");
  if (members.error()) return *members.error();
  return out;
}

}  // namespace vipauth::fleet
