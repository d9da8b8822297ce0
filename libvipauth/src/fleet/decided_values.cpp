#include "fleet/decided_values.hpp"

#include <algorithm>
#include <utility>

#include <vipauth/json.hpp>
#include <vipauth/pattern.hpp>

#include "fleet/pending_values.hpp"

namespace vipauth::fleet {
namespace {

bool is_plain(const Json& place) {
  const auto is_plain_text = [](const Json& item) {
    return item.is_string() && !item.as_string().empty() && !Pattern::looks_like_regex(item.as_string());
  };
  if (!place.is_array()) return is_plain_text(place);
  const Json::Array& items = place.as_array();
  return !items.empty() && std::all_of(items.begin(), items.end(), is_plain_text);
}

}  // namespace

std::string decided_value(const DecidedPeer& peer) {
  return Json(Json::Object{{"mechanism", Json(to_string(peer.mechanism))},
                           {"credentials", Json(peer.credentials)},
                           {"domain", peer.domain},
                           {"address", peer.address}})
      .dump();
}

std::optional<DecidedPeer> parse_decided(std::string_view text) {
  if (text.size() > kMaxPendingBytes) return std::nullopt;
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return std::nullopt;
  const Json* mechanism = json->find("mechanism");
  const Json* credentials = json->find("credentials");
  if (mechanism == nullptr || credentials == nullptr || !mechanism->is_string() ||
      !credentials->is_string()) {
    return std::nullopt;
  }
  const auto parsed = parse_mechanism(mechanism->as_string());
  if (!parsed) return std::nullopt;
  const auto member = [&](std::string_view name) {
    const Json* found = json->find(name);
    return found == nullptr ? Json() : *found;
  };
  return DecidedPeer{*parsed, credentials->as_string(), member("domain"), member("address")};
}

// Records rarely name a domain: what is pinned is the address.
bool is_believed_of_site(const DecidedPeer& peer) {
  return is_plain(peer.address) && (peer.domain.is_null() || is_plain(peer.domain));
}

}  // namespace vipauth::fleet
