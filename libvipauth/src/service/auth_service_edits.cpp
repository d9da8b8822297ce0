// Capabilities and topics: the part of AuthService that edits what is written.

#include <algorithm>
#include <map>
#include <utility>

#include <vipauth/auth_service.hpp>
#include <vipauth/capability.hpp>
#include <vipauth/python_repr.hpp>
#include <vipauth/topic_document.hpp>

#include "service/auth_service_parts.hpp"

namespace vipauth {
namespace {

/// Gives every record of each user these capabilities, in the form in which they were given.
Result<void> set_capabilities(Policy& policy, const Json::Object& users) {
  std::map<std::string_view, std::vector<std::size_t>> records;
  for (const Json::Member& user : users) records.emplace(user.name, std::vector<std::size_t>());
  for (std::size_t i = 0; i < policy.allow().size(); ++i) {
    const auto& record = policy.allow()[i].record;
    if (!record) continue;
    if (const auto found = records.find(record->user_id); found != records.end()) found->second.push_back(i);
  }
  for (const Json::Member& user : users) {
    const std::vector<std::size_t>& indices = records.at(user.name);
    if (indices.empty()) {
      return Error{ErrorCode::kNotFound, "no record has the user_id " + python_repr(Json(user.name)), ""};
    }
    for (const std::size_t index : indices) {
      const Json* present = policy.allow()[index].source.find("capabilities");
      if (present != nullptr && *present == user.value) continue;
      if (auto done = policy.update_allow(index, Json::Object{{"capabilities", user.value}}); !done)
        return done;
    }
  }
  return {};
}

}  // namespace

Result<void> AuthService::Parts::update_user_capabilities(const Json& user_to_capabilities,
                                                          const Behalf& behalf) const {
  if (!user_to_capabilities.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "must map users to capabilities", ""};
  }
  for (const Json::Member& user : user_to_capabilities.as_object()) {
    if (const auto parsed = parse_capabilities(user.value); !parsed) {
      return parsed.error().at(json_pointer("", user.name));
    }
  }
  return edit_policy(
      [&](Policy& policy) { return set_capabilities(policy, user_to_capabilities.as_object()); }, behalf,
      "update_user_capabilities");
}

Result<TopicRules> AuthService::Parts::load_protected_topics() const {
  static_cast<void>(reload({false, true}));
  if (auto problem = keeper.topics_problem()) return *std::move(problem);
  auto rules = topics_file.load();
  if (!rules && rules.error().code == ErrorCode::kNotFound) return TopicRules();
  return rules;
}

Result<void> AuthService::Parts::update_protected_topics(const Json& rules,
                                                         const std::optional<Json>& expected,
                                                         const Behalf& behalf) const {
  if (!rules.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "must be an object with the lists of rules", ""};
  }
  static constexpr TopicList kLists[] = {TopicList::kWriteProtect, TopicList::kReadProtect};
  for (const Json::Member& member : rules.as_object()) {
    const auto is_named = [&](TopicList list) { return to_string(list) == member.name; };
    if (std::none_of(std::begin(kLists), std::end(kLists), is_named)) {
      return Error{ErrorCode::kInvalidArgument, "there are the lists write-protect and read-protect",
                   json_pointer("", member.name)};
    }
  }
  if (behalf.check) {  // who may do this is written in the other file
    const auto policy = store.edits().load_policy();
    if (!policy) return policy.error();
    if (auto allowed = behalf.check(*policy, *policy, Behalf::Touches::kRecords); !allowed) return allowed;
  }
  const EditOptions edit_options{.patience = behalf.patience,
                                 .note = note_of(behalf, "update_protected_topics"),
                                 .clock = options.clock};
  const auto edited = store.edit_topics(
      [&](TopicDocument& document) -> Result<void> {
        if (expected && document.to_json() != *expected) {
          return Error{ErrorCode::kConflict, "the file does not say any more what was expected", ""};
        }
        Json next = document.to_json();
        for (const Json::Member& list : rules.as_object()) next.set(list.name, list.value);
        auto parsed = TopicDocument::parse(std::move(next));
        if (!parsed) return parsed.error();
        document = std::move(*parsed);
        return {};
      },
      edit_options);
  if (!edited) return edited.error();
  for (const std::string& warning : edited->warnings) log(LogLevel::kWarning, warning);
  if (edited->written) static_cast<void>(reload({false, true}));
  return {};
}

Result<void> AuthService::update_user_capabilities(const Json& user_to_capabilities) {
  return parts().update_user_capabilities(user_to_capabilities, {});
}

Result<TopicRules> AuthService::load_protected_topics() { return parts().load_protected_topics(); }

Result<void> AuthService::update_protected_topics(const Json& rules) {
  return parts().update_protected_topics(rules, {}, {});
}

Result<Authorization> AuthService::get_authorization(std::string_view user_id) const {
  return parts().remote_peers.find(user_id);
}

Result<AuthorizationStatus> AuthService::get_authorization_status(std::string_view user_id) const {
  const auto found = parts().remote_peers.find(user_id);
  if (found) return found->status;
  if (found.error().code == ErrorCode::kNotFound) return AuthorizationStatus::kUnknown;
  return found.error();
}

}  // namespace vipauth
