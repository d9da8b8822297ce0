#include "engine/grant_profiles.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <vipauth/json.hpp>

namespace vipauth {
namespace {

/// True where a name is a part of a restriction: such a grant is made for each record.
bool speaks_of_subject(const std::vector<Capability>& capabilities) {
  return std::any_of(capabilities.begin(), capabilities.end(), [](const Capability& capability) {
    return std::any_of(capability.restrictions.begin(), capability.restrictions.end(),
                       [](const Restriction& r) {
                         return has_template(r.constraint) && self_name_of(r.constraint) == SelfName::kNone;
                       });
  });
}

/// Each text with its length, so that no two profiles have the same key.
void add_text(std::string& key, char kind, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  key += kind;
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key += text;
}

void add_constraint(std::string& key, const Json& constraint, const TemplateSubject& holder) {
  switch (self_name_in(constraint, holder)) {
    case SelfName::kUserId: key += 'u'; return;
    case SelfName::kIdentity: key += 'i'; return;
    case SelfName::kNone: break;
  }
  if (constraint.is_string()) {
    add_text(key, 's', constraint.as_string());
  } else {
    add_text(key, 'j', constraint.dump());
  }
}

std::vector<Capability> generalised(std::vector<Capability> capabilities, const TemplateSubject& holder) {
  for (Capability& capability : capabilities) {
    for (Restriction& restriction : capability.restrictions) {
      const SelfName self = self_name_in(restriction.constraint, holder);
      if (self != SelfName::kNone) restriction.constraint = template_of(self);
    }
  }
  return capabilities;
}

void sort_by_capability(GrantSet& set) {
  std::stable_sort(set.begin(), set.end(),
                   [](const Grant* a, const Grant* b) { return a->capability < b->capability; });
}

}  // namespace

std::span<const Grant* const> named_grants(const GrantSet& set, std::string_view capability) {
  const auto begin =
      std::lower_bound(set.begin(), set.end(), capability,
                       [](const Grant* grant, std::string_view name) { return grant->capability < name; });
  auto end = begin;
  while (end != set.end() && (*end)->capability == capability) ++end;
  return {begin, end};
}

GrantProfiles::GrantProfiles() : profiles_(1) {}

GrantProfiles::Id GrantProfiles::intern(const std::vector<Capability>& own,
                                        const std::vector<std::string>& roles,
                                        const std::vector<std::string>& groups,
                                        const TemplateSubject& holder) {
  if (own.empty() && roles.empty() && groups.empty()) return kNothing;
  key_.clear();
  for (const Capability& capability : own) {
    add_text(key_, 'c', capability.name);
    for (const Restriction& restriction : capability.restrictions) {
      add_text(key_, 'p', restriction.parameter);
      add_constraint(key_, restriction.constraint, holder);
    }
  }
  for (const std::string& role : roles) add_text(key_, 'r', role);
  for (const std::string& group : groups) add_text(key_, 'g', group);
  const auto found = ids_.find(key_);
  if (found != ids_.end()) return found->second;
  const Id id = static_cast<Id>(profiles_.size());
  ids_.emplace(key_, id);
  profiles_.push_back({generalised(own, holder), roles, groups});
  return id;
}

void GrantProfiles::add_role(std::string_view name, const Result<std::vector<Capability>>& capabilities) {
  if (!capabilities) return;
  roles_.emplace(name, Role{*capabilities, speaks_of_subject(*capabilities), std::nullopt,
                            std::make_shared<const std::string>(json_pointer("/roles", name))});
}

void GrantProfiles::add_group(std::string_view name, const Result<std::vector<std::string>>& roles) {
  if (roles) groups_.emplace(name, *roles);
}

void GrantProfiles::expand(std::size_t most) {
  ids_ = {};
  for (Profile& profile : profiles_) {
    find_roles(profile);
    profile.is_template = speaks_of_subject(profile.own);
    profile.size = profile.own.size();
    for (const std::string& name : profile.roles) {
      const Role& role = roles_.find(name)->second;
      profile.is_template = profile.is_template || role.is_template;
      profile.size += role.capabilities.size();
    }
    profile.is_too_large = profile.size > most;
    if (profile.is_template && !profile.is_too_large) continue;
    if (!profile.is_too_large) profile.grants = make(profile, {});
    profile.own = {};
    profile.roles = {};
  }
}

/// The record's roles and those of its groups, each once. Unknown names grant nothing.
void GrantProfiles::find_roles(Profile& profile) const {
  std::vector<std::string>& roles = profile.roles;
  const auto is_unknown = [&](const std::string& name) { return !roles_.contains(name); };
  std::erase_if(roles, is_unknown);
  for (const std::string& name : profile.groups) {
    const auto group = groups_.find(name);
    if (group == groups_.end()) continue;
    std::remove_copy_if(group->second.begin(), group->second.end(), std::back_inserter(roles), is_unknown);
  }
  profile.groups = {};
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
}

void GrantProfiles::expand_for(std::uint32_t record, Id profile, const TemplateSubject& subject) {
  if (!profiles_[profile].is_too_large) of_records_.emplace(record, make(profiles_[profile], subject));
}

const GrantSet& GrantProfiles::grants_of(std::uint32_t record, Id profile) const noexcept {
  static const GrantSet kNone;
  if (!profiles_[profile].is_template) return profiles_[profile].grants;
  const auto found = of_records_.find(record);
  return found == of_records_.end() ? kNone : found->second;
}

GrantSet GrantProfiles::make(const Profile& profile, const TemplateSubject& subject) {
  GrantSet out;
  append(profile.own, subject, nullptr, out);
  for (const std::string& name : profile.roles) {
    const auto role = roles_.find(name);
    if (role != roles_.end()) append_role(role->second, subject, out);
  }
  sort_by_capability(out);
  out.shrink_to_fit();
  return out;
}

void GrantProfiles::append(const std::vector<Capability>& capabilities, const TemplateSubject& subject,
                           const std::shared_ptr<const std::string>& source, GrantSet& out) {
  for (const Capability& capability : capabilities) {
    if (auto grant = compile_grant(capability, subject, source)) {
      out.push_back(&grants_.emplace_back(std::move(*grant)));
    }
  }
}

void GrantProfiles::append_role(Role& role, const TemplateSubject& subject, GrantSet& out) {
  if (role.is_template) return append(role.capabilities, subject, role.source, out);
  if (!role.shared) append(role.capabilities, subject, role.source, role.shared.emplace());
  out.insert(out.end(), role.shared->begin(), role.shared->end());
}

}  // namespace vipauth
