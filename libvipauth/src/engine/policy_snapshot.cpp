#include <vipauth/policy_snapshot.hpp>

#include <vipauth/python_repr.hpp>

namespace vipauth {
namespace {

Decision no_policy() { return Decision::refuse(Reason::kNoPolicy, "no policy could be loaded yet"); }

}  // namespace

Result<PolicySnapshot> PolicySnapshot::compile(const Policy& policy, TopicProtector topics, Timestamp now,
                                               IpcTrust ipc_trust) {
  auto authenticator = Authenticator::create(policy, now, ipc_trust);
  if (!authenticator) return authenticator.error();
  auto capabilities = CapabilityResolver::create(policy, now, ipc_trust);
  if (!capabilities) return capabilities.error();
  return PolicySnapshot{
      std::move(*authenticator),        std::move(*capabilities), MethodRegistry::create(policy),
      IdentityRegistry::create(policy), std::move(topics),        true};
}

Decision PolicySnapshot::authorize_call(std::string_view user_id, const CallRequest& call) const {
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
  return capabilities.authorize_call(user_id, call.method, *required, call.arguments);
}

Result<CallArguments> PolicySnapshot::bind(const UnboundCall& call) const {
  static const Json kNoPositional{Json::Array()};
  static const Json kNoNamed{Json::Object()};
  const Json* positional = &kNoPositional;
  const Json* named = &kNoNamed;
  if (call.params.is_array()) {
    positional = &call.params;
  } else if (call.params.find("*args") != nullptr || call.params.find("**kwargs") != nullptr) {
    // Nothing else may stand beside them: what the callee would make of it is not known.
    const Json* args = call.params.find("*args");
    const Json* kwargs = call.params.find("**kwargs");
    const std::size_t known = (args != nullptr ? 1U : 0U) + (kwargs != nullptr ? 1U : 0U);
    if ((args != nullptr && !args->is_array()) || (kwargs != nullptr && !kwargs->is_object()) ||
        call.params.as_object().size() != known) {
      return Error{ErrorCode::kInvalidArgument, R"(must be {"*args": [...], "**kwargs": {...}})", ""};
    }
    if (args != nullptr) positional = args;
    if (kwargs != nullptr) named = kwargs;
  } else if (call.params.is_object()) {
    named = &call.params;
  } else if (!call.params.is_null()) {
    return Error{ErrorCode::kInvalidArgument, "arguments must be a list or an object", ""};
  }

  const DeclaredMethod* declared = methods.find_declared(call.callee, call.method);
  if (declared != nullptr && declared->parameters) {
    return bind_arguments(*declared->parameters, positional->as_array(), named->as_object());
  }
  if (!positional->as_array().empty()) {
    return Error{ErrorCode::kNotFound,
                 "the parameters of the method are not known here: give the arguments by name", ""};
  }
  return CallArguments(named->as_object());
}

Decision PolicySnapshot::authorize_call(std::string_view user_id, const UnboundCall& call) const {
  static const CallArguments kNone;
  const auto bound = bind(call);
  if (bound) return authorize_call(user_id, CallRequest{call.callee, call.method, *bound});
  const CallRequest unbound{call.callee, call.method, kNone};
  Decision decision = authorize_call(user_id, unbound);
  const bool is_about_arguments = decision.allowed() ? decision.reason() != Reason::kUnprotected
                                                     : decision.reason() == Reason::kRestricted ||
                                                           decision.reason() == Reason::kUnknownParameter;
  if (!is_about_arguments) return decision;
  return Decision::refuse(Reason::kMalformed,
                          "method " + python_repr(Json(call.method)) + ": " + bound.error().message);
}

Decision PolicySnapshot::authorize_operation(std::string_view user_id, const CallRequest& call,
                                             std::span<const std::string> one_of) const {
  if (!loaded) return no_policy();
  Decision decision;
  for (std::size_t i = 0; i < one_of.size() && !decision; ++i) {
    decision = capabilities.authorize_call(user_id, call.method, one_of.subspan(i, 1), call.arguments);
  }
  return decision;
}

Decision PolicySnapshot::authorize_publish(std::string_view user_id, std::string_view topic) const {
  return loaded ? topics.authorize_publish(capabilities, user_id, topic) : no_policy();
}

Decision PolicySnapshot::authorize_receive(std::string_view user_id, std::string_view topic) const {
  return loaded ? topics.authorize_receive(capabilities, user_id, topic) : no_policy();
}

}  // namespace vipauth
