#include <vipauth/pending_store.hpp>

#include <atomic>
#include <numeric>
#include <set>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

constexpr PendingStore::Limits kDefault{};

PendingStore store_of(const TempHome& home, PendingStore::Limits limits = kDefault,
                      PendingStore::Filter filter = {}) {
  return PendingStore(home / "pending.json", limits, std::move(filter));
}

bool note(PendingStore& store, std::string_view credentials, std::string_view address = "10.0.0.1",
          std::chrono::seconds after = 0s) {
  return store.note(Mechanism::kCurve, credentials, "vip", address, kNow + after);
}

std::vector<PendingRequest> pending_in(const PendingStore& store) {
  auto state = store.load();
  REQUIRE(state);
  return state->pending;
}

PendingRequest only_one_in(const PendingStore& store) {
  auto pending = pending_in(store);
  REQUIRE(pending.size() == 1);
  return pending.front();
}

std::set<std::string> keys_in(const PendingStore& store) {
  std::set<std::string> keys;
  for (const PendingRequest& request : pending_in(store)) keys.insert(request.credentials);
  return keys;
}

std::string number(int i) { return "key-" + std::to_string(i); }

}  // namespace

TEST_CASE("PendingStore: a note stays in memory until it is flushed") {
  const TempHome home;
  PendingStore store = store_of(home);
  CHECK_FALSE(store.has_unwritten());
  CHECK(note(store, kKeyA));
  CHECK(store.has_unwritten());
  CHECK_FALSE(note(store, kKeyB));  // somebody knows already
  CHECK(std::filesystem::is_empty(home.path()));
  CHECK(keys_in(store) == std::set<std::string>{kKeyA, kKeyB});
  REQUIRE(store.flush());
  CHECK_FALSE(store.has_unwritten());
  CHECK(note(store, kKeyA));
}

TEST_CASE("PendingStore: without notes a flush writes nothing") {
  const TempHome home;
  PendingStore store = store_of(home);
  CHECK(store.flush());
  CHECK(std::filesystem::is_empty(home.path()));
  CHECK(pending_in(store).empty());
}

TEST_CASE("PendingStore: all that was noted survives a restart") {
  const TempHome home;
  {
    PendingStore store = store_of(home);
    note(store, kKeyA, "10.0.0.1", 1s);
    note(store, kKeyA, "10.0.0.2", 5s);
    REQUIRE(store.flush());
  }
  const PendingRequest request = only_one_in(store_of(home));
  CHECK(request.mechanism == Mechanism::kCurve);
  CHECK(request.credentials == kKeyA);
  CHECK(request.domain == "vip");
  CHECK(request.address == "10.0.0.2");
  CHECK(request.user_id.size() == 36);
  CHECK(request.first_seen == kNow + 1s);
  CHECK(request.last_seen == kNow + 5s);
  CHECK(request.retries == 2);
}

TEST_CASE("PendingStore: the file is private and says its version") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, kKeyA);
  REQUIRE(store.flush());
  struct stat status{};
  REQUIRE(::stat((home / "pending.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(*Json::parse(home.read("pending.json"))->find("version") == Json(1));
}

TEST_CASE("PendingStore: retries are counted in memory, over flushes, and over restarts") {
  const TempHome home;
  PendingStore store = store_of(home);
  for (int i = 0; i < 3; ++i) note(store, kKeyA);
  CHECK(only_one_in(store).retries == 3);
  const std::string user_id = only_one_in(store).user_id;
  REQUIRE(store.flush());
  for (int i = 0; i < 2; ++i) note(store, kKeyA);
  CHECK(only_one_in(store).retries == 5);
  REQUIRE(store.flush());
  PendingStore other = store_of(home);
  note(other, kKeyA);
  CHECK(only_one_in(other).retries == 6);
  REQUIRE(other.flush());
  CHECK(only_one_in(store).retries == 6);
  CHECK(only_one_in(store).user_id == user_id);  // by which an administrator may know it by now
}

TEST_CASE("PendingStore: one key under two mechanisms is two requests") {
  const TempHome home;
  PendingStore store = store_of(home);
  store.note(Mechanism::kCurve, "same", "vip", "10.0.0.1", kNow);
  store.note(Mechanism::kPlain, "same", "vip", "10.0.0.1", kNow);
  REQUIRE(store.flush());
  store.note(Mechanism::kPlain, "same", "vip", "10.0.0.1", kNow);
  const auto pending = pending_in(store);
  REQUIRE(pending.size() == 2);
  CHECK(pending[0].retries + pending[1].retries == 3);
}

TEST_CASE("PendingStore: a time that goes back leaves the last one that was seen") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, kKeyA, "10.0.0.1", 9s);
  REQUIRE(store.flush());
  note(store, kKeyA, "10.0.0.1", 2s);
  CHECK(only_one_in(store).last_seen == kNow + 9s);
}

