#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <vipauth/authenticator.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/decision_observer.hpp>
#include <vipauth/live_policy.hpp>

namespace vipauth {

/// One accepted peer of a bus, for as long as it is connected. Keep one per peer and ask everything through
/// it.
///
/// It remembers the policy it was judged under. When that has been replaced, it judges the peer again by who
/// it was when it was accepted; a peer that would no longer be accepted as the same user is revoked, and
/// everything it asks is refused, protected or not, until a later policy accepts it again. (libzmq cannot
/// close one peer of a ROUTER: a revoked peer keeps its connection and its routing id until it goes.) Not
/// thread-safe: one thread at a time. Source: semantics 7.
class Session {
 public:
  /// Judges the peer at once: ask check(), or just go on, for a revoked session refuses.
  /// \param observer  sees each decision but those of check(); may be null
  VIPAUTH_EXPORT Session(std::shared_ptr<const LivePolicy> policy, Acceptance acceptance,
                         std::shared_ptr<DecisionObserver> observer = nullptr);

  const std::string& user_id() const noexcept { return acceptance_->user_id; }
  const Acceptance& acceptance() const noexcept { return *acceptance_; }
  /// The VIP identity that the accepting record gives, or empty.
  const std::string& identity() const noexcept { return identity_; }

  /// Judges again where the policy has moved. Allowed while the acceptance stands; else kRevoked, with why.
  VIPAUTH_EXPORT Decision check();

  /// May the peer speak as `vip_identity`? Deliver nothing from or to a routing id before this has allowed
  /// it.
  VIPAUTH_EXPORT Decision verify_sender(std::string_view vip_identity);
  VIPAUTH_EXPORT Decision authorize_call(const CallRequest& call);
  /// The same of a call whose arguments are as they came: see PolicySnapshot.
  VIPAUTH_EXPORT Decision authorize_call(const UnboundCall& call);
  /// Does the peer hold one of `capabilities` for these arguments? For operations that the bus itself offers,
  /// whatever its records say of them; `callee` and `method` go to the observer and into the message.
  /// \param capabilities  at least one; a refusal speaks of the last
  VIPAUTH_EXPORT Decision authorize_operation(const CallRequest& call,
                                              std::span<const std::string> capabilities);
  VIPAUTH_EXPORT Decision authorize_publish(std::string_view topic);
  VIPAUTH_EXPORT Decision authorize_receive(std::string_view topic);

  /// Tells the observer what was decided elsewhere about a question of this peer.
  VIPAUTH_EXPORT void report(const Question& question, const Decision& decision) const;

 private:
  bool stands();
  void judge();
  template <typename Ask>
  Decision decide(const Question& question, Ask ask);

  std::shared_ptr<const LivePolicy> policy_;
  std::shared_ptr<DecisionObserver> observer_;
  LivePolicy::Version judged_;
  std::shared_ptr<const Acceptance> acceptance_;  // user_ looks at it
  std::optional<UserRef> user_;                   // of judged_
  std::string identity_;
  Decision standing_;
};

}  // namespace vipauth
