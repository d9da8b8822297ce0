#include <vipauth/live_policy.hpp>

#include <deque>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

PolicySnapshot of_user(const std::string& user_id) {
  auto compiled = PolicySnapshot::compile(
      policy("{'allow':[{'user_id':'" + user_id + "','credentials':'" + kKeyA + "'}]}"), TopicProtector(),
      kNow);
  REQUIRE(compiled);
  return *std::move(compiled);
}

bool knows(const LivePolicy& live, const std::string& user_id) {
  return live.current().snapshot->capabilities.knows(user_id);
}

}  // namespace

TEST_CASE("LivePolicy: each tells its own policy, however many a thread asks in turn") {
  std::deque<LivePolicy> lives;
  for (int i = 0; i < 12; ++i) lives.emplace_back(of_user("u" + std::to_string(i)));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < lives.size(); ++i) {
      CHECK(knows(lives[i], "u" + std::to_string(i)));
      CHECK_FALSE(knows(lives[i], "u" + std::to_string(i + 4)));
    }
  }
}

TEST_CASE("LivePolicy: what is published is told from then on, with its number") {
  LivePolicy live(of_user("before"));
  const std::uint64_t first = live.current().generation;
  CHECK(knows(live, "before"));
  const std::uint64_t second = live.publish(of_user("after"));
  CHECK(second > first);
  CHECK(second == live.generation());
  CHECK(second == live.current().generation);
  CHECK(knows(live, "after"));
  CHECK_FALSE(knows(live, "before"));
}

TEST_CASE("LivePolicy: a thread that is ending is told the same") {
  static const LivePolicy live(of_user("u"));
  struct AsksAtTheEnd {
    bool* is_known = nullptr;
    ~AsksAtTheEnd() { *is_known = knows(live, "u") && !knows(live, "v"); }
  };
  bool is_known = false;
  std::thread([&] {
    static thread_local AsksAtTheEnd last;  // made first, it ends last
    last.is_known = &is_known;
    static_cast<void>(live.current());
  }).join();
  CHECK(is_known);
}
