#include <vipauth/authorization_json.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace vipauth {
namespace {

std::optional<Timestamp> time_at(const Json& json, std::string_view name) {
  const auto parsed = parse_timestamp(json.text_at(name));
  if (!parsed) return std::nullopt;
  return *parsed;
}

AuthorizationStatus status_at(const Json& json, AuthorizationStatus otherwise) {
  const std::string text = json.text_at("status");
  for (const auto status :
       {AuthorizationStatus::kPending, AuthorizationStatus::kApproved, AuthorizationStatus::kDenied}) {
    if (to_string(status) == text) return status;
  }
  return otherwise;
}

}  // namespace

Json to_json(const Authorization& peer) {
  Json out(Json::Object{{"domain", peer.domain},
                        {"address", peer.address},
                        {"mechanism", to_string(peer.mechanism)},
                        {"credentials", peer.credentials},
                        {"user_id", peer.user_id},
                        {"retries", static_cast<std::int64_t>(peer.retries)},
                        {"status", to_string(peer.status)}});
  if (peer.first_seen) out.set("first_seen", format_timestamp(*peer.first_seen));
  if (peer.last_seen) out.set("last_seen", format_timestamp(*peer.last_seen));
  if (!peer.site.empty()) out.set("site", peer.site);
  return out;
}

Result<Authorization> parse_authorization(const Json& json, AuthorizationStatus status) {
  const auto mechanism = parse_mechanism(json.text_at("mechanism"));
  if (!json.is_object() || !mechanism || json.text_at("user_id").empty()) {
    return Error{ErrorCode::kParseError, "must be an object with a user_id and a mechanism", ""};
  }
  Authorization peer{.status = status_at(json, status),
                     .user_id = json.text_at("user_id"),
                     .domain = json.text_at("domain"),
                     .address = json.text_at("address"),
                     .mechanism = *mechanism,
                     .credentials = json.text_at("credentials"),
                     .retries = 0,
                     .first_seen = time_at(json, "first_seen"),
                     .last_seen = time_at(json, "last_seen"),
                     .site = json.text_at("site")};
  if (const Json* retries = json.find("retries"); retries != nullptr && retries->is_number()) {
    const std::string& digits = retries->as_number().digits;
    std::from_chars(digits.data(), digits.data() + digits.size(), peer.retries);
  }
  return peer;
}

}  // namespace vipauth
