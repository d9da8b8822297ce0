#include "service/policy_keeper.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/few_descriptors.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

constexpr PolicyKeeper::Files kBoth{true, true};
constexpr PolicyKeeper::Files kOnlyAuth{true, false};
constexpr PolicyKeeper::Files kOnlyTopics{false, true};
constexpr PolicyKeeper::Files kOnlyTime{false, false};

struct Keeper {
  TempHome home;
  Timestamp now = kNow;
  bool retires = false;
  PolicyKeeper keeper{AuthFile(home / "auth.json"),
                      TopicsFile(home / "protected_topics.json"),
                      {{}, [this] { return now; }, {}, retires}};

  void allow(const std::string& user_id, const std::string& more = "") const {
    home.write("auth.json", R"({"allow": [{"user_id": ")" + user_id + R"(", "credentials": ")" + kKeyA +
                                "\"" + more + R"(}], "version": {"major": 1, "minor": 4}})");
  }
  bool knows(std::string_view user_id) const {
    return keeper.live()->current().snapshot->capabilities.knows(user_id);
  }
  bool may_publish(std::string_view topic) const {
    return keeper.live()->current().snapshot->authorize_publish("alice", topic).allowed();
  }
};

}  // namespace

TEST_CASE("PolicyKeeper: before the first reading nothing is loaded") {
  Keeper k;
  k.allow("alice");
  CHECK_FALSE(k.keeper.live()->current().snapshot->loaded);
  CHECK_FALSE(k.may_publish("topic"));
  // The time alone, or the topics alone, make no policy.
  CHECK_FALSE(k.keeper.reload(kOnlyTime).change);
  CHECK_FALSE(k.keeper.reload(kOnlyTopics).change);
  CHECK_FALSE(k.keeper.live()->current().snapshot->loaded);
  CHECK(k.keeper.reload(kOnlyAuth).change);
  CHECK(k.knows("alice"));
}

TEST_CASE("PolicyKeeper: a file that says something new is read with the other as it is at that moment") {
  Keeper k;
  k.allow("alice");
  REQUIRE(k.keeper.reload(kBoth).change);
  const std::string protects_x = R"({"write-protect": [{"topic": "x", "capabilities": ["c"]}]})";

  SECTION("auth.json, with new rules") {
    k.home.write("protected_topics.json", protects_x);
    k.allow("bob");
    k.keeper.reload(kOnlyAuth);
    CHECK(k.knows("bob"));
    CHECK_FALSE(k.may_publish("x"));
  }
  SECTION("rules, with a new auth.json") {
    k.allow("bob");
    k.home.write("protected_topics.json", protects_x);
    k.keeper.reload(kOnlyTopics);
    CHECK_FALSE(k.may_publish("x"));
    CHECK(k.knows("bob"));
  }
  SECTION("rules that say the same do not ask for auth.json") {
    k.allow("bob");
    k.keeper.reload(kOnlyTopics);
    CHECK(k.knows("alice"));
  }
  SECTION("nor does the time") {
    k.allow("bob");
    k.home.write("protected_topics.json", protects_x);
    k.keeper.reload(kOnlyTime);
    CHECK(k.knows("alice"));
    CHECK(k.may_publish("x"));
  }
}

// Edits of both files that open nothing in between: what is new protects before, what is old lets go after.
TEST_CASE("PolicyKeeper: rules and policies of different moments are not in force together") {
  Keeper k;
  const auto protect = [&](const std::vector<int>& topics) {
    std::string rules;
    for (const int i : topics) {
      rules += (rules.empty() ? "" : ", ") +
               ("{\"topic\": \"t" + std::to_string(i % 2) + "\", \"capabilities\": [\"c\"]}");
    }
    k.home.write("next", "{\"write-protect\": [" + rules + "]}");
    std::filesystem::rename(k.home / "next", k.home / "protected_topics.json");
  };
  const auto allow = [&](int i) {
    k.home.write("next", R"({"allow": [{"user_id": "user)" + std::to_string(i % 2) +
                             R"(", "credentials": ")" + kKeyA +
                             R"("}], "version": {"major": 1, "minor": 4}})");
    std::filesystem::rename(k.home / "next", k.home / "auth.json");
  };
  protect({0});
  allow(0);
  REQUIRE(k.keeper.reload(kBoth).change);

  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    for (int i = 1; i <= 1000; ++i) {
      protect({i - 1, i});
      allow(i);
      protect({i});
    }
    is_done = true;
  });
  int wrong = 0;
  for (int i = 0; !is_done; ++i) {
    k.keeper.reload(i % 3 == 0 ? kBoth : i % 3 == 1 ? kOnlyAuth : kOnlyTopics);
    const auto policy = k.keeper.live()->current().snapshot;
    for (const std::string number : {"0", "1"}) {
      const bool counts = policy->capabilities.knows("user" + number);
      wrong += counts && policy->authorize_publish("user" + number, "t" + number).allowed() ? 1 : 0;
    }
  }
  writer.join();
  CHECK(wrong == 0);
  k.keeper.reload(kBoth);
  const auto policy = k.keeper.live()->current().snapshot;
  CHECK_FALSE(policy->authorize_publish("user0", "t0").allowed());
  CHECK(policy->authorize_publish("user0", "t1").allowed());
}

