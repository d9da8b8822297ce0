// Which rules cover a topic: what the index finds is what is found by trying each rule.

#include <algorithm>

#include "engine/topic_index.hpp"
#include "support/catch.hpp"
#include "topic_worlds.hpp"
#include "worlds.hpp"

namespace vipauth::test {
namespace {

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// The locations of the rules that the index finds, and of those that cover the topic.
void check_topic(const TopicIndex& index, const std::vector<TopicRule>& rules, const std::string& topic,
                 TopicMemory::Workspace& workspace) {
  std::vector<std::string> found;
  for (const std::uint32_t id : index.covering(topic, workspace)) found.push_back(index.rule(id).location);
  std::vector<std::string> covering;
  for (const TopicRule& rule : rules) {
    if (rule.covers(topic)) covering.push_back(rule.location);
  }
  RC_ASSERT(sorted(found) == sorted(covering));
}

/// All that a world can ask a policy about topics.
std::vector<std::string> answers_on_topics(const PolicySnapshot& snapshot) {
  std::vector<std::string> out;
  const auto add = [&](const Decision& decision) {
    out.push_back(std::string(to_string(decision.reason())) + " " + decision.message());
    out.insert(out.end(), decision.source().begin(), decision.source().end());
  };
  for (const TopicCase& c : topic_cases()) {
    add(snapshot.authorize_publish(c.user_id, c.topic));
    add(snapshot.authorize_receive(c.user_id, c.topic));
  }
  return out;
}

}  // namespace

TEST_CASE("properties: the index of topics finds the rules that cover a topic, and no others") {
  const auto finds_them = [] {
    const auto texts = *rc::gen::container<std::vector<std::string>>(any_rule_text());
    // More than a few of each, so that beginnings are common, and bundles are made.
    const int times = *rc::gen::element(1, 5, 9);
    std::vector<TopicRule> rules;
    for (int i = 0; i < times; ++i) {
      for (const std::string& text : texts) {
        auto pattern = Pattern::parse(text);
        if (pattern) rules.push_back({*pattern, {}, std::to_string(rules.size())});
      }
    }
    const TopicIndex index(rules);
    TopicMemory::Workspace workspace;
    const auto topics = *rc::gen::container<std::vector<std::string>>(10, any_topic());
    for (const std::string& one : topics) check_topic(index, rules, one, workspace);
  };
  CHECK(holds(finds_them));
}

TEST_CASE("properties: what a thread remembers of topics is of those rules, and decides the same again") {
  const auto decides_the_same = [] {
    const Json document = *any_policy();
    const Json rules = *any_topic_rules();
    const PolicySnapshot first = compile(document, rules);
    const PolicySnapshot second = compile(document, *any_topic_rules());
    const auto as_new = answers_on_topics(first);
    const auto others = answers_on_topics(second);
    RC_ASSERT(answers_on_topics(first) == as_new);
    RC_ASSERT(answers_on_topics(second) == others);
    RC_ASSERT(answers_on_topics(compile(document, rules)) == as_new);
  };
  CHECK(holds(decides_the_same));
}

}  // namespace vipauth::test