TEST_CASE("PendingStore: beyond the total the one not seen for longest goes") {
  const TempHome home;
  PendingStore store = store_of(home, {3, 16});
  for (int i = 0; i < 3; ++i) note(store, number(i), "10.0.0." + std::to_string(i), std::chrono::seconds(i));
  note(store, number(0), "10.0.0.0", 5s);  // seen again
  note(store, number(3), "10.0.0.3", 6s);
  CHECK(keys_in(store) == std::set<std::string>{number(0), number(2), number(3)});
  REQUIRE(store.flush());
  note(store, number(4), "10.0.0.4", 7s);
  CHECK(keys_in(store) == std::set<std::string>{number(0), number(3), number(4)});
  REQUIRE(store.flush());
  CHECK(keys_in(store_of(home)) == std::set<std::string>{number(0), number(3), number(4)});
}

TEST_CASE("PendingStore: beyond the number for an address one of that address goes, and none of another") {
  const TempHome home;
  PendingStore store = store_of(home, {100, 2});
  note(store, "other", "10.0.0.9", 0s);
  for (int i = 0; i < 3; ++i) note(store, number(i), "10.0.0.1", std::chrono::seconds(i + 1));
  CHECK(keys_in(store) == std::set<std::string>{"other", number(1), number(2)});
  REQUIRE(store.flush());
  note(store, number(3), "10.0.0.1", 9s);
  CHECK(keys_in(store) == std::set<std::string>{"other", number(2), number(3)});
  // Who moves to another address counts there.
  note(store, "other", "10.0.0.1", 10s);
  CHECK(keys_in(store) == std::set<std::string>{"other", number(3)});
  REQUIRE(store.flush());
  CHECK(keys_in(store_of(home)) == std::set<std::string>{"other", number(3)});
}

TEST_CASE("PendingStore: an address that floods pushes out no other") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, "honest", "10.0.0.2");
  for (int i = 0; i < 5000; ++i) note(store, number(i), "10.0.0.1", 1s);
  CHECK(pending_in(store).size() == 17);
  CHECK(keys_in(store).contains("honest"));
}

