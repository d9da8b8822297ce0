#include <vipauth/administration.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <vipauth/authenticator.hpp>
#include <vipauth/capability_resolver.hpp>

#include "engine/policy_index.hpp"
#include "service/auth_service_parts.hpp"
#include "service/grant_cover.hpp"

namespace vipauth {
namespace {

/// Under this name VOLTTRON's agents know who offers these operations.
constexpr std::string_view kCallee = "platform.auth";

enum class Takes { kApprove, kModify };

/// The capabilities of which one is enough. What goes last is what a refusal names.
std::vector<std::string> capabilities_for(Takes takes) {
  if (takes == Takes::kModify) return {std::string(Administration::kModify)};
  return {std::string(Administration::kModify), std::string(Administration::kApprove)};
}

Error refused(const Decision& decision) {
  return Error{ErrorCode::kPermissionDenied, decision.message(), ""};
}

/// What one operation asks of the caller, now and under the lock of the file.
class Request {
 public:
  Request(Session& caller, std::string_view operation, Takes takes, Json::Object arguments)
      : caller_(caller), operation_(operation), takes_(takes), arguments_(std::move(arguments)) {}

  Result<void> check() const {
    const auto capabilities = capabilities_for(takes_);
    const Decision decision = caller_.authorize_operation({kCallee, operation_, arguments_}, capabilities);
    if (!decision) return refused(decision);
    return {};
  }

  /// The request and what it is given must outlive it.
  Behalf behalf(const Clock& clock, const LivePolicy& live) const {
    return {who_of_peer(caller_.user_id()),
            [this, &clock, &live](const Policy& before, const Policy& after, Behalf::Touches touches) {
              const auto snapshot = live.current().snapshot;
              return check_edit({before, after, snapshot->methods, touches, clock()});
            },
            kPeerPatience};
  }

 private:
  struct Edit {
    const Policy& before;
    const Policy& after;
    const MethodRegistry& registered;
    Behalf::Touches touches = Behalf::Touches::kRecords;
    Timestamp now;
  };

  /// A refusal that the file decides is reported, as one that the policy in force decides is.
  Result<void> check_edit(const Edit& edit) const {
    const auto decision = judge_edit(edit);
    if (!decision) return decision.error();
    if (*decision) return {};
    const auto capabilities = capabilities_for(takes_);
    caller_.report({.kind = Question::Kind::kCall,
                    .subject = operation_,
                    .callee = kCallee,
                    .arguments = &arguments_,
                    .one_of = capabilities},
                   *decision);
    return refused(*decision);
  }

  /// By the file, and not only by the policy in force, which may be older: who has lost a capability or a key
  /// a moment ago must not use it any more.
  Result<Decision> judge_edit(const Edit& edit) const {
    const auto& [before, after, registered, touches, now] = edit;
    const auto records = index_of(before);
    const auto active = std::make_shared<const Activity>(activity_at(*records, now));
    const auto authenticator = Authenticator::create(records, active);
    if (!authenticator) return authenticator.error();
    const Authentication standing = authenticator->reauthenticate(caller_.acceptance());
    if (!standing.decision) return standing.decision;
    if (standing.user_id != caller_.user_id()) {
      return Decision::refuse(Reason::kRevoked, "these credentials now belong to another user",
                              standing.source());
    }

    const auto resolver = CapabilityResolver::create(records, active);
    if (!resolver) return resolver.error();
    const auto holds = [&](std::string_view capability) {
      const std::array required{std::string(capability)};
      return resolver->authorize_call(caller_.user_id(), operation_, required, arguments_);
    };
    std::string_view by = Administration::kModify;
    if (const Decision modifies = holds(by); !modifies) {
      if (takes_ == Takes::kModify || touches == Behalf::Touches::kRecords) return modifies;
      by = Administration::kApprove;
      if (Decision approves = holds(by); !approves) return approves;
    }
    if (holds_all_of(*resolver, Administration::kModify)) return Decision::allow(Reason::kAllowed);
    const Json* peer = decided_peer();
    if (peer != nullptr && touches == Behalf::Touches::kRecords) {
      // The other arguments are the caller's own to choose.
      const CallArguments alone({{"user_id", *peer}});
      const std::array required{std::string(Administration::kModify)};
      if (Decision modifies = resolver->authorize_call(caller_.user_id(), operation_, required, alone);
          !modifies) {
        return modifies;
      }
    }
    auto bounded = check_keys_are_new(before, after);
    if (bounded && peer != nullptr) bounded = check_others_stay(before, after, peer->as_string());
    if (bounded) bounded = check_names_are_unregistered(before, after, registered);
    if (bounded) bounded = check_no_more_than_held(before, after, caller_.user_id(), now);
    if (bounded) return Decision::allow(Reason::kAllowed);
    if (bounded.error().code != ErrorCode::kPermissionDenied) return bounded.error();
    return Decision::refuse(Reason::kRestricted, bounded.error().message,
                            resolver->sources_of(caller_.user_id(), by));
  }