TEST_CASE("PolicyKeeper: each policy has a greater generation, and the outcome says which") {
  Keeper k;
  k.allow("alice");
  const auto first = k.keeper.reload(kBoth);
  const auto second = k.keeper.reload(kBoth);
  REQUIRE(first.change);
  REQUIRE(second.change);
  CHECK(second.change->generation > first.change->generation);
  CHECK(k.keeper.live()->generation() == second.change->generation);
}

TEST_CASE("PolicyKeeper: topics that say the same again put nothing new in force") {
  Keeper k;
  k.allow("alice", R"(, "not_after": "2026-11-22T00:00:00Z")");
  REQUIRE(k.keeper.reload(kBoth).change);
  CHECK_FALSE(k.keeper.reload(kOnlyTopics).change);
  k.home.write("protected_topics.json", "{}");
  CHECK(k.keeper.reload(kOnlyTopics).change);
  k.home.write("protected_topics.json", "{\n}");
  CHECK_FALSE(k.keeper.reload(kOnlyTopics).change);
  k.home.write("protected_topics.json", "[");
  const auto bad = k.keeper.reload(kOnlyTopics);
  CHECK(bad.problem);
  CHECK_FALSE(bad.change);
  k.home.write("protected_topics.json", R"({"write-protect": [{"topic": "x", "capabilities": ["c"]}]})");
  CHECK(k.keeper.reload(kOnlyTopics).change);
  CHECK_FALSE(k.may_publish("x"));
  k.now += 24h;  // an appointment is kept all the same
  CHECK(k.keeper.reload(kOnlyTopics).change);
  CHECK_FALSE(k.knows("alice"));
}

TEST_CASE("PolicyKeeper: topics that are bad from the start refuse, until they are good") {
  Keeper k;
  k.allow("alice");
  REQUIRE(k.keeper.reload(kBoth).change);
  k.home.write("protected_topics.json", "[");
  CHECK(k.keeper.reload(kOnlyTopics).change);
  CHECK_FALSE(k.may_publish("y"));
  CHECK_FALSE(k.keeper.reload(kOnlyTopics).change);
  k.home.write("protected_topics.json", "{}");
  CHECK(k.keeper.reload(kOnlyTopics).change);
  CHECK(k.may_publish("y"));
}

TEST_CASE("PolicyKeeper: a bad first file puts nothing in force") {
  Keeper k;
  k.home.write("auth.json", "{");
  const auto outcome = k.keeper.reload(kBoth);
  CHECK(outcome.problem);
  CHECK_FALSE(outcome.change);
  CHECK(k.keeper.problem()->to_string() == outcome.problem->to_string());
  CHECK_FALSE(k.keeper.live()->current().snapshot->loaded);
}

TEST_CASE("PolicyKeeper: time passes also while the file is bad") {
  Keeper k;
  k.allow("alice", R"(, "not_after": "2026-11-22T00:00:00Z")");
  REQUIRE(k.keeper.reload(kBoth).change);
  CHECK(k.keeper.next_change() == *parse_timestamp("2026-11-22T00:00:00Z"));
  k.home.write("auth.json", "{");
  CHECK(k.keeper.reload(kBoth).problem);
  CHECK(k.knows("alice"));
  k.now += 24h;
  const auto outcome = k.keeper.reload(kOnlyTime);
  REQUIRE(outcome.change);
  CHECK(outcome.change->revoked == std::vector<std::string>{"alice"});
  CHECK_FALSE(k.knows("alice"));
  CHECK_FALSE(k.keeper.next_change());
}

