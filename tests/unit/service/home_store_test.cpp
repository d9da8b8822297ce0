#include <vipauth/home_store.hpp>

#include <atomic>
#include <memory>

#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/memory_store.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;

TEST_CASE("HomeStore: does what every store must do") {
  for (const StoreCheck& check : policy_store_contract()) {
    DYNAMIC_SECTION(check.name) {
      const TempHome home;
      check.run([&] { return std::make_unique<HomeStore>(home.path()); });
    }
  }
}

TEST_CASE("MemoryStore: does what every store must do, as one that makes changes again") {
  for (const StoreCheck& check : policy_store_contract()) {
    DYNAMIC_SECTION(check.name) {
      const auto place = std::make_shared<MemoryPlace>();
      check.run([&] { return std::make_unique<MemoryStore>(place); });
    }
  }
}

TEST_CASE("HomeStore: its content is the files of the home") {
  const TempHome home;
  HomeStore store(home.path());
  REQUIRE(store.edit_policy(add_user("alice", kKeyA)));
  CHECK(AuthFile(home / "auth.json").load()->to_json() == store.load_policy()->to_json());
  REQUIRE(store.edit_topics(
      [](TopicDocument& document) { return document.add(TopicList::kReadProtect, "secret", {"CAP"}); }));
  CHECK(TopicsFile(home / "protected_topics.json").load()->read_protect.size() == 1);
  home.write("auth.json", "{");
  CHECK(store.load_policy().error().code == ErrorCode::kParseError);
  CHECK(store.edit_policy(add_user("bob", kKeyB)).error().code == ErrorCode::kParseError);
  CHECK(home.read("auth.json") == "{");
}

TEST_CASE("HomeStore: strict modes are those of the files") {
  const TempHome home;
  REQUIRE(HomeStore(home.path()).edit_policy(add_user("alice", kKeyA)));
  home.set_mode("auth.json", 0666);
  CHECK(HomeStore(home.path()).load_policy().error().code == ErrorCode::kPermissionDenied);
  CHECK(HomeStore(home.path(), StrictModes::kOff).load_policy().has_value());
}

TEST_CASE("HomeStore: strangers that somebody notes are among those that wait") {
  const TempHome home;
  const auto pending = std::make_shared<PendingStore>(home / "pending.json", PendingStore::Limits());
  HomeStore store(home.path(), StrictModes::kOn, pending);
  pending->note(Mechanism::kCurve, kKeyA, "vip", "10.0.0.1", kNow);
  REQUIRE(store.load_pending());
  REQUIRE(store.load_pending()->pending.size() == 1);
  CHECK(HomeStore(home.path()).load_pending()->pending.empty());  // not yet in the file
  REQUIRE(store.edit_pending([](PendingState&) -> Result<void> { return {}; }));
  CHECK(HomeStore(home.path()).load_pending()->pending.size() == 1);
}

TEST_CASE("HomeStore: other files of the home are no change") {
  const TempHome home;
  HomeStore store(home.path());
  std::atomic<int> policy = 0;
  std::atomic<int> others = 0;
  const auto watch = store.watch([&](const StoreChanges& changes) {
    if (changes.policy) ++policy;
    if (changes.topics || changes.pending) ++others;
  });
  REQUIRE(watch);
  home.write("config", "x");
  home.replace("known_hosts", "{}");
  home.replace("auth.json", "{}");
  CHECK(eventually([&] { return policy > 0; }));
  CHECK(others == 0);
}

TEST_CASE("HomeStore: a folder that is not there cannot be watched") {
  const TempHome home;
  HomeStore store(home / "none");
  const auto watch = store.watch([](const StoreChanges&) {});
  REQUIRE_FALSE(watch);
  CHECK(watch.error().code == ErrorCode::kNotFound);
}
