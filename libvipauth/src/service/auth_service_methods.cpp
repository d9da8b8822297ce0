// What the methods of agents require: the part of AuthService that agents themselves use.

#include <algorithm>
#include <utility>

#include <vipauth/auth_service.hpp>
#include <vipauth/identity_registry.hpp>
#include <vipauth/python_repr.hpp>

#include "service/auth_service_parts.hpp"

namespace vipauth {
namespace {

/// Most methods that a message tells.
constexpr std::size_t kMaxTold = 20;

Result<void> check_not_platform(std::string_view identity) {
  if (!IdentityRegistry::is_platform_name(identity)) return {};
  return Error{
      ErrorCode::kConflict,
      "\"" + std::string(identity) + "\" is the platform itself: what its methods require is not for change",
      ""};
}

/// An agent that has registered has no other methods than it said, or its records list.
Result<void> check_method_exists(const MethodRegistry& methods, std::string_view identity,
                                 std::string_view method) {
  if (methods.declaration(identity) == nullptr) return {};
  std::vector<std::string> names;
  for (MethodRequirement& requirement : methods.requirements(identity)) {
    if (requirement.method == method) return {};
    names.push_back(std::move(requirement.method));
  }
  const std::size_t rest = names.size() > kMaxTold ? names.size() - kMaxTold : 0;
  names.resize(names.size() - rest);
  return Error{ErrorCode::kNotFound,
               "the agent \"" + std::string(identity) + "\" has no method \"" + std::string(method) +
                   "\": it has " + python_repr(names) +
                   (rest == 0 ? "" : " and " + std::to_string(rest) + " more"),
               ""};
}

/// What callers of the declared methods need. An identity whose records cannot be read has none to tell:
/// every call to it is refused.
std::vector<MethodRequirement> requirements_of(const MethodRegistry& registry, std::string_view identity,
                                               const std::vector<DeclaredMethod>& methods) {
  std::vector<MethodRequirement> out;
  for (const DeclaredMethod& method : methods) {
    const auto names = registry.required(identity, method.name);
    if (!names) continue;
    out.push_back({std::string(identity), method.name, {names->begin(), names->end()}});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.method < b.method; });
  return out;
}

/// The embedder itself, whom no name stands for, has no bound.
bool may_change(RegistrationBrake& brake, std::string_view owner) {
  return owner.empty() || brake.take(owner);
}

Error too_often() {
  return Error{
      ErrorCode::kBusy,
      "this user changes what its methods require too often: " + std::to_string(RegistrationBrake::kAtOnce) +
          " changes at once, and one every " + std::to_string(RegistrationBrake::kInterval.count()) +
          " seconds then; register all methods at once, or try again later",
      ""};
}

/// A name that no record gives to anybody belongs to the agent that declared its methods first.
Result<void> check_declares_its_own(const PolicySnapshot& policy, std::string_view identity,
                                    std::string_view owner) {
  const std::string* present = policy.methods.declared_by(identity);
  if (owner.empty() || present == nullptr || *present == owner) return {};
  if (policy.identities.belongs_to(identity, owner)) return {};
  return Error{ErrorCode::kConflict,
               "another agent has registered as \"" + std::string(identity) +
                   "\": give that identity to the record of the agent that it belongs to",
               ""};
}

/// As Policy::declare_rpc_authorizations says it, without reading the file.
Error too_many(std::string_view identity) {
  return Error{ErrorCode::kLimitExceeded,
               "the records of \"" + std::string(identity) + "\" would list more than " +
                   std::to_string(DeclarationLimits::kMaxMethods) + " methods",
               ""};
}

}  // namespace

Result<void> AuthService::Parts::write_down(std::string_view identity,
                                            const std::vector<DeclaredMethod>& methods,
                                            std::string_view owner) const {
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  lists.reserve(methods.size());
  for (const DeclaredMethod& method : methods) lists.emplace_back(method.name, method.capabilities);
  const EditOptions edit_options{.patience = kPeerPatience,
                                 .note = {.who = owner.empty() ? options.edit_note.who : who_of_peer(owner),
                                          .command = "register_methods",
                                          .is_automatic = true}};
  return edit_policy(
      [&](Policy& policy) {
        return policy.declare_rpc_authorizations(identity, lists, DeclarationLimits::kMaxMethods);
      },
      edit_options);
}

