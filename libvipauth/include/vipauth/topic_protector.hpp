#pragma once

#include <memory>
#include <string_view>

#include <vipauth/capability_resolver.hpp>
#include <vipauth/decision.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

/// Decides who may publish to a topic, and who may receive from it.
///
/// Every rule that covers a topic must be satisfied: adding a rule never opens anything (semantics 6).
/// Which rules cover a topic is remembered, by each thread for itself, in up to 512 KiB: of a topic seen
/// before no pattern is tried, no lock taken, and nothing allocated on allowing. Immutable; copies share
/// state; const members may be called from any thread.
class TopicProtector {
 public:
  /// No rules: nothing is protected.
  VIPAUTH_EXPORT TopicProtector();
  VIPAUTH_EXPORT explicit TopicProtector(TopicRules rules);
  /// For when rules exist but cannot be read, and there are no earlier ones: refuses every topic.
  VIPAUTH_EXPORT static TopicProtector refuse_all();

  /// Refuses unknown users, topics that are not UTF-8 or hold a control character, and users who lack a
  /// capability of a covering write-protect rule.
  VIPAUTH_EXPORT Decision authorize_publish(const CapabilityResolver& capabilities, const UserRef& user,
                                            std::string_view topic) const;
  Decision authorize_publish(const CapabilityResolver& capabilities, std::string_view user_id,
                             std::string_view topic) const {
    return authorize_publish(capabilities, capabilities.find(user_id), topic);
  }
  /// The same against the read-protect rules, per message and subscriber.
  VIPAUTH_EXPORT Decision authorize_receive(const CapabilityResolver& capabilities, const UserRef& user,
                                            std::string_view topic) const;
  Decision authorize_receive(const CapabilityResolver& capabilities, std::string_view user_id,
                             std::string_view topic) const {
    return authorize_receive(capabilities, capabilities.find(user_id), topic);
  }

 private:
  struct Index;
  explicit TopicProtector(std::shared_ptr<const Index> index);
  std::shared_ptr<const Index> index_;
};

}  // namespace vipauth
