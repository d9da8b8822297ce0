#pragma once

#include <memory>
#include <string_view>

#include <vipauth/decision.hpp>
#include <vipauth/policy.hpp>

namespace vipauth {

class PolicyIndex;

/// Decides who may speak under which VIP identity (semantics 7).
///
/// Immutable; copies share state; const members may be called from any thread.
class IdentityRegistry {
 public:
  VIPAUTH_EXPORT static IdentityRegistry create(const Policy& policy);

  /// True for the names that belong to the platform itself ("platform", "control", "pubsub", ...).
  VIPAUTH_EXPORT static bool is_platform_name(std::string_view name) noexcept;

  /// Refuses `claimed` where it is not a name (empty, `/`, control characters, not UTF-8, more than 255
  /// bytes); where the record
  /// that let the user in gives another identity (`permitted`, empty for none); where it is the identity or
  /// user_id of another user's record; and where it is the platform's own, and no record gives it to this
  /// user.
  VIPAUTH_EXPORT Decision verify(std::string_view user_id, std::string_view permitted,
                                 std::string_view claimed) const;

  /// True where `name` is the user_id, or the identity in a record, of this user alone.
  VIPAUTH_EXPORT bool belongs_to(std::string_view name, std::string_view user_id) const;

 private:
  friend struct PolicySnapshot;
  explicit IdentityRegistry(std::shared_ptr<const PolicyIndex> records);
  std::shared_ptr<const PolicyIndex> records_;
};

}  // namespace vipauth
