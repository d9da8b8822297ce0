#include <vipauth/capability.hpp>

#include <algorithm>
#include <cstddef>

namespace vipauth {
namespace {

Error wrong_type(std::string what, const Json& found, std::string location) {
  return Error{ErrorCode::kInvalidArgument, std::move(what) + ", not " + std::string(found.kind_name()),
               std::move(location)};
}

// An answer that holds a record is deeper than the record, and must still be read: Json::kMaxDepth.
constexpr std::size_t kMaxRestrictionDepth = 64;

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

Result<void> add_map(const Json& map, const std::string& location, std::vector<Capability>& out) {
  for (const Json::Member& member : map.as_object()) {
    Capability capability{member.name, {}};
    if (member.value.is_object()) {
      if (is_deeper(member.value, kMaxRestrictionDepth)) {
        return Error{ErrorCode::kInvalidArgument, "a restriction is nested at most 64 deep",
                     json_pointer(location, member.name)};
      }
      for (const Json::Member& restriction : member.value.as_object()) {
        capability.restrictions.push_back({restriction.name, restriction.value});
      }
    } else if (!member.value.is_null()) {
      return wrong_type("a capability's value must be null or a map from parameter to constraint",
                        member.value, json_pointer(location, member.name));
    }
    out.push_back(std::move(capability));
  }
  return {};
}

}  // namespace

Result<std::vector<Capability>> parse_capabilities(const Json& json) {
  std::vector<Capability> out;
  // VOLTTRON writes an empty string where nothing was entered.
  if (json.is_null() || (json.is_string() && json.as_string().empty())) return out;
  if (json.is_string()) {
    out.push_back({json.as_string(), {}});
    return out;
  }
  if (json.is_object()) {
    if (auto added = add_map(json, "", out); !added) return added.error();
    return out;
  }
  if (!json.is_array()) return wrong_type("capabilities must be a name, a list or a map", json, "");
  for (std::size_t i = 0; i < json.as_array().size(); ++i) {
    const Json& item = json.as_array()[i];
    const std::string location = json_pointer("", i);
    if (item.is_string()) {
      out.push_back({item.as_string(), {}});
    } else if (item.is_object()) {
      if (auto added = add_map(item, location, out); !added) return added.error();
    } else {
      return wrong_type("each of a list of capabilities must be a name or a map", item, location);
    }
  }
  return out;
}

}  // namespace vipauth
