#include <vipauth/session.hpp>

#include <vipauth/python_repr.hpp>

namespace vipauth {

Session::Session(std::shared_ptr<const LivePolicy> policy, Acceptance acceptance,
                 std::shared_ptr<DecisionObserver> observer)
    : policy_(std::move(policy)),
      observer_(std::move(observer)),
      acceptance_(std::make_shared<const Acceptance>(std::move(acceptance))) {
  judge();
}

void Session::judge() {
  judged_ = policy_->current();
  const auto revoked = [&](const std::string& why, std::vector<std::string> source) {
    standing_ =
        Decision::refuse(Reason::kRevoked,
                         "user " + python_repr(Json(acceptance_->user_id)) + " is no longer accepted: " + why,
                         std::move(source));
  };
  identity_.clear();
  if (!judged_.snapshot->loaded) return revoked("no policy could be loaded yet", {});
  const Authentication now = judged_.snapshot->authenticator.reauthenticate(*acceptance_);
  if (!now.decision) return revoked(now.decision.message(), now.source());
  if (now.user_id != acceptance_->user_id) {
    return revoked("these credentials now belong to another user", now.source());
  }
  identity_ = now.identity;
  user_ = judged_.snapshot->capabilities.find(acceptance_->user_id);
  standing_ = Decision::allow(Reason::kAccepted);
}

bool Session::stands() {
  if (policy_->generation() != judged_.generation) judge();
  return standing_.allowed();
}

Decision Session::check() {
  stands();
  return standing_;
}

template <typename Ask>
Decision Session::decide(const Question& question, Ask ask) {
  Decision decision = stands() ? ask(*judged_.snapshot) : standing_;
  report(question, decision);
  return decision;
}

void Session::report(const Question& question, const Decision& decision) const {
  if (observer_) observer_->on_decision(*this, question, decision);
}

Decision Session::verify_sender(std::string_view vip_identity) {
  return decide({.kind = Question::Kind::kSender, .subject = vip_identity},
                [&](const PolicySnapshot& policy) {
                  return policy.identities.verify(acceptance_->user_id, identity_, vip_identity);
                });
}

Decision Session::authorize_call(const CallRequest& call) {
  const Question question{.kind = Question::Kind::kCall,
                          .subject = call.method,
                          .callee = call.callee,
                          .arguments = &call.arguments};
  return decide(question, [&](const PolicySnapshot& policy) { return policy.authorize_call(*user_, call); });
}

Decision Session::authorize_call(const UnboundCall& call) {
  // Bound and decided by one policy, whatever has come in force meanwhile.
  const bool is_standing = stands();
  const PolicySnapshot& policy = *judged_.snapshot;
  const auto bound = is_standing ? policy.bind(call) : CallArguments();
  const Question question{.kind = Question::Kind::kCall,
                          .subject = call.method,
                          .callee = call.callee,
                          .arguments = bound ? &*bound : nullptr};
  Decision decision = !is_standing ? standing_
                      : bound ? policy.authorize_call(*user_, CallRequest{call.callee, call.method, *bound})
                              : policy.authorize_call(*user_, call);
  report(question, decision);
  return decision;
}

Decision Session::authorize_operation(const CallRequest& call, std::span<const std::string> capabilities) {
  const Question question{.kind = Question::Kind::kCall,
                          .subject = call.method,
                          .callee = call.callee,
                          .arguments = &call.arguments,
                          .one_of = capabilities};
  return decide(question, [&](const PolicySnapshot& policy) {
    return policy.authorize_operation(*user_, call, capabilities);
  });
}

Decision Session::authorize_publish(std::string_view topic) {
  return decide({.kind = Question::Kind::kPublish, .subject = topic},
                [&](const PolicySnapshot& policy) { return policy.authorize_publish(*user_, topic); });
}

Decision Session::authorize_receive(std::string_view topic) {
  return decide({.kind = Question::Kind::kReceive, .subject = topic},
                [&](const PolicySnapshot& policy) { return policy.authorize_receive(*user_, topic); });
}

}  // namespace vipauth
