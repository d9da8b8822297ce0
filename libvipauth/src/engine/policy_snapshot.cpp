#include <vipauth/policy_snapshot.hpp>

#include <utility>

#include <vipauth/python_repr.hpp>

#include "engine/policy_index.hpp"

namespace vipauth {
namespace {

Decision no_policy() { return Decision::refuse(Reason::kNoPolicy, "no policy could be loaded yet"); }

}  // namespace

Result<PolicySnapshot> PolicySnapshot::compile(std::shared_ptr<const PolicyIndex> records,
                                               TopicProtector topics, Timestamp now, IpcTrust ipc_trust) {
  auto active = std::make_shared<const Activity>(activity_at(*records, now));
  auto authenticator = Authenticator::create(records, active, ipc_trust);
  if (!authenticator) return authenticator.error();
  auto capabilities = CapabilityResolver::create(records, active, ipc_trust);
  if (!capabilities) return capabilities.error();
  return PolicySnapshot{*std::move(authenticator),
                        *std::move(capabilities),
                        MethodRegistry::create(records),
                        IdentityRegistry(records),
                        std::move(topics),
                        true,
                        records,
                        active};
}

Result<PolicySnapshot> PolicySnapshot::compile(const Policy& policy, TopicProtector topics, Timestamp now,
                                               IpcTrust ipc_trust) {
  return compile(index_of(policy), std::move(topics), now, ipc_trust);
}

Result<PolicySnapshot> PolicySnapshot::compile_parts(
    const std::function<Result<void>(const std::function<PolicySink&()>& make_sink)>& load,
    TopicProtector topics, Timestamp now, IpcTrust ipc_trust) {
  std::optional<PolicyIndexBuilder> builder;
  const auto loaded = load([&]() -> PolicySink& { return builder.emplace(); });
  if (!loaded) return loaded.error();
  return compile(builder ? std::move(*builder).finish() : index_of(Policy()), std::move(topics), now,
                 ipc_trust);
}

Result<PolicySnapshot> PolicySnapshot::compile_again(TopicProtector topics_then, Timestamp now,
                                                     IpcTrust ipc_trust) const {
  if (!records) return Error{ErrorCode::kInvalidArgument, "this policy was not compiled of records", ""};
  auto next = compile(records, std::move(topics_then), now, ipc_trust);
  if (next) next->methods = methods;
  return next;
}

Decision PolicySnapshot::authorize_call(const UserRef& user, const CallRequest& call) const {
  if (!loaded) return no_policy();
  if (!is_valid_utf8(call.callee) || !is_valid_utf8(call.method)) {
    return Decision::refuse(Reason::kMalformed, "the name of the callee or method is not valid UTF-8");
  }
  const auto required = methods.required(call.callee, call.method);
  if (!required) {
    return Decision::refuse(
        Reason::kIllTyped,
        "what the methods of the callee require cannot be read: " + required.error().message,
        {required.error().location});
  }
  return capabilities.authorize_call(user, call.method, *required, call.arguments);
}

Result<CallArguments> PolicySnapshot::bind(const UnboundCall& call) const {
  const auto params = split_params(call.params);
  if (!params) return params.error();
  const DeclaredMethod* declared = methods.find_declared(call.callee, call.method);
  if (declared != nullptr && declared->parameters) {
    return bind_arguments(*declared->parameters, params->positional, params->named);
  }
  if (!params->positional.empty()) {
    return Error{ErrorCode::kNotFound,
                 "the parameters of the method are not known here: give the arguments by name", ""};
  }
  return CallArguments(params->named);
}

Decision PolicySnapshot::authorize_call(const UserRef& user, const UnboundCall& call) const {
  static const CallArguments kNone;
  const auto bound = bind(call);
  if (bound) return authorize_call(user, CallRequest{call.callee, call.method, *bound});
  const CallRequest unbound{call.callee, call.method, kNone};
  Decision decision = authorize_call(user, unbound);
  // Who is allowed without any argument holds everything without a restriction on one.
  if (decision && bound.error().code == ErrorCode::kNotFound) return decision;
  const bool is_about_arguments = decision.allowed() ? decision.reason() != Reason::kUnprotected
                                                     : decision.reason() == Reason::kRestricted ||
                                                           decision.reason() == Reason::kUnknownParameter;
  if (!is_about_arguments) return decision;
  return Decision::refuse(Reason::kMalformed,
                          "method " + python_repr(Json(call.method)) + ": " + bound.error().message);
}

Decision PolicySnapshot::authorize_operation(const UserRef& user, const CallRequest& call,
                                             std::span<const std::string> one_of) const {
  if (!loaded) return no_policy();
  Decision decision;
  for (std::size_t i = 0; i < one_of.size() && !decision; ++i) {
    decision = capabilities.authorize_call(user, call.method, one_of.subspan(i, 1), call.arguments);
  }
  return decision;
}

Decision PolicySnapshot::authorize_publish(const UserRef& user, std::string_view topic) const {
  return loaded ? topics.authorize_publish(capabilities, user, topic) : no_policy();
}

Decision PolicySnapshot::authorize_receive(const UserRef& user, std::string_view topic) const {
  return loaded ? topics.authorize_receive(capabilities, user, topic) : no_policy();
}

}  // namespace vipauth