TEST_CASE("PolicyKeeper: problems of both files are kept apart") {
  Keeper k;
  k.home.write("auth.json", "{");
  k.home.write("protected_topics.json", "[");
  CHECK(k.keeper.reload(kBoth).problem->location.starts_with("auth.json"));
  k.allow("alice");
  CHECK(k.keeper.reload(kOnlyAuth).problem->location.starts_with("protected_topics.json"));
  k.home.write("protected_topics.json", "{}");
  CHECK_FALSE(k.keeper.reload(kOnlyTopics).problem);
  CHECK_FALSE(k.keeper.problem());
}

TEST_CASE("PolicyKeeper: what cannot be opened for want of descriptors changes nothing, and is read later") {
  Keeper k;
  k.allow("alice");
  REQUIRE(k.keeper.reload(kBoth).change);
  k.allow("bob");
  {
    const FewDescriptors none(0);
    CHECK(k.keeper.reload(kBoth).problem);
  }
  CHECK(k.knows("alice"));
  CHECK(k.may_publish("topic"));  // there are no rules
  CHECK_FALSE(k.keeper.reload(kBoth).problem);
  CHECK(k.knows("bob"));
  CHECK(k.keeper.live()->current().snapshot->authorize_publish("bob", "topic").allowed());

  // Rules that are there stay in force.
  k.home.write("protected_topics.json", R"({"write-protect": [{"topic": "x", "capabilities": ["c"]}]})");
  CHECK_FALSE(k.keeper.reload(kBoth).problem);
  {
    const FewDescriptors none(0);
    CHECK(k.keeper.reload(kBoth).problem);
  }
  CHECK_FALSE(k.keeper.live()->current().snapshot->authorize_publish("bob", "x").allowed());
  CHECK_FALSE(k.keeper.reload(kBoth).problem);
}

TEST_CASE("PolicyKeeper: rules that could never be opened refuse, also when they are gone again") {
  Keeper k;
  k.allow("alice");
  k.home.write("protected_topics.json", R"({"write-protect": [{"topic": "x", "capabilities": ["c"]}]})");
  {
    const FewDescriptors none(0);
    CHECK(k.keeper.reload(kBoth).problem);
  }
  std::filesystem::remove(k.home / "protected_topics.json");
  CHECK(k.keeper.reload(kBoth).problem);
  CHECK(k.knows("alice"));
  CHECK_FALSE(k.may_publish("topic"));
}

TEST_CASE("PolicyKeeper: a home without files is empty, though it could not be looked at first") {
  Keeper k;
  {
    const FewDescriptors none(0);
    CHECK(k.keeper.reload(kBoth).problem);
  }
  CHECK_FALSE(k.keeper.live()->current().snapshot->loaded);
  CHECK_FALSE(k.keeper.reload(kBoth).problem);
  CHECK(k.keeper.live()->current().snapshot->loaded);
}

TEST_CASE("PolicyKeeper: a policy that was replaced goes where it is let go, not where it is used last") {
  Keeper k{.retires = true};
  k.allow("alice");
  REQUIRE(k.keeper.reload(kBoth).change);
  k.keeper.release_retired();
  auto used = k.keeper.live()->current().snapshot;
  const std::weak_ptr<const PolicySnapshot> old = used;
  k.allow("bob");
  REQUIRE(k.keeper.reload(kBoth).change);
  CHECK(k.keeper.release_retired());  // somebody uses it
  used.reset();
  CHECK_FALSE(old.expired());
  CHECK_FALSE(k.keeper.release_retired());
  CHECK(old.expired());
}

TEST_CASE("PolicyKeeper: where nobody lets policies go, the last who uses one does") {
  Keeper k;
  k.allow("alice");
  REQUIRE(k.keeper.reload(kBoth).change);
  auto used = k.keeper.live()->current().snapshot;
  const std::weak_ptr<const PolicySnapshot> old = used;
  k.allow("bob");
  REQUIRE(k.keeper.reload(kBoth).change);
  used.reset();
  CHECK(old.expired());
}
