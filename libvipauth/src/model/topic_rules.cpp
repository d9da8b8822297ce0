#include <vipauth/topic_rules.hpp>

#include "model/name_list.hpp"

namespace vipauth {
namespace {

Error wrong_type(std::string what, const Json& found, std::string location) {
  return Error{ErrorCode::kInvalidArgument, std::move(what) + ", not " + std::string(found.kind_name()),
               std::move(location)};
}

Result<std::vector<std::string>> parse_required(const Json& json) {
  if (json.is_string()) return std::vector<std::string>{json.as_string()};
  if (!json.is_array()) return wrong_type("must be a capability or a list of them", json, "");
  return parse_name_list(json);
}

Result<TopicRule> parse_rule(const Json& json, const std::string& location) {
  if (!json.is_object()) return wrong_type("a rule must be an object", json, location);
  const Json* topic = json.find("topic");
  const Json* capabilities = json.find("capabilities");
  if (topic == nullptr || capabilities == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "a rule needs \"topic\" and \"capabilities\"", location};
  }
  if (!topic->is_string()) return wrong_type("must be a string", *topic, location + "/topic");
  auto pattern = Pattern::parse(topic->as_string());
  if (!pattern) return pattern.error().at(location + "/topic");
  auto required = parse_required(*capabilities);
  if (!required) return required.error().at(location + "/capabilities");
  return TopicRule{std::move(*pattern), std::move(*required), location};
}

Result<std::vector<TopicRule>> parse_list(const Json& document, std::string_view name) {
  std::vector<TopicRule> out;
  const Json* list = document.find(name);
  if (list == nullptr) return out;
  const std::string location = json_pointer("", name);
  if (!list->is_array()) return wrong_type("must be a list of rules", *list, location);
  if (list->as_array().size() > TopicRules::kMaxRules) {
    return Error{ErrorCode::kLimitExceeded, "more than " + std::to_string(TopicRules::kMaxRules) + " rules",
                 location};
  }
  for (std::size_t i = 0; i < list->as_array().size(); ++i) {
    auto rule = parse_rule(list->as_array()[i], json_pointer(location, i));
    if (!rule) return rule.error();
    out.push_back(std::move(*rule));
  }
  return out;
}

}  // namespace

bool TopicRule::covers(std::string_view a_topic) const {
  return topic.is_regex() ? topic.matches(a_topic) : a_topic.starts_with(topic.text());
}

Result<TopicRules> TopicRules::parse(const Json& document) {
  if (!document.is_object()) return wrong_type("the document must be an object", document, "");
  auto write = parse_list(document, "write-protect");
  if (!write) return write.error();
  auto read = parse_list(document, "read-protect");
  if (!read) return read.error();
  return TopicRules{std::move(*write), std::move(*read)};
}

}  // namespace vipauth