TEST_CASE("PendingStore: a flood stays within the bounds, in memory and on disk") {
  const TempHome home;
  PendingStore store = store_of(home);
  for (int i = 0; i < 20'000; ++i)
    note(store, number(i), "10.0." + std::to_string(i % 5000), std::chrono::seconds(i));
  CHECK(pending_in(store).size() == 1000);
  REQUIRE(store.flush());
  CHECK(pending_in(store_of(home)).size() == 1000);
  CHECK(keys_in(store).contains(number(19'999)));
  CHECK(keys_in(store).contains(number(19'000)));
  CHECK_FALSE(keys_in(store).contains(number(18'999)));
}

TEST_CASE("PendingStore: keeps at least one, whatever the limits say") {
  const TempHome home;
  for (const PendingStore::Limits limits : {PendingStore::Limits{0, 0}, {1, 1}, {1, 0}, {0, 1}}) {
    PendingStore store = store_of(home, limits);
    note(store, kKeyA, "10.0.0.1", 1s);
    note(store, kKeyA, "10.0.0.2", 2s);
    note(store, kKeyB, "10.0.0.2", 3s);
    CHECK(keys_in(store) == std::set<std::string>{kKeyB});
    REQUIRE(store.flush());
    CHECK(keys_in(store) == std::set<std::string>{kKeyB});
  }
}

TEST_CASE("PendingStore: limits that shrank apply to what is in the file") {
  const TempHome home;
  PendingStore store = store_of(home, {5000, 5000});
  for (int i = 0; i < 3000; ++i) note(store, number(i), "10.0.0.1", std::chrono::seconds(i));
  REQUIRE(store.flush());
  CHECK(pending_in(store).size() == 3000);
  CHECK(keys_in(store_of(home, {2, 16})) == std::set<std::string>{number(2998), number(2999)});
}

TEST_CASE("PendingStore: what the filter decides is left out, and goes at the next write") {
  const TempHome home;
  {
    PendingStore store = store_of(home);
    note(store, kKeyA);
    note(store, kKeyB);
    REQUIRE(store.flush());
  }
  PendingStore store =
      store_of(home, kDefault, [](const PendingRequest& request) { return request.credentials != kKeyA; });
  CHECK(keys_in(store) == std::set<std::string>{kKeyB});
  CHECK(home.read("pending.json").find(kKeyA) != std::string::npos);
  note(store, kKeyC);
  note(store, kKeyA);
  CHECK(keys_in(store) == std::set<std::string>{kKeyB, kKeyC});
  REQUIRE(store.flush());
  CHECK(home.read("pending.json").find(kKeyA) == std::string::npos);
}

TEST_CASE("PendingStore: who is decided takes no place from others") {
  const TempHome home;
  PendingStore store = store_of(
      home, {2, 2}, [](const PendingRequest& request) { return request.credentials.starts_with("key"); });
  note(store, number(0), "10.0.0.1", 0s);
  REQUIRE(store.flush());
  note(store, "decided-1", "10.0.0.1", 1s);
  note(store, "decided-2", "10.0.0.1", 2s);
  CHECK(keys_in(store) == std::set<std::string>{number(0)});
}

TEST_CASE("PendingStore: a file that is not its own is refused, left untouched, and nothing is forgotten") {
  const TempHome home;
  for (const std::string& foreign :
       {std::string(R"({"version": 2, "pending": [], "decided": []})"),
        std::string(R"({"pending": [], "decided": []})"),
        std::string(R"({"version": "1", "pending": [], "decided": []})"), std::string("[]"), std::string("{"),
        std::string(), std::string(R"({"version": 1, "pending": {}, "decided": []})"),
        std::string(R"({"version": 1, "pending": []})")}) {
    INFO(foreign);
    home.write("pending.json", foreign);
    PendingStore store = store_of(home);
    CHECK_FALSE(store.load());
    note(store, kKeyA);
    note(store, kKeyA);
    CHECK_FALSE(store.flush());
    CHECK_FALSE(store.edit([](PendingState&) { return Result<void>(); }));
    CHECK(home.read("pending.json") == foreign);
    CHECK(store.has_unwritten());
    std::filesystem::remove(home / "pending.json");
    REQUIRE(store.flush());
    CHECK(only_one_in(store_of(home)).retries == 2);
  }
}

TEST_CASE("PendingStore: a newer version is told as such, a broken file with its place") {
  const TempHome home;
  home.write("pending.json", R"({"version": 2})");
  CHECK(store_of(home).load().error().code == ErrorCode::kUnsupported);
  CHECK(store_of(home).load().error().location == "pending.json: /version");
  home.write("pending.json", "{\n]");
  CHECK(store_of(home).load().error().code == ErrorCode::kParseError);
  CHECK(store_of(home).load().error().location == "pending.json:2:1");
}

TEST_CASE("PendingStore: an ill-typed member is told with its place") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, kKeyA);
  REQUIRE(store.flush());
  const Json good = *Json::parse(home.read("pending.json"));
  const auto location_with = [&](std::string_view member, Json value) {
    Json bad = good;
    bad.find("pending")->as_array()[0].set(member, std::move(value));
    home.write("pending.json", bad.dump());
    const auto loaded = store.load();
    INFO(member);
    REQUIRE_FALSE(loaded);
    return loaded.error().location;
  };
  CHECK(location_with("mechanism", "GSSAPI") == "pending.json: /pending/0/mechanism");
  CHECK(location_with("credentials", 5) == "pending.json: /pending/0/credentials");
  CHECK(location_with("user_id", Json()) == "pending.json: /pending/0/user_id");
  CHECK(location_with("first_seen", "yesterday") == "pending.json: /pending/0/first_seen");
  CHECK(location_with("last_seen", 0) == "pending.json: /pending/0/last_seen");
  for (const std::string_view count : {"-1", "1.5", "1e3", "99999999999999999999"}) {
    CHECK(location_with("retries", Json(Json::Number{std::string(count)})) ==
          "pending.json: /pending/0/retries");
  }
  Json no_object = good;
  no_object.find("pending")->as_array()[0] = Json("x");
  home.write("pending.json", no_object.dump());
  CHECK(store.load().error().location.starts_with("pending.json: /pending/0"));
}

TEST_CASE("PendingStore: what could not be written is put back, older than what came meanwhile") {
  const TempHome home;
  PendingStore store = store_of(home, {2, 16});
  note(store, kKeyA, "10.0.0.1", 1s);
  const std::string user_id = only_one_in(store).user_id;
  std::filesystem::create_directory(home / "pending.json.tmp");
  REQUIRE_FALSE(store.flush());
  CHECK(store.has_unwritten());
  CHECK_FALSE(home.has("pending.json"));
  note(store, kKeyA, "10.0.0.1", 2s);
  CHECK(only_one_in(store).retries == 2);
  CHECK(only_one_in(store).user_id == user_id);
  CHECK(only_one_in(store).first_seen == kNow + 1s);
  REQUIRE_FALSE(store.flush());
  std::filesystem::remove(home / "pending.json.tmp");
  REQUIRE(store.flush());
  CHECK(only_one_in(store_of(home)).retries == 2);
}

TEST_CASE("PendingStore: a change that fails writes nothing and forgets nothing") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, kKeyA);
  const auto failed = store.edit([&](PendingState& state) -> Result<void> {
    CHECK(state.pending.size() == 1);
    note(store, kKeyA, "10.0.0.7", 3s);  // meanwhile
    note(store, kKeyB, "10.0.0.7", 4s);
    state.pending.clear();
    return Error{ErrorCode::kConflict, "changed my mind", ""};
  });
  CHECK(failed.error().code == ErrorCode::kConflict);
  CHECK_FALSE(home.has("pending.json"));
  CHECK(store.has_unwritten());
  const auto pending = pending_in(store);
  REQUIRE(pending.size() == 2);
  CHECK(pending[0].credentials == kKeyA);
  CHECK(pending[0].retries == 2);
  CHECK(pending[0].address == "10.0.0.7");
  CHECK(pending[0].first_seen == kNow);
}

TEST_CASE("PendingStore: an edit sees what was noted and writes all of its change") {
  const TempHome home;
  PendingStore store = store_of(home);
  note(store, kKeyA);
  note(store, kKeyB);
  REQUIRE(store.edit([](PendingState& state) -> Result<void> {
    if (state.pending.size() != 2) return Error{};
    state.decided.push_back(
        {Mechanism::kCurve, state.pending[0].credentials, Json("vip"), Json(Json::Array{"10.0.0.1"})});
    state.pending.erase(state.pending.begin());
    return {};
  }));
  CHECK_FALSE(store.has_unwritten());
  const auto state = store_of(home).load();
  REQUIRE(state);
  CHECK(state->pending.size() == 1);
  REQUIRE(state->decided.size() == 1);
  const DecidedPeer* peer = state->find_decided(Mechanism::kCurve, kKeyA);
  REQUIRE(peer != nullptr);
  CHECK(peer->domain == Json("vip"));
  CHECK(peer->address == Json(Json::Array{"10.0.0.1"}));
  CHECK(state->find_decided(Mechanism::kPlain, kKeyA) == nullptr);
  CHECK(state->find_decided(Mechanism::kCurve, kKeyB) == nullptr);
}

TEST_CASE("PendingStore: notes that race with flushes are all counted") {
  const TempHome home;
  constexpr int kThreads = 4;
  constexpr int kNotes = 3000;
  PendingStore store = store_of(home, {100, 100});
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kNotes; ++i) note(store, number(i % 10), "10.0.0.1", std::chrono::seconds(i));
      --running;
    });
  }
  bool all_flushed = true;
  while (running > 0) all_flushed = store.flush().has_value() && all_flushed;
  for (std::thread& thread : threads) thread.join();
  CHECK(all_flushed);
  REQUIRE(store.flush());
  std::uint64_t total = 0;
  for (const PendingRequest& request : pending_in(store_of(home))) total += request.retries;
  CHECK(total == std::uint64_t{kThreads} * kNotes);
}

TEST_CASE("PendingStore: at no moment of a flush is a request missing from what is loaded") {
  const TempHome home;
  PendingStore store = store_of(home);
  std::atomic<bool> done = false;
  std::atomic<int> noted = 0;
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) {
      note(store, number(i), "10.0.0." + std::to_string(i));
      noted = i + 1;
      if (!store.flush()) break;
    }
    done = true;
  });
  bool missed = false;
  while (!done) {
    const int at_least = noted;
    const auto state = store.load();
    missed = missed || !state || static_cast<int>(state->pending.size()) < at_least;
  }
  writer.join();
  CHECK(noted == 40);
  CHECK_FALSE(missed);
}

