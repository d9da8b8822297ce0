#include <vipauth/policy_sink.hpp>

#include "model/policy_parts.hpp"

namespace vipauth {

void hand_over_allow(const Policy::Entry& entry, PolicySink& sink) {
  entry.record ? sink.on_allow(*entry.record) : sink.on_unreadable_allow(entry.source, entry.record.error());
}

void hand_over_deny(const Policy::Entry& entry, PolicySink& sink) {
  entry.record ? sink.on_deny(*entry.record) : sink.on_unreadable_deny(entry.source, entry.record.error());
}

void read_parts(const Policy& policy, PolicySink& sink) {
  for (const Policy::Entry& entry : policy.allow()) hand_over_allow(entry, sink);
  for (const Policy::Entry& entry : policy.deny()) hand_over_deny(entry, sink);
  for (const Policy::Role& role : policy.roles()) sink.on_role(role);
  for (const Policy::Group& group : policy.groups()) sink.on_group(group);
}

}  // namespace vipauth