  /// The user_id that a decision about a peer is about; null where the operation is another one.
  const Json* decided_peer() const { return arguments_.find("user_id"); }

  /// Without a restriction: with one, a grant gives authority over what it names, and none over the rest.
  bool holds_all_of(const CapabilityResolver& resolver, std::string_view capability) const {
    const std::vector<HeldGrant> held = resolver.grants_of(caller_.user_id(), capability);
    return std::any_of(held.begin(), held.end(),
                       [](const HeldGrant& grant) { return grant.capability.restrictions.empty(); });
  }

  Session& caller_;
  std::string_view operation_;
  Takes takes_;
  CallArguments arguments_;
};

Json::Object arguments_of(std::string_view user_id) { return {{"user_id", Json(user_id)}}; }

Json::Object arguments_of(std::string_view user_id, const Approval& approval) {
  Json::Object out = arguments_of(user_id);
  out.push_back({"new_user_id", approval.user_id ? Json(*approval.user_id) : Json(user_id)});
  out.push_back({"any_address", Json(approval.any_address)});
  if (approval.identity) out.push_back({"identity", Json(*approval.identity)});
  if (approval.roles) out.push_back({"roles", Json::strings(*approval.roles)});
  if (approval.groups) out.push_back({"groups", Json::strings(*approval.groups)});
  if (approval.capabilities) out.push_back({"capabilities", *approval.capabilities});
  return out;
}

Result<void> check_size(std::string_view user_id, const Approval& approval) {
  if (Json(arguments_of(user_id, approval)).dump().size() <= Administration::kMaxApprovalBytes) return {};
  return Error{ErrorCode::kLimitExceeded,
               "what an approval says takes at most " + std::to_string(Administration::kMaxApprovalBytes) +
                   " bytes: approve the peer with less, and have its record changed then",
               ""};
}

Json::Object arguments_of(std::string_view identity, std::string_view method,
                          const std::vector<std::string>& capabilities) {
  return {{"identity", Json(identity)},
          {"method", Json(method)},
          {"authorizations", Json::strings(capabilities)}};
}

}  // namespace

Result<Authorization> Administration::approve_authorization(std::string_view user_id,
                                                            const Approval& approval) {
  const Request request(caller_, "approve_authorization", Takes::kApprove, arguments_of(user_id, approval));
  if (auto allowed = request.check(); !allowed) return allowed.error();
  if (auto bounded = check_size(user_id, approval); !bounded) return bounded.error();
  const AuthService::Parts parts = service_.parts();
  return parts.remote_peers.approve(user_id, approval,
                                    request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<Authorization> Administration::deny_authorization(std::string_view user_id) {
  const Request request(caller_, "deny_authorization", Takes::kApprove, arguments_of(user_id));
  if (auto allowed = request.check(); !allowed) return allowed.error();
  const AuthService::Parts parts = service_.parts();
  return parts.remote_peers.deny(user_id, request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<Authorization> Administration::delete_authorization(std::string_view user_id) {
  const Request request(caller_, "delete_authorization", Takes::kApprove, arguments_of(user_id));
  if (auto allowed = request.check(); !allowed) return allowed.error();
  const AuthService::Parts parts = service_.parts();
  return parts.delete_authorization(user_id, request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<Authorization> Administration::get_authorization(std::string_view user_id) {
  const Request request(caller_, "get_authorization", Takes::kApprove, arguments_of(user_id));
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.get_authorization(user_id);
}

Result<AuthorizationStatus> Administration::get_authorization_status(std::string_view user_id) {
  const Request request(caller_, "get_authorization_status", Takes::kApprove, arguments_of(user_id));
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.get_authorization_status(user_id);
}

Result<std::vector<Authorization>> Administration::get_pending_authorizations() {
  const Request request(caller_, "get_pending_authorizations", Takes::kApprove, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.get_pending_authorizations();
}

Result<std::vector<Authorization>> Administration::get_approved_authorizations() {
  const Request request(caller_, "get_approved_authorizations", Takes::kApprove, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.get_approved_authorizations();
}

Result<std::vector<Authorization>> Administration::get_denied_authorizations() {
  const Request request(caller_, "get_denied_authorizations", Takes::kApprove, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.get_denied_authorizations();
}

Result<Policy> Administration::read_auth_file() {
  const Request request(caller_, "auth_file.read", Takes::kModify, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  auto policy = service_.auth_file().load();
  if (!policy && policy.error().code == ErrorCode::kNotFound) return Policy();
  return policy;
}

Result<void> Administration::edit_auth_file(std::string_view operation, const AuthFile::Change& change) {
  const Request request(caller_, operation, Takes::kModify, {});
  if (auto allowed = request.check(); !allowed) return allowed;
  const AuthService::Parts parts = service_.parts();
  return parts.edit_policy(change, request.behalf(parts.options.clock, *parts.keeper.live()),
                           std::string(operation));
}

Result<void> Administration::update_user_capabilities(const Json& user_to_capabilities) {
  const Request request(caller_, "update_user_capabilities", Takes::kModify,
                        {{"user_to_capabilities", user_to_capabilities}});
  if (auto allowed = request.check(); !allowed) return allowed;
  const AuthService::Parts parts = service_.parts();
  return parts.update_user_capabilities(user_to_capabilities,
                                        request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<TopicRules> Administration::load_protected_topics() {
  const Request request(caller_, "load_protected_topics", Takes::kApprove, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  return service_.load_protected_topics();
}

Result<TopicDocument> Administration::read_protected_topics() {
  const Request request(caller_, "get_protected_topics", Takes::kApprove, {});
  if (auto allowed = request.check(); !allowed) return allowed.error();
  const AuthService::Parts parts = service_.parts();
  auto document = parts.topics_file.load_document();
  if (!document && document.error().code == ErrorCode::kNotFound) return TopicDocument();
  return document;
}

Result<void> Administration::update_protected_topics(const Json& rules, const std::optional<Json>& expected) {
  const Request request(caller_, "update_protected_topics", Takes::kModify, {{"rules", rules}});
  if (auto allowed = request.check(); !allowed) return allowed;
  const AuthService::Parts parts = service_.parts();
  return parts.update_protected_topics(rules, expected,
                                       request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<void> Administration::add_rpc_authorizations(std::string_view identity, std::string_view method,
                                                    const std::vector<std::string>& capabilities) {
  const Request request(caller_, "add_rpc_authorizations", Takes::kModify,
                        arguments_of(identity, method, capabilities));
  if (auto allowed = request.check(); !allowed) return allowed;
  const AuthService::Parts parts = service_.parts();
  return parts.add_rpc_authorizations(identity, method, capabilities,
                                      request.behalf(parts.options.clock, *parts.keeper.live()));
}

Result<void> Administration::remove_rpc_authorizations(std::string_view identity, std::string_view method,
                                                       const std::vector<std::string>& capabilities) {
  const Request request(caller_, "remove_rpc_authorizations", Takes::kModify,
                        arguments_of(identity, method, capabilities));
  if (auto allowed = request.check(); !allowed) return allowed;
  const AuthService::Parts parts = service_.parts();
  return parts.remove_rpc_authorizations(identity, method, capabilities,
                                         request.behalf(parts.options.clock, *parts.keeper.live()));
}

}  // namespace vipauth
