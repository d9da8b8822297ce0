// Which rules cover a topic: what the index finds is what is found by trying each rule.

#include <algorithm>

#include "engine/topic_index.hpp"
#include "support/catch.hpp"
#include "worlds.hpp"

namespace vipauth::test {
namespace {

rc::Gen<std::string> one_of(std::vector<std::string> texts) { return rc::gen::elementOf(std::move(texts)); }

rc::Gen<std::string> joined(rc::Gen<std::string> part, int fewest, int most) {
  return rc::gen::mapcat(rc::gen::inRange(fewest, most + 1), [part = std::move(part)](int count) {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(static_cast<std::size_t>(count), part),
                        [](const std::vector<std::string>& parts) {
                          std::string out;
                          for (const std::string& one : parts) out += one;
                          return out;
                        });
  });
}

/// Pieces that are in rules and in topics, so that the two meet: capitals, other scripts, and the letters
/// whose small ones are in ASCII.
const std::vector<std::string> kPieces{"devices",
                                       "dev",
                                       "/",
                                       "point",
                                       "Point1",
                                       "abc",
                                       "ABC",
                                       "abcabc",
                                       "a",
                                       "aa",
                                       "1",
                                       "42",
                                       "-",
                                       "kelvin",
                                       "KELVIN",
                                       "\xe2\x84\xaa",
                                       "\xc5\xbf",
                                       "s",
                                       "\xc4\xb0",
                                       "i",
                                       "\xc3\xa9t\xc3\xa9",
                                       "\xc3\x89",
                                       "stra\xc3\x9f\x65",
                                       "\xe6\x97\xa5\xe6\x9c\xac"};

const std::vector<std::string> kPlain{"devices",
                                      "dev",
                                      "/",
                                      "point",
                                      "Point1",
                                      "abc",
                                      "abcabc",
                                      "a",
                                      "1",
                                      "kelvin",
                                      "ss",
                                      "\xc3\xa9t\xc3\xa9",
                                      "stra\xc3\x9f\x65",
                                      "\xe2\x84\xaa",
                                      "\xe6\x97\xa5\xe6\x9c\xac"};

rc::Gen<std::string> plain() { return one_of(kPlain); }

/// A part of an expression, of which any may follow each other.
rc::Gen<std::string> atom() {
  return rc::gen::oneOf(plain(), plain(),
                        one_of({".*",
                                ".",
                                ".+",
                                "[a-z]",
                                "[a-z]*",
                                "[0-9]+",
                                "\\d",
                                "\\w*",
                                "[^/]*",
                                "[kK]",
                                "[abc]",
                                "a*",
                                "a?",
                                "b{0,2}",
                                "1{2}",
                                "\\.",
                                "\\/",
                                "(a+)+",
                                "(abc)*",
                                "(?i:KeLvIn)",
                                "(?i:s)",
                                "[\\x{212a}k]",
                                "(abc|dev)",
                                "(abc|)",
                                "(point1|42|devices)",
                                "(?:ab|cd)?c",
                                "()"}));
}

rc::Gen<std::string> expression() {
  const auto branch = joined(atom(), 0, 6);
  return rc::gen::weightedOneOf<std::string>(
      {{8, branch},
       {2, rc::gen::map(branch, [](const std::string& rest) { return ".*" + rest; })},
       {1, rc::gen::map(branch, [](const std::string& rest) { return "^" + rest + "$"; })},
       {1, rc::gen::map(branch, [](const std::string& rest) { return "(?i)" + rest; })},
       {1, rc::gen::map(rc::gen::pair(branch, branch), [](const std::pair<std::string, std::string>& both) {
          return both.first + "|" + both.second;
        })}});
}

rc::Gen<std::string> topic() { return joined(one_of(kPieces), 0, 8); }

rc::Gen<std::string> rule_text() {
  return rc::gen::weightedOneOf<std::string>(
      {{2, joined(one_of(kPieces), 0, 4)},
       {5, rc::gen::map(expression(), [](const std::string& text) { return "/" + text + "/"; })}});
}

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
    const auto texts = *rc::gen::container<std::vector<std::string>>(rule_text());
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
    const auto topics = *rc::gen::container<std::vector<std::string>>(10, topic());
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
