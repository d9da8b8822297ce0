#include <vipauth/capability_resolver.hpp>

#include <algorithm>
#include <deque>

#include <vipauth/python_repr.hpp>

#include "base/string_hash.hpp"
#include "engine/active_records.hpp"
#include "engine/grant.hpp"

namespace vipauth {
namespace {

using Grants = std::vector<const Grant*>;

struct User {
  Grants grants;                       // sorted by capability; equal names in the order of their sources
  std::vector<std::string> locations;  // of its active records
};

bool by_capability(const Grant* a, const Grant* b) { return a->capability < b->capability; }

/// The user's grants of one capability.
std::span<const Grant* const> named_grants(const User& user, std::string_view capability) {
  const auto begin =
      std::lower_bound(user.grants.begin(), user.grants.end(), capability,
                       [](const Grant* grant, std::string_view name) { return grant->capability < name; });
  const auto end =
      std::upper_bound(begin, user.grants.end(), capability,
                       [](std::string_view name, const Grant* grant) { return name < grant->capability; });
  return {begin, end};
}

std::vector<std::string> names_of(const User& user) {
  std::vector<std::string> names;
  for (const Grant* grant : user.grants) {
    if (names.empty() || names.back() != grant->capability) names.push_back(grant->capability);
  }
  return names;
}

std::vector<HeldGrant> held_grants(std::span<const Grant* const> grants) {
  std::vector<HeldGrant> out;
  out.reserve(grants.size());
  for (const Grant* grant : grants) {
    HeldGrant& held = out.emplace_back(HeldGrant{{grant->capability, {}}, *grant->source});
    for (const CompiledRestriction& restriction : grant->restrictions) {
      held.capability.restrictions.push_back({restriction.parameter, restriction.constraint});
    }
  }
  return out;
}

std::string constraint_text(const CompiledRestriction& restriction) {
  return restriction.parameter + (restriction.pattern ? " matching pattern " : "=") +
         python_str(restriction.constraint);
}

Decision unknown_user(std::string_view user_id) {
  return Decision::refuse(Reason::kUnknown, "user " + python_repr(Json(user_id)) + " is not known");
}

Decision missing_capability(std::string_view what, std::span<const std::string> required, const User& user) {
  return Decision::refuse(Reason::kMissingCapability,
                          std::string(what) + " requires capabilities " +
                              python_repr(std::vector<std::string>(required.begin(), required.end())) +
                              ", but capability list " + python_repr(names_of(user)) + " was provided",
                          user.locations);
}

}  // namespace

struct CapabilityResolver::Index {
  std::deque<Grant> grants;  // addresses stay
  StringMap<User> users;

  IpcTrust ipc_trust;
  User without_record;  // what every trusted IPC peer holds: nothing

  const User* find(std::string_view user_id) const {
    const auto found = users.find(user_id);
    if (found != users.end()) return &found->second;
    return ipc_trust.accepts_user(user_id) ? &without_record : nullptr;
  }
};

namespace {

/// Expands records, roles and groups into grants. A role without templates is compiled once for everybody.
class Expander {
 public:
  Expander(const Policy& policy, std::deque<Grant>& grants) : policy_(policy), grants_(grants) {
    for (const Policy::Role& role : policy.roles()) {
      auto source = std::make_shared<const std::string>(json_pointer("/roles", role.name));
      roles_.emplace(role.name, RoleState{&role, {}, is_template(role), std::move(source)});
    }
    for (const Policy::Group& group : policy.groups()) groups_.emplace(group.name, &group);
  }

  /// Appends everything that the record grants to `out`.
  void expand(const AuthRecord& record, const std::string& location, Grants& out) {
    const TemplateSubject subject{record.user_id, record.identity};
    if (!record.capabilities.empty()) {
      append(record.capabilities, subject, std::make_shared<const std::string>(location + "/capabilities"),
             out);
    }
    for (const std::string& role : roles_of(record)) append_role(role, subject, out);
  }

 private:
  struct RoleState {
    const Policy::Role* role;
    std::optional<Grants> shared;
    bool is_template;
    std::shared_ptr<const std::string> source;
  };

