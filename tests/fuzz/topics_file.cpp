// A protected_topics.json, 0xFF, and topics, to each of which the index of the rules must say what each rule
// says.
#include <vipauth/capability_resolver.hpp>
#include <vipauth/topic_document.hpp>
#include <vipauth/topic_protector.hpp>

#include "fuzz.hpp"

using namespace vipauth;
using namespace vipauth::fuzz;

namespace {

constexpr Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

const CapabilityResolver& users() {
  static const CapabilityResolver resolver = [] {
    const auto document = Json::parse(R"({"allow": [{"user_id": "u", "capabilities": ["c", "d"],
      "credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}], "version": {"major": 1, "minor": 4}})");
    return *CapabilityResolver::create(*Policy::parse(*document), kNow);
  }();
  return resolver;
}

bool is_allowed_by_each(const std::vector<TopicRule>& rules, std::string_view topic) {
  if (!is_valid_utf8(topic) || has_control_character(topic)) return false;
  return std::all_of(rules.begin(), rules.end(), [&](const TopicRule& rule) {
    return !rule.covers(topic) || std::all_of(rule.capabilities.begin(), rule.capabilities.end(),
                                              [](const std::string& c) { return c == "c" || c == "d"; });
  });
}

std::string shown(const TopicRules& rules) {
  std::string out;
  for (const auto* list : {&rules.write_protect, &rules.read_protect}) {
    out += "list\n";
    for (const TopicRule& rule : *list) {
      out += rule.topic.text() + " " + Json::strings(rule.capabilities).dump() + rule.location + "\n";
    }
  }
  return out;
}

TopicDocument read_again(const TopicDocument& document) {
  const auto parsed = Json::parse(document.to_json().dump_pretty());
  require(parsed.has_value());
  auto again = TopicDocument::parse(*parsed);
  require(again.has_value(), again ? "" : again.error().to_string());
  require_same(again->to_json().dump(), document.to_json().dump());
  require_same(shown(again->rules()), shown(document.rules()));
  return *std::move(again);
}

void check_edits(const TopicDocument& before, std::string_view topic, std::size_t size) {
  TopicDocument document = before;
  for (const TopicList list : {TopicList::kWriteProtect, TopicList::kReadProtect}) {
    const std::size_t count = document.rules(list).size();
    const std::string was = document.to_json().dump();
    const auto added = document.add(list, topic, {"c", "x"});
    if (!added) {
      require_good(added.error(), size);
      require_same(document.to_json().dump(), was);
      continue;
    }
    require(document.rules(list).size() == count + 1);
    read_again(document);
    const auto removed = document.remove(list, topic);
    require(removed && removed->size() == 1, topic);
    require_same(shown(document.rules()), shown(before.rules()));
    const bool again = document.remove(list, topic).has_value();
    require(!again);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = parts_of(text_of(data, size), 6);
  auto parsed = Json::parse_with_comments(parts.front());
  if (!parsed) return 0;
  const auto rules = TopicRules::parse(parsed->value);
  const auto document = TopicDocument::parse(std::move(parsed->value));
  require(rules.has_value() == document.has_value());
  if (!rules) {
    require_good(rules.error(), size);
    require_same(rules.error().to_string(), document.error().to_string());
    return 0;
  }
  require_same(shown(*rules), shown(document->rules()));
  read_again(*document);
  const TopicProtector protector(*rules);
  for (const std::string_view topic : parts) {
    for (int times = 0; times < 2; ++times) {  // the second time it is remembered
      const Decision publish = protector.authorize_publish(users(), "u", topic);
      const Decision receive = protector.authorize_receive(users(), "u", topic);
      require(publish.allowed() == is_allowed_by_each(rules->write_protect, topic), topic);
      require(receive.allowed() == is_allowed_by_each(rules->read_protect, topic), topic);
      require(publish.allowed() || !publish.message().empty());
    }
    require(!protector.authorize_publish(users(), "nobody", topic).allowed());
    if (topic.data() != parts.front().data()) check_edits(*document, topic, size);
  }
  return 0;
}
