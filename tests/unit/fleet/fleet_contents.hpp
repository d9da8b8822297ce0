#pragma once

#include <string>
#include <string_view>

#include "fleet/fleet_content.hpp"
#include "support/policies.hpp"

namespace vipauth::test {

using fleet::FleetContent;
using fleet::FleetKey;
using fleet::KeyChanges;
using fleet::Scope;
using Kind = FleetKey::Kind;

inline constexpr std::uint64_t kStep = FleetContent::kRankStep;

inline FleetKey at_rank(Scope scope, Kind kind, std::uint64_t rank) { return {scope, kind, rank, {}, false}; }
inline FleetKey of_name(Scope scope, Kind kind, std::string name) {
  return {scope, kind, 0, std::move(name), false};
}
inline FleetKey malformed(Scope scope, Kind kind, std::string name) {
  return {scope, kind, 0, std::move(name), true};
}

/// A JSON text, with single quotes for double ones.
inline std::string text(std::string_view json_text) { return json(json_text).dump(); }

/// A good record of a user.
inline std::string record(const std::string& user_id, const std::string& credentials = kKeyA) {
  return Json(Json::Object{{"user_id", Json(user_id)}, {"credentials", Json(credentials)}}).dump();
}

inline void apply_all(FleetContent& content, const KeyChanges& changes) {
  for (const auto& [key, value] : changes) content.apply(key, value);
}

}  // namespace vipauth::test
