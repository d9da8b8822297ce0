// Edits of roles and groups.

#include <algorithm>
#include <iterator>
#include <utility>

#include <vipauth/policy.hpp>

#include "model/policy_parts.hpp"

namespace vipauth {
namespace {

Error already_exists(std::string_view kind, std::string_view name) {
  return Error{ErrorCode::kAlreadyExists, std::string(kind) + " \"" + std::string(name) + "\" already exists",
               ""};
}

Error does_not_exist(std::string_view kind, std::string_view name) {
  return Error{ErrorCode::kNotFound, std::string(kind) + " \"" + std::string(name) + "\" does not exist", ""};
}

template <typename Named>
auto find_named(std::vector<Named>& list, std::string_view name) {
  return std::find_if(list.begin(), list.end(), [&](const Named& item) { return item.name == name; });
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// ---- Capabilities in the forms of the file ----

/// A capability with the value that it has in a map: null, or its restrictions.
using Grant = Json::Member;

Grant grant_of(const Capability& capability) {
  Json restrictions;
  for (const Restriction& restriction : capability.restrictions) {
    restrictions.set(restriction.parameter, restriction.constraint);
  }
  return {capability.name, std::move(restrictions)};
}

Result<std::vector<Grant>> parse_grants(const Json& capabilities) {
  const auto parsed = parse_capabilities(capabilities);
  if (!parsed) return parsed.error();
  std::vector<Grant> out;
  for (const Capability& capability : *parsed) out.push_back(grant_of(capability));
  return out;
}

bool holds(const std::vector<Grant>& grants, const Grant& wanted) {
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.name == wanted.name && grant.value == wanted.value;
  });
}

/// A grant as an element of a list.
Json list_item(const Grant& grant) {
  return grant.value.is_null() ? Json(grant.name) : Json(Json::Object{grant});
}

Json::Array list_of(const std::vector<Grant>& grants) {
  Json::Array out;
  for (const Grant& grant : grants) out.push_back(list_item(grant));
  return out;
}

/// `source` with further grants, none of which it holds yet.
Json with_grants(Json source, const std::vector<Grant>& present, const std::vector<Grant>& added) {
  if (added.empty()) return source;
  if (source.is_object()) {
    Json map = source;
    const bool fits = std::all_of(added.begin(), added.end(), [&](const Grant& grant) {
      if (map.find(grant.name) != nullptr) return false;
      map.set(grant.name, grant.value);
      return true;
    });
    if (fits) return map;
  }
  if (!source.is_array()) source = Json(list_of(present));
  for (const Grant& grant : added) source.as_array().push_back(list_item(grant));
  return source;
}

void erase_names(Json& map, const std::vector<std::string>& names) {
  for (const std::string& name : names) map.erase(name);
}

/// `source` without any grant of these capabilities.
Json without_grants(Json source, const std::vector<std::string>& names) {
  if (source.is_string()) return contains(names, source.as_string()) ? Json(Json::Array()) : source;
  if (source.is_object()) erase_names(source, names);
  if (!source.is_array()) return source;
  Json::Array kept;
  for (Json& item : source.as_array()) {
    if (item.is_string() && contains(names, item.as_string())) continue;
    const bool was_empty = item.is_object() && item.as_object().empty();
    if (item.is_object()) erase_names(item, names);
    const bool is_used_up = !was_empty && item.is_object() && item.as_object().empty();
    if (!is_used_up) kept.push_back(std::move(item));
  }
  return Json(std::move(kept));
}

}  // namespace

// ---- Roles ----

Result<void> Policy::add_role(std::string_view name, Json capabilities) {
  if (find_role(name) != nullptr) return already_exists("role", name);
  Role role = make_role(std::string(name), std::move(capabilities));
  if (!role.capabilities) return role.capabilities.error();
  roles_.push_back(std::move(role));
  return {};
}

Result<void> Policy::add_to_role(std::string_view name, const Json& capabilities) {
  const auto role = find_named(roles_, name);
  if (role == roles_.end()) return does_not_exist("role", name);
  if (!role->capabilities) return role->capabilities.error();
  const auto given = parse_grants(capabilities);
  if (!given) return given.error();
  const auto present = parse_grants(role->source);
  if (!present) return present.error();
  std::vector<Grant> added;
  for (const Grant& grant : *given) {
    if (!holds(*present, grant) && !holds(added, grant)) added.push_back(grant);
  }
  *role = make_role(role->name, with_grants(role->source, *present, added));
  return {};
}

Result<void> Policy::remove_from_role(std::string_view name, const std::vector<std::string>& capabilities) {
  const auto role = find_named(roles_, name);
  if (role == roles_.end()) return does_not_exist("role", name);
  if (!role->capabilities) return role->capabilities.error();
  *role = make_role(role->name, without_grants(role->source, capabilities));
  return {};
}

Result<void> Policy::remove_role(std::string_view name) {
  const auto role = find_named(roles_, name);
  if (role == roles_.end()) return does_not_exist("role", name);
  roles_.erase(role);
  return {};
}

// ---- Groups ----

Result<void> Policy::add_group(std::string_view name, const std::vector<std::string>& roles) {
  if (find_group(name) != nullptr) return already_exists("group", name);
  groups_.push_back(make_group(std::string(name), Json(Json::Array())));
  return add_to_group(name, roles);
}

Result<void> Policy::add_to_group(std::string_view name, const std::vector<std::string>& roles) {
  const auto group = find_named(groups_, name);
  if (group == groups_.end()) return does_not_exist("group", name);
  if (!group->roles) return group->roles.error();
  std::vector<std::string> present = *group->roles;
  for (const std::string& role : roles) {
    if (!contains(present, role)) present.push_back(role);
  }
  if (present.size() != group->roles->size()) *group = make_group(group->name, Json::strings(present));
  return {};
}

Result<void> Policy::remove_from_group(std::string_view name, const std::vector<std::string>& roles) {
  const auto group = find_named(groups_, name);
  if (group == groups_.end()) return does_not_exist("group", name);
  if (!group->roles) return group->roles.error();
  std::vector<std::string> kept;
  std::copy_if(group->roles->begin(), group->roles->end(), std::back_inserter(kept),
               [&](const std::string& role) { return !contains(roles, role); });
  if (kept.size() != group->roles->size()) *group = make_group(group->name, Json::strings(kept));
  return {};
}

Result<void> Policy::remove_group(std::string_view name) {
  const auto group = find_named(groups_, name);
  if (group == groups_.end()) return does_not_exist("group", name);
  groups_.erase(group);
  return {};
}

}  // namespace vipauth