  static bool is_template(const Policy::Role& role) {
    return role.capabilities &&
           std::any_of(role.capabilities->begin(), role.capabilities->end(), [](const Capability& c) {
             return std::any_of(c.restrictions.begin(), c.restrictions.end(),
                                [](const Restriction& r) { return has_template(r.constraint); });
           });
  }

  /// The record's roles and those of its groups, each once. Unknown names grant nothing.
  std::vector<std::string> roles_of(const AuthRecord& record) const {
    std::vector<std::string> names = record.roles;
    for (const std::string& group : record.groups) {
      const auto found = groups_.find(group);
      if (found == groups_.end() || !found->second->roles) continue;
      names.insert(names.end(), found->second->roles->begin(), found->second->roles->end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  void append(const std::vector<Capability>& capabilities, const TemplateSubject& subject,
              const std::shared_ptr<const std::string>& source, Grants& out) {
    for (const Capability& capability : capabilities) {
      if (auto grant = compile_grant(capability, subject, source)) {
        out.push_back(&grants_.emplace_back(std::move(*grant)));
      }
    }
  }

  void append_role(const std::string& name, const TemplateSubject& subject, Grants& out) {
    const auto found = roles_.find(name);
    if (found == roles_.end() || !found->second.role->capabilities) return;
    RoleState& state = found->second;
    if (state.is_template) return append(*state.role->capabilities, subject, state.source, out);
    if (!state.shared) append(*state.role->capabilities, subject, state.source, state.shared.emplace());
    out.insert(out.end(), state.shared->begin(), state.shared->end());
  }

  const Policy& policy_;
  std::deque<Grant>& grants_;
  StringMap<RoleState> roles_;
  StringMap<const Policy::Group*> groups_;
};

}  // namespace

CapabilityResolver::CapabilityResolver(std::shared_ptr<const Index> index) : index_(std::move(index)) {}

Result<CapabilityResolver> CapabilityResolver::create(const Policy& policy, Timestamp now,
                                                      IpcTrust ipc_trust) {
  return create(policy, active_allow_records(policy, now), ipc_trust);
}

Result<CapabilityResolver> CapabilityResolver::create(const Policy& policy, const std::vector<bool>& records,
                                                      IpcTrust ipc_trust) {
  auto index = std::make_shared<Index>();
  index->ipc_trust = ipc_trust;
  index->users.reserve(policy.allow().size());
  Expander expander(policy, index->grants);
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    if (!records[i]) continue;
    const AuthRecord& record = *policy.allow()[i].record;
    const std::string location = json_pointer("/allow", i);
    User& user = index->users[record.user_id];
    user.locations.push_back(location);
    expander.expand(record, location, user.grants);
    if (user.grants.size() > kMaxGrantsPerUser) {
      return Error{ErrorCode::kLimitExceeded,
                   "the user holds more than " + std::to_string(kMaxGrantsPerUser) + " grants", location};
    }
  }
  for (auto& [name, user] : index->users) {
    if (!std::is_sorted(user.grants.begin(), user.grants.end(), by_capability))
      std::stable_sort(user.grants.begin(), user.grants.end(), by_capability);
  }
  return CapabilityResolver(std::move(index));
}

bool CapabilityResolver::knows(std::string_view user_id) const { return index_->find(user_id) != nullptr; }

std::vector<std::string> CapabilityResolver::capabilities_of(std::string_view user_id) const {
  const User* user = index_->find(user_id);
  return user == nullptr ? std::vector<std::string>() : names_of(*user);
}

std::vector<std::string> CapabilityResolver::users() const {
  std::vector<std::string> out;
  out.reserve(index_->users.size());
  for (const auto& [name, user] : index_->users) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<HeldGrant> CapabilityResolver::grants_of(std::string_view user_id) const {
  const User* user = index_->find(user_id);
  return user == nullptr ? std::vector<HeldGrant>() : held_grants(user->grants);
}

std::vector<HeldGrant> CapabilityResolver::grants_of(std::string_view user_id,
                                                     std::string_view capability) const {
  const User* user = index_->find(user_id);
  return user == nullptr ? std::vector<HeldGrant>() : held_grants(named_grants(*user, capability));
}

std::vector<std::string> CapabilityResolver::records_of(std::string_view user_id) const {
  const User* user = index_->find(user_id);
  return user == nullptr ? std::vector<std::string>() : user->locations;
}

std::vector<std::string> CapabilityResolver::sources_of(std::string_view user_id,
                                                        std::string_view capability) const {
  std::vector<std::string> out;
  if (const User* user = index_->find(user_id)) {
    for (const Grant* grant : named_grants(*user, capability)) out.push_back(*grant->source);
  }
  return out;
}

namespace {

/// The best that any of the grants says, and which grant says it.
struct BestVerdict {
  GrantVerdict verdict{GrantVerdict::Kind::kUnknownParameter, nullptr};
  const Grant* grant = nullptr;
};

template <typename Check>
BestVerdict best_of(std::span<const Grant* const> grants, Check check) {
  BestVerdict best;
  for (const Grant* grant : grants) {
    const GrantVerdict verdict = check(*grant);
    if (best.grant == nullptr || verdict.kind > best.verdict.kind) best = {verdict, grant};
    if (verdict.kind == GrantVerdict::Kind::kAccepted) break;
  }
  return best;
}

bool holds_all(const User& user, std::span<const std::string> required) {
  return std::all_of(required.begin(), required.end(),
                     [&](const std::string& name) { return !named_grants(user, name).empty(); });
}

Decision restricted_call(std::string_view user_id, std::string_view method, const BestVerdict& best,
                         const CallArguments& arguments) {
  const CompiledRestriction& restriction = *best.verdict.restriction;
  const std::string user = "User " + python_str(Json(user_id));
  const std::string call = "method " + python_str(Json(method));
  if (best.verdict.kind == GrantVerdict::Kind::kUnknownParameter) {
    return Decision::refuse(Reason::kUnknownParameter,
                            user + " capability is not defined properly. " + call +
                                " does not have a parameter " + restriction.parameter,
                            {*best.grant->source});
  }
  return Decision::refuse(Reason::kRestricted,
                          user + " can call " + call + " only with " + constraint_text(restriction) +
                              " but called with " + restriction.parameter + "=" +
                              python_str(*arguments.find(restriction.parameter)),
                          {*best.grant->source});
}

Decision restricted_topic(std::string_view user_id, std::string_view action, std::string_view topic,
                          const BestVerdict& best) {
  return Decision::refuse(Reason::kRestricted,
                          "User " + python_str(Json(user_id)) + " can " + std::string(action) +
                              " topics only with " + constraint_text(*best.verdict.restriction) +
                              " but the topic is " + python_str(Json(topic)),
                          {*best.grant->source});
}

}  // namespace

Decision CapabilityResolver::authorize_call(std::string_view user_id, std::string_view method,
                                            std::span<const std::string> required,
                                            const CallArguments& arguments) const {
  const User* user = index_->find(user_id);
  if (user == nullptr) return unknown_user(user_id);
  if (required.empty()) return Decision::allow(Reason::kUnprotected);
  if (!holds_all(*user, required)) {
    return missing_capability("method \"" + python_str(Json(method)) + "\"", required, *user);
  }
  for (const std::string& name : required) {
    const BestVerdict best =
        best_of(named_grants(*user, name), [&](const Grant& grant) { return check_call(grant, arguments); });
    if (best.verdict.kind != GrantVerdict::Kind::kAccepted)
      return restricted_call(user_id, method, best, arguments);
  }
  return Decision::allow(Reason::kAllowed);
}

Decision CapabilityResolver::authorize_topic(std::string_view user_id, std::string_view action,
                                             std::string_view topic,
                                             std::span<const std::string> required) const {
  const User* user = index_->find(user_id);
  if (user == nullptr) return unknown_user(user_id);
  if (required.empty()) return Decision::allow(Reason::kUnprotected);
  if (!holds_all(*user, required)) {
    return missing_capability("to " + std::string(action) + " topic \"" + python_str(Json(topic)) + "\"",
                              required, *user);
  }
  for (const std::string& name : required) {
    const BestVerdict best =
        best_of(named_grants(*user, name), [&](const Grant& grant) { return check_topic(grant, topic); });
    if (best.verdict.kind != GrantVerdict::Kind::kAccepted)
      return restricted_topic(user_id, action, topic, best);
  }
  return Decision::allow(Reason::kAllowed);
}

}  // namespace vipauth
