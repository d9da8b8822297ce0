#pragma once

#include <optional>
#include <string>
#include <vector>

#include <vipauth/capability.hpp>
#include <vipauth/capability_resolver.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>
#include <vipauth/method_registry.hpp>
#include <vipauth/policy.hpp>
#include <vipauth/result.hpp>
#include <vipauth/topic_rules.hpp>

namespace vipauth {

/// What two policies decide differently, whatever their files look like.
///
/// Roles and groups are resolved, and records that are not active do not count. The order of records does
/// where the first that matches decides: see Order. Every other list is sorted.
struct PolicyDifference {
  /// Whom an active record lets in, or keeps out.
  struct Peer {
    std::string user_id;
    Mechanism mechanism = Mechanism::kCurve;
    Json domain;                ///< as the record has it: null, a pattern, or a list of them
    Json address;               ///< the same
    std::string credentials;    ///< CURVE: the key as base64url, or the pattern. Never a password or its hash
    std::string identity = {};  ///< of allow records: the VIP identity that it may use
    std::optional<Timestamp> not_before = {};
    std::optional<Timestamp> not_after = {};
    friend bool operator==(const Peer&, const Peer&) = default;
  };
  /// What a user who is in both policies, or in one, holds in one of them alone.
  struct User {
    std::string user_id;
    std::vector<Capability> gained;  ///< of `after` alone; restrictions with names filled in
    std::vector<Capability> lost;    ///< of `before` alone
  };
  /// Allow records of both policies that one peer might match alike (all patterns, all of NULL, those of one
  /// key or of one user's passwords), in another order: from the first that differs to the last.
  struct Order {
    std::vector<Peer> before;
    std::vector<Peer> after;
  };
  struct Method {
    std::string identity;
    std::string method;
    std::optional<std::vector<std::string>> before;  ///< nothing: not listed, so that nothing is required
    std::optional<std::vector<std::string>> after;
  };

  std::vector<std::string> users_gained;
  std::vector<std::string> users_lost;
  std::vector<User> users;         ///< those whose grants differ; a new user's grants are all gained
  std::vector<Peer> peers_gained;  ///< allow records
  std::vector<Peer> peers_lost;
  std::vector<Peer> denied_gained;  ///< deny records
  std::vector<Peer> denied_lost;
  std::vector<Order> orders;
  std::vector<Method> methods;
  std::vector<std::string> unreadable_gained;  ///< identities all of whose methods are refused now
  std::vector<std::string> unreadable_lost;

  VIPAUTH_EXPORT bool empty() const noexcept;
};

/// Who holds other grants in one of two policies. Sorted.
struct CapabilityChanges {
  std::vector<std::string> users_gained;
  std::vector<std::string> users_lost;
  std::vector<PolicyDifference::User> users;  ///< those whose grants differ; a new user's are all gained

  bool empty() const noexcept { return users_gained.empty() && users_lost.empty() && users.empty(); }
};

/// What two sets of topic rules protect differently. Sorted.
struct TopicRulesDifference {
  struct Rule {
    bool is_read = false;                   ///< of read-protect
    std::string topic;                      ///< as it was written
    std::vector<std::string> capabilities;  ///< sorted, each once
  };

  std::vector<Rule> gained;
  std::vector<Rule> lost;

  bool empty() const noexcept { return gained.empty() && lost.empty(); }
};

/// Compares two policies as they stand at `now`, in a time that grows as their sizes.
/// \return kInvalidArgument  a deny record that is not understood: such a policy is never in force. `location`
///                           begins with "before" or "after"
/// \return what CapabilityResolver::create returns of the users that differ
VIPAUTH_EXPORT Result<PolicyDifference> compare(const Policy& before, const Policy& after, Timestamp now);

/// Takes no time where one was made of the other and no grant was touched; else it grows as their sizes.
VIPAUTH_EXPORT CapabilityChanges compare(const CapabilityResolver& before, const CapabilityResolver& after);

VIPAUTH_EXPORT TopicRulesDifference compare(const TopicRules& before, const TopicRules& after);

}  // namespace vipauth
