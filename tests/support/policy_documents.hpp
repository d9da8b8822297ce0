#pragma once

#include <vipauth/json.hpp>
#include <vipauth/policy_document_sink.hpp>
#include <vipauth/result.hpp>

namespace vipauth::test {

/// As AuthFile::load_document of a file that holds this.
inline Result<void> hand_over(const Json& policy, PolicyDocumentSink& sink) {
  for (const Json::Member& member : policy.as_object()) {
    if (member.name == "allow") {
      for (const Json& record : member.value.as_array()) sink.on_allow(record);
    } else if (member.name == "deny") {
      for (const Json& record : member.value.as_array()) sink.on_deny(record);
    } else if (member.name == "roles") {
      for (const Json::Member& role : member.value.as_object()) sink.on_role(role.name, role.value);
    } else if (member.name == "groups") {
      for (const Json::Member& group : member.value.as_object()) sink.on_group(group.name, group.value);
    } else {
      sink.on_other(member.name, member.value);
    }
  }
  return {};
}

}  // namespace vipauth::test