Result<MethodRegistration> AuthService::Parts::register_methods(std::string_view identity,
                                                                std::vector<DeclaredMethod> methods,
                                                                std::string_view owner) const {
  if (identity.empty() || identity.size() > DeclarationLimits::kMaxNameBytes || !is_valid_utf8(identity)) {
    return Error{ErrorCode::kInvalidArgument, "a VIP identity is a name of at most 255 bytes", ""};
  }
  auto checked = check_declaration(std::move(methods));
  if (!checked) return checked.error();

  // In force first, and written down then: what the code declares counts whatever becomes of the file.
  const auto changed = keeper.declare([&](const PolicySnapshot& policy) -> Result<MethodRegistry> {
    if (auto own = check_declares_its_own(policy, identity, owner); !own) return own.error();
    const MethodRegistry& registry = policy.methods;
    auto next = registry.declare(identity, *checked, owner);
    const bool is_change = next && !next->has_same_declarations(registry);
    if (is_change && !may_change(registration_brake, owner)) return too_often();
    return next;
  });
  if (!changed) return changed.error();
  if (*changed) announce(**changed);

  MethodRegistration out;
  const auto in_force = [&] { return keeper.live()->current().snapshot; };
  if (const auto live = in_force(); live->methods.lacks_declaration(identity)) {
    if (live->methods.requirements(identity).size() > DeclarationLimits::kMaxMethods) {
      out.problem = too_many(identity);
    } else if (!*changed && !may_change(registration_brake, owner)) {
      return too_often();
    } else if (auto stored = write_down(identity, *checked, owner); !stored) {
      out.problem = stored.error();
    }
  }
  const std::string problem = out.problem ? out.problem->to_string() : std::string();
  if (registration_brake.is_news(identity, problem)) {
    log(LogLevel::kWarning,
        "what the methods of " + python_repr(Json(identity)) + " require is not written down: " + problem);
  }
  const auto snapshot = in_force();
  out.stored = snapshot->methods.knows(identity) && !out.problem;
  out.requirements = requirements_of(snapshot->methods, identity, *checked);
  return out;
}

Result<MethodRegistration> AuthService::register_methods(std::string_view identity,
                                                         std::vector<DeclaredMethod> methods) {
  return parts().register_methods(identity, std::move(methods), {});
}

Result<MethodRegistration> AuthService::register_methods(Session& session, std::string_view identity,
                                                         std::vector<DeclaredMethod> methods) {
  if (const Decision sender = session.verify_sender(identity); !sender) {
    return Error{ErrorCode::kPermissionDenied, sender.message(), ""};
  }
  return parts().register_methods(identity, std::move(methods), session.user_id());
}

void AuthService::forget_methods(std::string_view identity) {
  const Parts own = parts();
  const auto changed = own.keeper.declare([&](const PolicySnapshot& policy) -> Result<MethodRegistry> {
    return policy.methods.forget(identity);
  });
  if (changed && *changed) own.announce(**changed);
}

Result<void> AuthService::Parts::add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                        const std::vector<std::string>& capabilities,
                                                        const Behalf& behalf) const {
  if (auto allowed = check_not_platform(identity); !allowed) return allowed;
  const auto snapshot = keeper.live()->current().snapshot;
  if (auto exists = check_method_exists(snapshot->methods, identity, method); !exists) return exists;
  return edit_policy(
      [&](Policy& policy) { return policy.add_rpc_authorizations(identity, method, capabilities); }, behalf,
      "rpc add");
}

Result<void> AuthService::Parts::remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                           const std::vector<std::string>& capabilities,
                                                           const Behalf& behalf) const {
  if (auto allowed = check_not_platform(identity); !allowed) return allowed;
  return edit_policy(
      [&](Policy& policy) { return policy.remove_rpc_authorizations(identity, method, capabilities); },
      behalf, "rpc remove");
}

Result<void> AuthService::add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                 const std::vector<std::string>& capabilities) {
  return parts().add_rpc_authorizations(identity, method, capabilities, {});
}

Result<void> AuthService::remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                    const std::vector<std::string>& capabilities) {
  return parts().remove_rpc_authorizations(identity, method, capabilities, {});
}

}  // namespace vipauth
