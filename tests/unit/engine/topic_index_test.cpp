#include "engine/topic_index.hpp"

#include <algorithm>
#include <string>

#include "support/catch.hpp"

namespace vipauth::test {
namespace {

TopicRule rule(const std::string& topic, std::size_t i) {
  auto pattern = Pattern::parse(topic);
  INFO(topic);
  REQUIRE(pattern);
  return {*pattern, {}, std::to_string(i)};
}

std::vector<TopicRule> rules(const std::vector<std::string>& topics) {
  std::vector<TopicRule> out;
  out.reserve(topics.size());
  for (const std::string& topic : topics) out.push_back(rule(topic, out.size()));
  return out;
}

/// The locations of the rules that cover the topic, in the order in which they are asked.
std::string covering(const TopicIndex& index, std::string_view topic) {
  TopicMemory::Workspace workspace;
  std::string out;
  for (const std::uint32_t id : index.covering(topic, workspace)) out += index.rule(id).location + " ";
  return out;
}

/// The same by trying all.
std::string tried(const std::vector<TopicRule>& list, std::string_view topic) {
  std::vector<const TopicRule*> literals;
  std::string patterns;
  for (const TopicRule& one : list) {
    if (!one.covers(topic)) continue;
    if (one.topic.is_regex()) {
      patterns += one.location + " ";
    } else {
      literals.push_back(&one);
    }
  }
  std::sort(literals.begin(), literals.end(), [](const TopicRule* a, const TopicRule* b) {
    const std::size_t size_of_a = a->topic.text().size();
    const std::size_t size_of_b = b->topic.text().size();
    return size_of_a != size_of_b ? size_of_a < size_of_b : a < b;
  });
  std::string out;
  for (const TopicRule* one : literals) out += one->location + " ";
  return out + patterns;
}

/// Many times over, so that prefixes are common and other texts decide.
std::vector<std::string> repeated(const std::vector<std::string>& topics, int times) {
  std::vector<std::string> out;
  for (int i = 0; i < times; ++i) out.insert(out.end(), topics.begin(), topics.end());
  return out;
}

}  // namespace

TEST_CASE("TopicIndex: finds what covers a topic, and nothing else") {
  const std::vector<std::string> topics{"",
                                        "devices",
                                        "devices",
                                        "devices/a",
                                        "dev",
                                        "devices/b/c",
                                        "/",
                                        "/devices\\/.*/",
                                        "/devices\\/[a-z]+\\/point[0-9]/",
                                        "/.*\\/point1/",
                                        "/.*(point1|point2).*/",
                                        "/.*/",
                                        "/[a-z]*/",
                                        "/d?evices.*/",
                                        "/(?i).*KELVIN/",
                                        "/.*stra\xc3\x9f\x65.*/",
                                        "/(a+)+$/",
                                        "//",
                                        "/.*oint.*evic.*/"};
  for (const int times : {1, 6, 50}) {
    const std::vector<TopicRule> list = rules(repeated(topics, times));
    const TopicIndex index(list);
    for (const std::string_view topic : {"",
                                         "d",
                                         "dev",
                                         "devices",
                                         "devices/",
                                         "devices/a",
                                         "devices/b/c/d",
                                         "devices/a/point1",
                                         "evices/x",
                                         "x/point1",
                                         "point1",
                                         "POINT1",
                                         "point2point1",
                                         "e",
                                         "\xe2\x84\xaa\x65lvin",
                                         "KELVIN",
                                         "xkelvin",
                                         "/",
                                         "/devices",
                                         "xx stra\xc3\x9f\x65 1",
                                         "STRA\xe1\xba\x9e\x45",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
                                         "aaaaaaaaaaaaaaaaaaaaaaaa",
                                         "point devices",
                                         "oint.evic",
                                         "\xf4\x8f\xbf\xbf"}) {
      INFO(topic);
      CHECK(covering(index, topic) == tried(list, topic));
    }
  }
}

TEST_CASE("TopicIndex: a workspace serves many topics and indexes") {
  const std::vector<TopicRule> some = rules(repeated({"/.*abc.*/", "/.*xyz.*/", "/.*[0-9].*/"}, 6));
  const std::vector<TopicRule> others = rules(repeated({"/.*xyz.*/"}, 9));
  const TopicIndex first(some);
  const TopicIndex second(others);
  TopicMemory::Workspace workspace;
  for (int i = 0; i < 3; ++i) {
    CHECK(first.covering("abc xyz abc", workspace).size() == 12U);
    CHECK(second.covering("abc", workspace).empty());
    CHECK(second.covering("xyz xyz", workspace).size() == 9U);
    CHECK(first.covering("abc", workspace).size() == 6U);
    CHECK(first.covering("1", workspace).size() == 6U);
  }
}

TEST_CASE("TopicIndex: each has a number of its own") {
  const TopicIndex first;
  const TopicIndex second;
  CHECK(first.number() != 0U);
  CHECK(second.number() > first.number());
  CHECK(first.empty());
  CHECK(covering(first, "anything").empty());
}

TEST_CASE("TopicIndex: says how many patterns are tried together") {
  std::vector<std::string> topics{"literal", "/.*one.*/", "/[a-z]+/", "/[0-9]+/", "/start.*/"};
  for (int i = 0; i < 10; ++i) topics.push_back("/common[a-z]+" + std::to_string(1000 + i) + "/");
  for (int i = 0; i < 7; ++i) topics.emplace_back("/same[a-z]+/");
  const std::vector<std::uint32_t> together = TopicIndex(rules(topics)).tried_together();
  REQUIRE(together.size() == topics.size());
  CHECK(std::vector<std::uint32_t>(together.begin(), together.begin() + 5) ==
        std::vector<std::uint32_t>{0, 1, 2, 2, 1});
  for (std::size_t i = 5; i < 15; ++i) CHECK(together[i] == 1U);
  for (std::size_t i = 15; i < topics.size(); ++i) CHECK(together[i] == 7U);
}

TEST_CASE("TopicIndex: patterns that begin differently are not tried together") {
  const TopicIndex index(rules({"/start.*/", "/other.*/", "/third[0-9]/"}));
  CHECK(index.tried_together() == std::vector<std::uint32_t>{1, 1, 1});
}

TEST_CASE("TopicIndex: very long texts count by their ends") {
  std::vector<std::string> topics;
  topics.reserve(30);
  for (int i = 0; i < 30; ++i)
    topics.push_back("/.*" + std::string(300, 'x') + std::to_string(1000 + i) + ".*/");
  const std::vector<TopicRule> list = rules(topics);
  const TopicIndex index(list);
  CHECK(index.tried_together().front() == 1U);
  for (const std::string& topic : {std::string(300, 'x') + "1007", std::string(299, 'x') + "1007",
                                   std::string(310, 'x') + "1029 1000"}) {
    CHECK(covering(index, topic) == tried(list, topic));
  }
}

TEST_CASE("TopicIndex: ten thousand patterns with a leading star, and a topic of 4 KiB") {
  std::vector<TopicRule> list;
  list.reserve(10'000);
  for (std::size_t i = 0; i < 10'000; ++i)
    list.push_back(rule("/.*\\/p" + std::to_string(10'000 + i) + "\\/.*/", i));
  const TopicIndex index(list);
  std::string topic;
  while (topic.size() < 4000) topic += "/p10007/p19999";
  CHECK(covering(index, topic + "/") == "7 9999 ");
  CHECK(covering(index, std::string(4096, '/')).empty());
}

}  // namespace vipauth::test
