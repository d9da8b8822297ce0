#include "auth/grant_commands.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <vipauth/python_repr.hpp>

#include "value_text.hpp"

namespace vipauth::vctl::auth {
namespace {

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// True where the name is read as it is: nothing is trimmed, and it is not taken for JSON.
bool is_plain_name(std::string_view name) {
  return !name.empty() && trim(name) == name && is_valid_utf8(name) &&
         std::string_view("[{\"'").find(name.front()) == std::string_view::npos;
}

/// The same among others, with commas between.
bool stands_alone(std::string_view name) {
  return is_plain_name(name) && name.find(',') == std::string_view::npos;
}

/// What the field of a record holds, as a list.
Json::Array listed(const Policy::Entry& entry, std::string_view field) {
  const Json* value = entry.source.find(field);
  const bool is_empty = value == nullptr || value->is_null() ||
                        (value->is_string() && value->as_string().empty()) ||
                        (value->is_object() && value->as_object().empty());
  if (is_empty) return {};
  return value->is_array() ? value->as_array() : Json::Array{*value};
}

/// A constraint that accepts this value alone.
std::optional<Json> constraint_for(const Json& value) {
  const std::string text = value.dump();
  const bool has_template =
      text.find("{user_id}") != std::string::npos || text.find("{identity}") != std::string::npos;
  if (!value.is_string()) return has_template ? std::nullopt : std::optional(value);
  if (!has_template && !Pattern::looks_like_regex(value.as_string())) return value;
  std::string pattern = "/" + Pattern::quote(value.as_string()) + "/";
  if (!Pattern::parse(pattern)) return std::nullopt;
  return Json(std::move(pattern));
}

/// A grant like the first of `held` whose restrictions can be turned to these values.
std::optional<Json> grant_for(const std::string& capability, const std::vector<HeldGrant>& held,
                              const std::function<std::optional<Json>(const std::string&)>& value_of) {
  for (const HeldGrant& grant : held) {
    Json::Object restrictions;
    bool is_possible = true;
    for (const Restriction& restriction : grant.capability.restrictions) {
      const auto value = value_of(restriction.parameter);
      const auto constraint = value ? constraint_for(*value) : std::nullopt;
      is_possible = is_possible && constraint;
      if (constraint) restrictions.push_back({restriction.parameter, *constraint});
    }
    if (is_possible) return Json(Json::Object{{capability, std::move(restrictions)}});
  }
  return std::nullopt;
}

/// True where the role alone gives all of these without restrictions.
bool gives_all(const Policy::Role& role, const std::vector<std::string>& names) {
  return role.capabilities && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
           return std::any_of(role.capabilities->begin(), role.capabilities->end(),
                              [&](const Capability& c) { return c.name == name && c.restrictions.empty(); });
         });
}

/// A role that a user has already, directly or through a group.
const Policy::Role* role_of(const Checker& checker, const AuthRecord& record) {
  const Policy& policy = checker.policy();
  for (const std::string& name : record.roles) {
    if (const Policy::Role* role = policy.find_role(name); role != nullptr && role->capabilities) return role;
  }
  for (const std::string& name : record.groups) {
    const Policy::Group* group = policy.find_group(name);
    if (group == nullptr || !group->roles) continue;
    for (const std::string& role_name : *group->roles) {
      if (const Policy::Role* role = policy.find_role(role_name); role != nullptr && role->capabilities)
        return role;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<std::size_t> index_in(std::string_view list, std::string_view place) {
  if (!place.starts_with(list) || !place.substr(list.size()).starts_with('/')) return std::nullopt;
  const std::string_view digits = place.substr(list.size() + 1);
  std::size_t index = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), index).ec != std::errc())
    return std::nullopt;
  return index;
}

std::vector<std::size_t> records_of(const Checker& checker, std::string_view user_id) {
  std::vector<std::size_t> out;
  for (const std::string& place : checker.snapshot().capabilities.records_of(user_id)) {
    if (const auto index = index_in("/allow", place)) out.push_back(*index);
  }
  return out;
}

std::string names_text(const Json::Array& names) {
  std::string out;
  for (const Json& name : names) {
    if (!name.is_string() || !stands_alone(name.as_string())) return Json(names).dump();
    out += (out.empty() ? "" : ",") + name.as_string();
  }
  return out;
}

Command update_list(const Checker& checker, std::size_t index, const std::string& field, Json::Array more) {
  Json::Array all = listed(checker.policy().allow()[index], field);
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return {"update", std::to_string(index), "--" + field, names_text(all)};
}

Needs needs_of(const std::vector<std::string>& required, const CapabilityResolver& capabilities,
               const std::string& user_id, const std::function<bool(const std::string&)>& is_met,
               const std::function<std::optional<Json>(const std::string&)>& value_of) {
  Needs needs;
  for (const std::string& name : required) {
    if (is_met(name)) continue;
    const std::vector<HeldGrant> held = capabilities.grants_of(user_id, name);
    if (held.empty()) {
      needs.can_be_met = needs.can_be_met && !name.empty();
      if (!has(needs.missing, name)) needs.missing.push_back(name);
    } else if (auto grant = grant_for(name, held, value_of)) {
      needs.restricted.push_back(std::move(*grant));
    } else {
      needs.can_be_met = false;
    }
  }
  return needs;
}

void add_grant_commands(const Checker& checker, const std::string& user_id, const Needs& needs,
                        Explanation& out) {
  if (needs.nothing() || !needs.can_be_met) return;
  const auto indices = records_of(checker, user_id);
  if (indices.empty()) return;
  const std::size_t index = indices.front();
  out.commands.push_back(update_list(checker, index, "capabilities", needs.grants()));
  if (!needs.restricted.empty()) return;
  const auto& roles = checker.policy().roles();
  const auto giver = std::find_if(roles.begin(), roles.end(),
                                  [&](const Policy::Role& role) { return gives_all(role, needs.missing); });
  if (giver != roles.end()) out.commands.push_back(update_list(checker, index, "roles", {Json(giver->name)}));
  if (const Policy::Role* role = role_of(checker, *checker.policy().allow()[index].record)) {
    Command command{"update-role", "--", role->name};
    for (const std::string& name : needs.missing) {
      command.push_back(is_plain_name(name) ? name : Json(Json::Array{name}).dump());
    }
    out.commands.push_back(std::move(command));
    out.notes.push_back("a change of role \"" + python_str(Json(role->name)) + "\"" +
                        " is for everybody who has it");
  }
}

}  // namespace vipauth::vctl::auth
