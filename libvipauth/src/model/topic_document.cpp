#include <vipauth/topic_document.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include "text/control_characters.hpp"

namespace vipauth {
namespace {

Result<void> check_topic(std::string_view topic) {
  if (topic.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "a topic must have a name: to protect every topic, write '/.*/'", ""};
  }
  if (has_control_character(topic)) {
    return Error{ErrorCode::kInvalidArgument, "a topic holds a control character", ""};
  }
  return {};
}

Result<void> check_capabilities(const std::vector<std::string>& capabilities) {
  const bool has_empty =
      std::any_of(capabilities.begin(), capabilities.end(), [](const auto& name) { return name.empty(); });
  if (!has_empty) return {};
  return Error{ErrorCode::kInvalidArgument, "a capability must have a name", ""};
}

}  // namespace

std::string_view to_string(TopicList list) noexcept {
  return list == TopicList::kWriteProtect ? "write-protect" : "read-protect";
}

TopicDocument::TopicDocument() : document_(Json::Object()) {}

Result<TopicDocument> TopicDocument::parse(Json document) {
  TopicDocument out;
  if (auto done = out.put_in_force(std::move(document)); !done) return done.error();
  return out;
}

const std::vector<TopicRule>& TopicDocument::rules(TopicList list) const noexcept {
  return list == TopicList::kWriteProtect ? rules_.write_protect : rules_.read_protect;
}

Result<void> TopicDocument::put_in_force(Json document) {
  auto parsed = TopicRules::parse(document);
  if (!parsed) return parsed.error();
  document_ = std::move(document);
  rules_ = std::move(*parsed);
  return {};
}

Result<void> TopicDocument::add(TopicList list, std::string_view topic,
                                const std::vector<std::string>& capabilities) {
  if (auto good = check_topic(topic); !good) return good.error();
  if (auto good = check_capabilities(capabilities); !good) return good.error();
  const auto present = std::find_if(rules(list).begin(), rules(list).end(),
                                    [&](const TopicRule& rule) { return rule.topic.text() == topic; });
  if (present != rules(list).end()) {
    return Error{ErrorCode::kAlreadyExists,
                 "topic \"" + std::string(topic) + "\" is already protected by " +
                     Json::strings(present->capabilities).dump(),
                 ""};
  }
  Json edited = document_;
  if (edited.find(to_string(list)) == nullptr) edited.set(to_string(list), Json(Json::Array()));
  edited.find(to_string(list))
      ->as_array()
      .emplace_back(Json::Object{{"topic", Json(topic)}, {"capabilities", Json::strings(capabilities)}});
  auto done = put_in_force(std::move(edited));
  if (done) return done;
  return Error{done.error().code, done.error().message, ""};  // its place is not in the file yet
}

Result<std::vector<TopicRule>> TopicDocument::remove(TopicList list, std::string_view topic) {
  const auto is_meant = [&](const TopicRule& rule) { return rule.topic.text() == topic; };
  std::vector<TopicRule> removed;
  std::copy_if(rules(list).begin(), rules(list).end(), std::back_inserter(removed), is_meant);
  if (removed.empty()) {
    return Error{
        ErrorCode::kNotFound,
        "topic \"" + std::string(topic) + "\" is not in the list \"" + std::string(to_string(list)) + "\"",
        ""};
  }
  Json edited = document_;
  std::erase_if(edited.find(to_string(list))->as_array(),
                [&](const Json& rule) { return *rule.find("topic") == Json(topic); });
  if (auto done = put_in_force(std::move(edited)); !done) return done.error();
  return removed;
}

}  // namespace vipauth
