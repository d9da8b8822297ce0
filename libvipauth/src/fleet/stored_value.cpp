#include "fleet/stored_value.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vipauth::fleet {
namespace {

/// Values are two levels deep in a document, which must still be read.
constexpr std::size_t kMaxDepth = Json::kMaxDepth - 2;

bool is_deeper(const Json& json, std::size_t levels) {
  if (!json.is_array() && !json.is_object()) return false;
  if (levels == 0) return true;
  if (json.is_array()) {
    return std::any_of(json.as_array().begin(), json.as_array().end(),
                       [&](const Json& item) { return is_deeper(item, levels - 1); });
  }
  return std::any_of(json.as_object().begin(), json.as_object().end(),
                     [&](const Json::Member& member) { return is_deeper(member.value, levels - 1); });
}

}  // namespace

Json not_understood(std::string_view why) {
  // A string would be a role's capability; a list in a list is nothing anywhere.
  return Json(Json::Array{Json(Json::Array{Json(why)})});
}

Json value_of(const std::string& text) {
  auto value = Json::parse(text);
  if (!value) return not_understood("the value of this key is not JSON: " + value.error().location);
  if (is_deeper(*value, kMaxDepth)) return not_understood("the value of this key is nested too deep");
  return *std::move(value);
}

Json without_rank(const FleetKey& key) {
  return not_understood("this key has no rank: " + display_name(key));
}

bool stands_for(const std::string& text, const std::string& dump) {
  return text == dump || value_of(text).dump() == dump;
}

Result<std::string> text_of(const Json& value) {
  std::string text = value.dump();
  if (!is_deeper(value, kMaxDepth)) {
    if (const auto read = Json::parse(text); read && *read == value) return text;
  }
  return Error{ErrorCode::kInvalidArgument,
               "the change holds what cannot be written: text that is not UTF-8, or nesting deeper than " +
                   std::to_string(kMaxDepth) + " levels",
               ""};
}

}  // namespace vipauth::fleet
