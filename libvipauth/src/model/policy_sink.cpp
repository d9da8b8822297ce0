#include <vipauth/policy_sink.hpp>

namespace vipauth {

void read_parts(const Policy& policy, PolicySink& sink) {
  for (const Policy::Entry& entry : policy.allow()) sink.on_allow(entry);
  for (const Policy::Entry& entry : policy.deny()) sink.on_deny(entry);
  for (const Policy::Role& role : policy.roles()) sink.on_role(role);
  for (const Policy::Group& group : policy.groups()) sink.on_group(group);
}

}  // namespace vipauth
