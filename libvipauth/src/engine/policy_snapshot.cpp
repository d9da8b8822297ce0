#include <vipauth/policy_snapshot.hpp>

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

Decision PolicySnapshot::authorize_publish(std::string_view user_id, std::string_view topic) const {
  return loaded ? topics.authorize_publish(capabilities, user_id, topic) : no_policy();
}

Decision PolicySnapshot::authorize_receive(std::string_view user_id, std::string_view topic) const {
  return loaded ? topics.authorize_receive(capabilities, user_id, topic) : no_policy();
}

}  // namespace vipauth
