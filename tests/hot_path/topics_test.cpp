#include <vipauth/topic_protector.hpp>

#include "hot_path/allocations.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"

namespace vipauth::test {
namespace {

CapabilityResolver publisher() {
  auto created = CapabilityResolver::create(
      policy("{'allow':[{'user_id':'pub','credentials':'" + kKeyA + "','capabilities':['c','d']}]}"), kNow);
  REQUIRE(created);
  return *created;
}

const std::string kRules =
    "[{'topic':'devices','capabilities':['c','d']},{'topic':'/devices\\\\/campus\\\\/.*/"
    "','capabilities':'c'},"
    "{'topic':'/.*\\\\/point[0-9]+/','capabilities':'d'},{'topic':'/[a-z]+\\\\/.*/','capabilities':[]}]";

}  // namespace

TEST_CASE("allocations: they are counted") {
  CHECK(allocations_of([] { std::string(1000, 'x').append(1000, 'y'); }) > 0U);
  CHECK(allocations_of([] { std::vector<int>(1000).push_back(1); }) > 0U);
  CHECK(allocations_of([] {}) == 0U);
}

TEST_CASE("allocations: none for a topic seen before that may be published or received") {
  const CapabilityResolver users = publisher();
  const TopicProtector topics(topic_rules("{'write-protect':" + kRules + ",'read-protect':" + kRules + "}"));
  for (const std::string_view topic : {"devices/campus/point7", "devices", "open", ""}) {
    INFO(topic);
    bool allowed =
        topics.authorize_publish(users, "pub", topic) && topics.authorize_receive(users, "pub", topic);
    const std::size_t count = allocations_of([&] {
      for (int i = 0; i < 100; ++i) {
        allowed = allowed && topics.authorize_publish(users, "pub", topic).allowed() &&
                  topics.authorize_receive(users, "pub", topic).allowed();
      }
    });
    CHECK(count == 0U);
    CHECK(allowed);
  }
}

TEST_CASE("allocations: none for a new topic once as many rules have been tried, but in RE2") {
  const CapabilityResolver users = publisher();
  const TopicProtector topics(topic_rules("{'write-protect':" + kRules + "}"));
  std::vector<std::string> names;
  names.reserve(2000);
  for (int i = 0; i < 2000; ++i) names.push_back("devices/campus/point" + std::to_string(i % 1000));
  bool allowed = true;
  const auto ask_all = [&] {
    for (const std::string& name : names)
      allowed = allowed && topics.authorize_publish(users, "pub", name).allowed();
  };
  ask_all();  // RE2's automata, too
  CHECK(allocations_of(ask_all) == 0U);
  CHECK(allowed);
}

TEST_CASE("allocations: a million distinct topics take no more memory than a few") {
  const CapabilityResolver users = publisher();
  const TopicProtector topics(topic_rules(
      "{'write-protect':[{'topic':'devices','capabilities':'c'},{'topic':'devices/1','capabilities':'d'}]}"));
  std::string topic = "devices/0000000";
  bool allowed = topics.authorize_publish(users, "pub", "devices/1").allowed();
  const std::size_t count = allocations_of([&] {
    for (int i = 0; i < 1'000'000; ++i) {
      std::size_t at = topic.size() - 1;
      for (; topic[at] == '9'; --at) topic[at] = '0';
      ++topic[at];
      allowed = allowed && topics.authorize_publish(users, "pub", topic).allowed();
    }
  });
  CHECK(count == 0U);
  CHECK(topic == "devices/1000000");
  CHECK(allowed);
}

}  // namespace vipauth::test
