#pragma once

#include <vipauth/policy.hpp>

namespace vipauth {

/// Takes the parts of an auth.json one by one: of a file that is too large to be in memory as a Policy.
/// Records of a list come in its order; lists, roles and groups come in any order.
class PolicySink {
 public:
  PolicySink() = default;
  PolicySink(const PolicySink&) = delete;
  PolicySink& operator=(const PolicySink&) = delete;
  virtual ~PolicySink() = default;

  virtual void on_allow(const AuthRecord& record) = 0;
  virtual void on_deny(const AuthRecord& record) = 0;
  /// Records that are not understood: as they were written, and why.
  virtual void on_unreadable_allow(const Json& source, const Error& problem) = 0;
  virtual void on_unreadable_deny(const Json& source, const Error& problem) = 0;
  virtual void on_role(const Policy::Role& role) = 0;
  virtual void on_group(const Policy::Group& group) = 0;
};

/// Hands over everything in a policy.
VIPAUTH_EXPORT void read_parts(const Policy& policy, PolicySink& sink);

}  // namespace vipauth