TEST_CASE("PendingStore: processes that flush at once lose nothing") {
  const TempHome home;
  constexpr int kProcesses = 10;
  std::vector<ChildProcess> processes;
  processes.reserve(kProcesses);
  for (int p = 0; p < kProcesses; ++p) {
    processes.emplace_back([&, p] {
      PendingStore store = store_of(home);
      for (int i = 0; i < 5; ++i) {
        note(store, "shared", "10.0.0.1");
        note(store, number(p), "10.0.1." + std::to_string(p));
        if (!store.flush()) return 1;
      }
      return 0;
    });
  }
  for (ChildProcess& process : processes) CHECK(process.wait() == 0);
  const auto pending = pending_in(store_of(home));
  CHECK(pending.size() == kProcesses + 1);
  const auto total =
      std::accumulate(pending.begin(), pending.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const PendingRequest& r) { return sum + r.retries; });
  CHECK(total == std::uint64_t{kProcesses} * 10);
}

TEST_CASE("PendingStore: what was noted goes along with a store that is moved") {
  const TempHome home;
  PendingStore first = store_of(home);
  note(first, "a");
  PendingStore second(std::move(first));
  CHECK(second.has_unwritten());
  note(second, "b");
  PendingStore third = store_of(home);
  note(third, "lost");
  third = std::move(second);
  REQUIRE(third.flush());
  CHECK(keys_in(store_of(home)) == std::set<std::string>{"a", "b"});
}
