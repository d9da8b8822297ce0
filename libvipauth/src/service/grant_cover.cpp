#include "service/grant_cover.hpp"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include <vipauth/identity_registry.hpp>
#include <vipauth/pattern.hpp>
#include <vipauth/python_repr.hpp>

#include "engine/active_records.hpp"
#include "engine/named_key.hpp"

namespace vipauth {
namespace {

Error refused(std::string message) { return Error{ErrorCode::kPermissionDenied, std::move(message), ""}; }

std::string shown(std::string_view text) { return python_repr(Json(text)); }

bool is_pattern(const Json& constraint) {
  return constraint.is_string() && Pattern::looks_like_regex(constraint.as_string());
}

/// True where whatever satisfies `narrow` satisfies `wide`.
bool accepts_no_more(const CompiledRestriction& wide, const Json& narrow) {
  if (wide.constraint == narrow) return true;
  if (!wide.pattern || is_pattern(narrow) || !narrow.is_string()) return false;
  return wide.accepts_text(narrow.as_string());
}

/// \return "edit_config_store with {'identity': 'a'}"
std::string described(const Capability& capability) {
  if (capability.restrictions.empty()) return shown(capability.name);
  Json restrictions{Json::Object()};
  for (const Restriction& restriction : capability.restrictions) {
    restrictions.set(restriction.parameter, restriction.constraint);
  }
  return shown(capability.name) + " with " + python_repr(restrictions);
}

bool has_name(const Policy::Entry& entry, std::string_view name) {
  for (const std::string_view member : {"user_id", "identity"}) {
    const Json* value = entry.source.find(member);
    if (value != nullptr && value->is_string() && value->as_string() == name) return true;
  }
  return entry.record && entry.record->user_id == name;
}

/// A name that is the platform's or in a record already would give what belongs to that name: now, or when a
/// denial is taken back. The denials are those that stay.
Result<void> check_name_is_free(const Policy& before, const Policy& after, std::string_view name) {
  if (name.empty()) return {};
  if (IdentityRegistry::is_platform_name(name)) return refused(shown(name) + " is a name of the platform");
  for (const auto* list : {&before.allow(), &after.deny()}) {
    if (std::any_of(list->begin(), list->end(),
                    [&](const Policy::Entry& entry) { return has_name(entry, name); })) {
      return refused(shown(name) + " is a name of another record");
    }
  }
  return {};
}

/// A capability that grants nothing now may come to grant anything: by an identity, by a pattern that a later
/// version understands.
Result<void> check_capabilities_count(const std::vector<Capability>& capabilities, const AuthRecord& record) {
  const TemplateSubject subject{record.user_id, record.identity};
  for (const Capability& capability : capabilities) {
    const auto grant = compile_grant(capability, subject, nullptr);
    if (grant && grant->counts_for(subject)) continue;
    return refused(described(capability) +
                   " would grant nothing now: its pattern cannot be read, or there is no identity for it");
  }
  return {};
}

/// A role or group that is not there, cannot be read, or is empty, may come to give anything.
Result<void> check_all_counts(const Policy& policy, const AuthRecord& record) {
  std::vector<std::string> roles = record.roles;
  for (const std::string& name : record.groups) {
    const Policy::Group* group = policy.find_group(name);
    if (group == nullptr || !group->roles) return refused("there is no group " + shown(name));
    if (group->roles->empty()) return refused("the group " + shown(name) + " gives nothing now");
    roles.insert(roles.end(), group->roles->begin(), group->roles->end());
  }
  for (const std::string& name : roles) {
    const Policy::Role* role = policy.find_role(name);
    if (role == nullptr || !role->capabilities) return refused("there is no role " + shown(name));
    if (role->capabilities->empty()) return refused("the role " + shown(name) + " gives nothing now");
    if (auto counts = check_capabilities_count(*role->capabilities, record); !counts) return counts;
  }
  return check_capabilities_count(record.capabilities, record);
}

/// A denied record sleeps, and wakes when the denial goes: whoever takes that back does not look at it again.
Result<void> check_key_is_not_denied(const Policy& policy, const AuthRecord& record) {
  const auto* key = std::get_if<CurveKey>(&record.credentials);
  if (key == nullptr) return {};
  for (std::size_t i = 0; i < policy.deny().size(); ++i) {
    if (names_key(policy.deny()[i], *key))
      return refused("this key is denied by " + json_pointer("/deny", i));
  }
  return {};
}

const CurveKey* key_of(const Policy::Entry& entry) {
  return entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
}

}  // namespace

Grant ready_to_cover(const Capability& held) {
  Grant out{.capability = held.name, .restrictions = {}, .source = nullptr};
  for (const Restriction& restriction : held.restrictions) {
    CompiledRestriction compiled{restriction.parameter, restriction.constraint};
    if (is_pattern(restriction.constraint)) {
      if (auto pattern = Pattern::parse(restriction.constraint.as_string())) compiled.pattern = *pattern;
    }
    out.restrictions.push_back(std::move(compiled));
  }
  return out;
}

bool covers(const Grant& held, const Capability& granted) {
  if (held.capability != granted.name) return false;
  return std::all_of(
      held.restrictions.begin(), held.restrictions.end(), [&](const CompiledRestriction& wide) {
        return std::any_of(
            granted.restrictions.begin(), granted.restrictions.end(), [&](const Restriction& narrow) {
              return wide.parameter == narrow.parameter && accepts_no_more(wide, narrow.constraint);
            });
      });
}

Result<void> check_no_more_than_held(const Policy& before, const Policy& after, std::string_view user_id,
                                     Timestamp now) {
  if (after.allow().size() <= before.allow().size()) return {};
  const auto before_grants = CapabilityResolver::create(before, now);
  if (!before_grants) return before_grants.error();
  std::vector<bool> active = active_allow_records(after, now);
  for (std::size_t i = before.allow().size(); i < active.size(); ++i) {
    active[i] = after.allow()[i].record.has_value();  // what they give on the day on which they count
  }
  const auto after_grants = CapabilityResolver::create(after, active);
  if (!after_grants) return after_grants.error();
  std::vector<Grant> held;
  for (const HeldGrant& own : before_grants->grants_of(user_id)) {
    held.push_back(ready_to_cover(own.capability));
  }

  for (std::size_t i = before.allow().size(); i < after.allow().size(); ++i) {
    const auto& record = after.allow()[i].record;
    if (!record) return record.error().at(json_pointer("/allow", i));
    if (auto free = check_name_is_free(before, after, record->user_id); !free) return free;
    if (auto free = check_name_is_free(before, after, record->identity); !free) return free;
    if (auto awake = check_key_is_not_denied(after, *record); !awake) return awake;
    if (auto counts = check_all_counts(after, *record); !counts) return counts;
    for (const HeldGrant& granted : after_grants->grants_of(record->user_id)) {
      const bool is_held = std::any_of(held.begin(), held.end(),
                                       [&](const Grant& own) { return covers(own, granted.capability); });
      if (!is_held) {
        return refused("user " + shown(user_id) + " does not hold " + described(granted.capability) +
                       ", and may not grant it");
      }
    }
  }
  return {};
}

Result<void> check_keys_are_new(const Policy& before, const Policy& after) {
  const auto check = [](const std::vector<Policy::Entry>& entries, std::size_t first,
                        const Policy& known) -> Result<void> {
    for (std::size_t i = first; i < entries.size(); ++i) {
      const CurveKey* key = key_of(entries[i]);
      if (key == nullptr) continue;
      for (std::size_t k = 0; k < known.allow().size(); ++k) {
        if (names_key(known.allow()[k], *key)) {
          return refused("this key is named by " + json_pointer("/allow", k) + " already");
        }
      }
    }
    return {};
  };
  if (auto allowed = check(after.allow(), before.allow().size(), before); !allowed) return allowed;
  return check(after.deny(), before.deny().size(), after);
}

Result<void> check_names_are_unregistered(const Policy& before, const Policy& after,
                                          const MethodRegistry& registered) {
  for (std::size_t i = before.allow().size(); i < after.allow().size(); ++i) {
    const auto& record = after.allow()[i].record;
    if (!record) return record.error().at(json_pointer("/allow", i));
    for (const std::string& name : {record->user_id, record->identity}) {
      const std::string* owner = registered.declared_by(name);
      if (owner == nullptr) continue;
      const bool is_its_own =
          std::any_of(before.deny().begin(), before.deny().end(), [&](const Policy::Entry& entry) {
            return entry.record && entry.record->user_id == record->user_id &&
                   (has_name(entry, name) || *owner == record->user_id);
          });
      if (!is_its_own) return refused("an agent has registered under the name " + shown(name));
    }
  }
  return {};
}

Result<void> check_others_stay(const Policy& before, const Policy& after, std::string_view user_id) {
  std::size_t next = 0;  // a decision takes records away, and adds others at the end
  for (std::size_t i = 0; i < before.allow().size(); ++i) {
    const Policy::Entry& entry = before.allow()[i];
    if (next < after.allow().size() && after.allow()[next].source == entry.source) {
      ++next;
    } else if (!entry.record || entry.record->user_id != user_id) {
      return refused("this would change " + json_pointer("/allow", i) + ", the record of another user");
    }
  }
  return {};
}

}  // namespace vipauth
