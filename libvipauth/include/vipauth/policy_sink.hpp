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

  virtual void on_allow(const Policy::Entry& entry) = 0;
  virtual void on_deny(const Policy::Entry& entry) = 0;
  virtual void on_role(const Policy::Role& role) = 0;
  virtual void on_group(const Policy::Group& group) = 0;
};

/// Hands over everything in a policy.
VIPAUTH_EXPORT void read_parts(const Policy& policy, PolicySink& sink);

}  // namespace vipauth
