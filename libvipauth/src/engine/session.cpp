#include <vipauth/session.hpp>

#include <vipauth/python_repr.hpp>

namespace vipauth {

Session::Session(std::shared_ptr<const LivePolicy> policy, Acceptance acceptance)
    : policy_(std::move(policy)), acceptance_(std::move(acceptance)) {
  judge();
}

void Session::judge() {
  judged_ = policy_->current();
  const auto revoked = [&](const std::string& why, std::vector<std::string> source) {
    standing_ = Decision::refuse(
        Reason::kRevoked, "user " + python_repr(Json(acceptance_.user_id)) + " is no longer accepted: " + why,
        std::move(source));
  };
  identity_.clear();
  if (!judged_.snapshot->loaded) return revoked("no policy could be loaded yet", {});
  Authentication now = judged_.snapshot->authenticator.reauthenticate(acceptance_);
  if (!now.decision) return revoked(now.decision.message(), now.decision.source());
  if (now.acceptance.user_id != acceptance_.user_id) {
    return revoked("these credentials now belong to another user", now.decision.source());
  }
  identity_ = std::move(now.identity);
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

Decision Session::verify_sender(std::string_view vip_identity) {
  if (!stands()) return standing_;
  return judged_.snapshot->identities.verify(acceptance_.user_id, identity_, vip_identity);
}

Decision Session::authorize_call(const CallRequest& call) {
  if (!stands()) return standing_;
  return judged_.snapshot->authorize_call(acceptance_.user_id, call);
}

Decision Session::authorize_publish(std::string_view topic) {
  if (!stands()) return standing_;
  return judged_.snapshot->authorize_publish(acceptance_.user_id, topic);
}

Decision Session::authorize_receive(std::string_view topic) {
  if (!stands()) return standing_;
  return judged_.snapshot->authorize_receive(acceptance_.user_id, topic);
}

}  // namespace vipauth
