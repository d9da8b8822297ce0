#include <vipauth/auth_service.hpp>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <vipauth/file_history.hpp>

#include "store/atomic_file.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

const std::string kVersion = R"("version": {"major": 1, "minor": 4})";

std::string record(const std::string& user_id, const std::string& key, const std::string& more = "") {
  return R"({"user_id": ")" + user_id + R"(", "credentials": ")" + key + "\"" +
         (more.empty() ? "" : ", " + more) + "}";
}

/// The text of an auth.json that allows these records.
std::string allowing(const std::vector<std::string>& records, const std::string& more = "") {
  std::string list;
  for (const std::string& text : records) list += (list.empty() ? "" : ", ") + text;
  return "{\"allow\": [" + list + "], " + (more.empty() ? "" : more + ", ") + kVersion + "}";
}

const std::string kAlice = record("alice", kKeyA);
const std::string kBob = record("bob", kKeyB);
const std::string kProtected = R"({"write-protect": [{"topic": "guarded", "capabilities": ["pub"]}]})";

/// A clock that a test sets.
class TestClock {
 public:
  Clock clock() {
    return [this] { return Timestamp(std::chrono::milliseconds(now_.load())); };
  }
  void set(Timestamp now) { now_ = now.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> now_ = kNow.time_since_epoch().count();
};

AuthService open(const TempHome& home, AuthService::Options options = {}) {
  auto service = AuthService::open(home.path(), std::move(options));
  INFO((service ? "" : service.error().to_string()));
  REQUIRE(service);
  return std::move(*service);
}

/// Without a thread: only reload() reads.
AuthService open_still(const TempHome& home, LogSink log = {}) {
  AuthService::Options options;
  options.watch = false;
  options.log = std::move(log);
  return open(home, std::move(options));
}

bool accepts(const AuthService& service, const std::string& key) {
  return ask_curve(service.zap_authenticator(), key).status_code == "200";
}

Session session_for(const AuthService& service, const std::string& user_id, const std::string& key) {
  return service.session({user_id, Mechanism::kCurve, key, "vip", "127.0.0.1"});
}

}  // namespace

TEST_CASE("AuthService: needs a folder") {
  const TempHome home;
  CHECK(AuthService::open(home.path() / "missing").error().code == ErrorCode::kNotFound);
  home.write("file", "");
  CHECK(AuthService::open(home / "file").error().code == ErrorCode::kNotFound);
  CHECK(AuthService::open(home.path()));
}

TEST_CASE("AuthService: a home without files knows nobody, and protects nothing") {
  const TempHome home;
  const AuthService service = open_still(home);
  CHECK_FALSE(service.last_problem());
  CHECK(ask_curve(service.zap_authenticator(), kKeyA).status_code == "300");
  CHECK(service.authorize_publish("alice", "topic").reason() == Reason::kUnknown);
  CHECK(service.get_pending_authorizations()->size() == 1);
  CHECK(service.get_approved_authorizations()->empty());
  CHECK(service.get_denied_authorizations()->empty());
}

TEST_CASE("AuthService: decides by the files of its home") {
  const TempHome home;
  home.write("auth.json",
             allowing({record("alice", kKeyA, R"("identity": "agent.a", "capabilities": ["pub", "CAP"])"),
                       record("bob", kKeyB,
                              R"("identity": "agent.b", "rpc_method_authorizations": {"m": ["CAP"]})")}));
  home.write("protected_topics.json", kProtected);
  const AuthService service = open_still(home);
  CHECK(accepts(service, kKeyA));
  CHECK_FALSE(accepts(service, kKeyC));
  const CallArguments none;
  CHECK(service.authorize_call("alice", {"agent.b", "m", none}).allowed());
  CHECK(service.authorize_call("bob", {"agent.b", "m", none}).reason() == Reason::kMissingCapability);
  CHECK(service.authorize_publish("alice", "guarded").allowed());
  CHECK(service.authorize_publish("bob", "guarded").reason() == Reason::kMissingCapability);
  CHECK(service.authorize_publish("bob", "open").allowed());
  CHECK(service.authorize_receive("bob", "guarded").allowed());
  CHECK(service.authorize_receive("nobody", "guarded").reason() == Reason::kUnknown);
  Session alice = session_for(service, "alice", kKeyA);
  CHECK(AuthService::verify_sender(alice, "agent.a").allowed());
  CHECK(AuthService::verify_sender(alice, "agent.b").reason() == Reason::kWrongIdentity);
}

TEST_CASE("AuthService: starts with a bad file, refuses, and says where it is bad") {
  const TempHome home;
  home.write("auth.json", "{\n  \"allow\": [" + kAlice + "\n}");
  LogBook log;
  AuthService service = open_still(home, log.sink());
  REQUIRE(service.last_problem());
  CHECK(service.last_problem()->code == ErrorCode::kParseError);
  CHECK(service.last_problem()->location == "auth.json:3:1");
  CHECK(log.count(LogLevel::kError, "auth.json:3:1: ") == 1);
  CHECK(log.count(LogLevel::kError, "everybody is refused") == 1);
  CHECK(ask_curve(service.zap_authenticator(), kKeyA).status_code == "300");
  const CallArguments none;
  CHECK(service.authorize_call("alice", {"b", "m", none}).reason() == Reason::kNoPolicy);
  CHECK(service.authorize_publish("alice", "topic").reason() == Reason::kNoPolicy);
  CHECK(service.authorize_receive("alice", "topic").reason() == Reason::kNoPolicy);
  CHECK(session_for(service, "alice", kKeyA).check().reason() == Reason::kRevoked);
  // Whether alice is a stranger cannot be told yet.
  CHECK(service.get_pending_authorizations()->empty());

  CHECK_FALSE(service.reload());
  home.write("auth.json", allowing({kAlice}));
  REQUIRE(service.reload());
  CHECK_FALSE(service.last_problem());
  CHECK(accepts(service, kKeyA));
}

TEST_CASE("AuthService: a bad file changes nothing, until it is good again") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  LogBook log;
  AuthService service = open_still(home, log.sink());
  Session alice = session_for(service, "alice", kKeyA);
  for (const std::string& bad :
       {std::string("{\"allow\": ["), std::string(), std::string("[]"), std::string(R"({"allow": {}})"),
        std::string(R"({"allow": [], "version": {"major": 2, "minor": 0}})"),
        allowing({}, R"("deny": [{"credentials": "not a key"}])"), allowing({kAlice}) + "}"}) {
    INFO(bad);
    home.write("auth.json", bad);
    const auto reloaded = service.reload();
    REQUIRE_FALSE(reloaded);
    REQUIRE(service.last_problem());
    CHECK(service.last_problem()->to_string() == reloaded.error().to_string());
    CHECK(service.last_problem()->location.starts_with("auth.json"));
    CHECK(accepts(service, kKeyA));
    CHECK(alice.check().allowed());
    CHECK(home.read("auth.json") == bad);
  }
  CHECK(log.count(LogLevel::kError, "the last good policy stays in force") == 7);
  home.write("auth.json", allowing({kBob}));
  REQUIRE(service.reload());
  CHECK_FALSE(service.last_problem());
  CHECK_FALSE(accepts(service, kKeyA));
  CHECK(accepts(service, kKeyB));
  CHECK(alice.check().reason() == Reason::kRevoked);
}

TEST_CASE("AuthService: the same problem is logged once") {
  const TempHome home;
  home.write("auth.json", "{");
  LogBook log;
  AuthService service = open_still(home, log.sink());
  for (int i = 0; i < 3; ++i) CHECK_FALSE(service.reload());
  CHECK(log.count(LogLevel::kError, "auth.json") == 1);
  home.write("auth.json", "{}\n}");
  CHECK_FALSE(service.reload());
  CHECK(log.count(LogLevel::kError, "auth.json") == 2);
}

TEST_CASE("AuthService: a deny record that is not understood fails the whole file") {
  const TempHome home;
  home.write("auth.json",
             allowing({kAlice}, R"("deny": [)" + record("x", kKeyB) + R"(, {"credentials": "/(/"}])"));
  AuthService service = open_still(home);
  REQUIRE(service.last_problem());
  CHECK(service.last_problem()->location == "auth.json: /deny/1/credentials");
  CHECK_FALSE(accepts(service, kKeyA));
  home.write("auth.json", allowing({kAlice}, R"("deny": [)" + record("x", kKeyB) + "]"));
  REQUIRE(service.reload());
  CHECK(accepts(service, kKeyA));
  CHECK(ask_curve(service.zap_authenticator(), kKeyB).status_code == "400");
}

TEST_CASE("AuthService: an allow record that is not understood is reported and takes down no other") {
  const TempHome home;
  home.write("auth.json", allowing({record("x", "not a key"), kAlice, "5"}));
  LogBook log;
  const AuthService service = open_still(home, log.sink());
  CHECK_FALSE(service.last_problem());
  CHECK(accepts(service, kKeyA));
  CHECK(log.count(LogLevel::kWarning, "auth.json: /allow/0/credentials: ") == 1);
  CHECK(log.count(LogLevel::kWarning, "auth.json: /allow/2: ") == 1);
  CHECK_FALSE(log.mentions("not a key\""));
}

TEST_CASE("AuthService: a file that disappears keeps the last policy and says so") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  AuthService service = open_still(home);
  std::filesystem::remove(home / "auth.json");
  REQUIRE_FALSE(service.reload());
  CHECK(service.last_problem()->code == ErrorCode::kNotFound);
  CHECK(service.last_problem()->message.find("auth.json") != std::string::npos);
  CHECK(accepts(service, kKeyA));
  home.write("auth.json", allowing({kBob}));
  REQUIRE(service.reload());
  CHECK_FALSE(accepts(service, kKeyA));
}

TEST_CASE("AuthService: a bad file that disappears opens nothing") {
  const TempHome home;
  home.write("auth.json", "{");
  AuthService service = open_still(home);
  std::filesystem::remove(home / "auth.json");
  CHECK_FALSE(service.reload());
  CHECK(service.authorize_publish("alice", "topic").reason() == Reason::kNoPolicy);
}

TEST_CASE("AuthService: a file that may not be read is a problem, not an empty file") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  std::filesystem::permissions(home.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(home / "auth.json", std::filesystem::perms(0000));
  CHECK(ChildProcess([&] {
          if (!drop_privileges()) return 1;
          AuthService::Options options;
          options.watch = false;
          const auto service = AuthService::open(home.path(), options);
          // Where nobody may enter the temporary folder at all, that is the answer.
          if (!service) return service.error().code == ErrorCode::kPermissionDenied ? 0 : 5;
          if (!service->last_problem()) return 2;
          if (service->last_problem()->code != ErrorCode::kPermissionDenied) return 3;
          return service->authorize_publish("alice", "x").reason() == Reason::kNoPolicy ? 0 : 4;
        }).wait() == 0);
}

TEST_CASE("AuthService: bad topic rules without earlier ones refuse every publish") {
  const TempHome home;
  home.write("auth.json", allowing({record("alice", kKeyA, R"("capabilities": ["pub"])")}));
  LogBook log;
  for (const std::string& bad :
       {std::string("{\"write-protect\": [}"), std::string("[]"), std::string(),
        std::string(R"({"write-protect": [{"topic": "/(/", "capabilities": []}]})")}) {
    INFO(bad);
    home.write("protected_topics.json", bad);
    AuthService service = open_still(home, log.sink());
    REQUIRE(service.last_problem());
    CHECK(service.last_problem()->location.starts_with("protected_topics.json"));
    CHECK(accepts(service, kKeyA));
    CHECK(service.authorize_publish("alice", "open").reason() == Reason::kNoPolicy);
    CHECK(service.authorize_receive("alice", "open").reason() == Reason::kNoPolicy);
    CHECK(service.authorize_call("alice", {"x", "y", CallArguments()}).allowed());
    // Taking the bad file away does not open anything either.
    std::filesystem::remove(home / "protected_topics.json");
    CHECK_FALSE(service.reload());
    CHECK_FALSE(service.authorize_publish("alice", "open").allowed());
    home.write("protected_topics.json", kProtected);
    REQUIRE(service.reload());
    CHECK(service.authorize_publish("alice", "guarded").allowed());
  }
  CHECK(log.count(LogLevel::kError, "every publish is refused") >= 4);
}

TEST_CASE("AuthService: bad topic rules leave the earlier ones in force") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  home.write("protected_topics.json", kProtected);
  LogBook log;
  AuthService service = open_still(home, log.sink());
  const auto is_as_before = [&] {
    return service.authorize_publish("alice", "open").allowed() &&
           !service.authorize_publish("alice", "guarded").allowed();
  };
  CHECK(is_as_before());
  home.write("protected_topics.json", "{\"write-protect\": [}");
  CHECK(service.reload().error().location == "protected_topics.json:1:20");
  CHECK(is_as_before());
  CHECK(log.count(LogLevel::kError, "the last good rules stay in force") == 1);
  std::filesystem::remove(home / "protected_topics.json");
  CHECK(service.reload().error().code == ErrorCode::kNotFound);
  CHECK(is_as_before());
  home.write("protected_topics.json", "{}");
  REQUIRE(service.reload());
  CHECK(service.authorize_publish("alice", "guarded").allowed());
}

TEST_CASE("AuthService: both files are read even where one is bad") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  home.write("protected_topics.json", kProtected);
  AuthService service = open_still(home);
  home.write("auth.json", "{");
  home.write("protected_topics.json", R"({"write-protect": [{"topic": "other", "capabilities": ["x"]}]})");
  CHECK(service.reload().error().location.starts_with("auth.json"));
  CHECK(service.authorize_publish("alice", "guarded").allowed());
  CHECK_FALSE(service.authorize_publish("alice", "other").allowed());
  home.write("auth.json", allowing({kBob}));
  home.write("protected_topics.json", "{");
  CHECK(service.reload().error().location.starts_with("protected_topics.json"));
  CHECK(accepts(service, kKeyB));
  CHECK_FALSE(service.authorize_publish("bob", "other").allowed());
}

// Watching

TEST_CASE("AuthService: follows files that appear, are replaced, and are written in place") {
  const TempHome home;
  const AuthService service = open(home);
  CHECK_FALSE(accepts(service, kKeyA));
  home.write("auth.json", allowing({kAlice}));
  CHECK(eventually([&] { return accepts(service, kKeyA); }));
  home.replace("auth.json", allowing({kBob}));
  CHECK(eventually([&] { return accepts(service, kKeyB) && !accepts(service, kKeyA); }));
  home.write("auth.json", allowing({kAlice}));
  CHECK(eventually([&] { return accepts(service, kKeyA) && !accepts(service, kKeyB); }));
  home.write("protected_topics.json", kProtected);
  CHECK(eventually([&] { return !service.authorize_publish("alice", "guarded").allowed(); }));
  home.replace("protected_topics.json", "{}");
  CHECK(eventually([&] { return service.authorize_publish("alice", "guarded").allowed(); }));
}

TEST_CASE(
    "AuthService: follows what AuthFile writes, and the next message of a connected peer is judged by it") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice, kBob}));
  const AuthService service = open(home);
  Session bob = session_for(service, "bob", kKeyB);
  REQUIRE(bob.check().allowed());
  REQUIRE(AuthFile(home / "auth.json").edit([](Policy& policy) { return policy.remove_allow({1}); }));
  CHECK(eventually([&] { return bob.check().reason() == Reason::kRevoked; }));
  CHECK_FALSE(bob.authorize_publish("open").allowed());
  CHECK(accepts(service, kKeyA));
}

TEST_CASE("AuthService: reports a broken edit, and takes the repaired one") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  LogBook log;
  AuthService::Options options;
  options.log = log.sink();
  const AuthService service = open(home, options);
  home.replace("auth.json", "{\n \"allow\": [,]}");
  CHECK(eventually([&] { return service.last_problem().has_value(); }));
  CHECK(service.last_problem()->location == "auth.json:2:12");
  CHECK(eventually([&] { return log.count(LogLevel::kError, "auth.json:2:12: ") == 1; }));
  CHECK(accepts(service, kKeyA));
  home.replace("auth.json", allowing({kBob}));
  CHECK(eventually([&] { return !service.last_problem(); }));
  CHECK(accepts(service, kKeyB));
}

TEST_CASE("AuthService: notices that files disappear and come back") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  const AuthService service = open(home);
  std::filesystem::rename(home / "auth.json", home / "away.json");
  CHECK(eventually([&] { return service.last_problem().has_value(); }));
  CHECK(accepts(service, kKeyA));
  std::filesystem::rename(home / "away.json", home / "auth.json");
  CHECK(eventually([&] { return !service.last_problem(); }));
  std::filesystem::remove(home / "auth.json");
  CHECK(eventually([&] { return service.last_problem().has_value(); }));
}

TEST_CASE("AuthService: finds its folder again after it was moved away and made anew") {
  const TempHome outer;
  outer.make_folder("home");
  outer.write("home/auth.json", allowing({kAlice}));
  auto opened = AuthService::open(outer / "home");
  REQUIRE(opened);
  const AuthService service = std::move(*opened);
  std::filesystem::rename(outer / "home", outer / "old");
  CHECK(eventually([&] { return service.last_problem().has_value(); }));
  CHECK(accepts(service, kKeyA));
  outer.make_folder("home");
  outer.write("home/auth.json", allowing({kBob}));
  CHECK(eventually([&] { return !service.last_problem() && accepts(service, kKeyB); }));
  outer.replace("home/auth.json", allowing({kAlice}));
  CHECK(eventually([&] { return accepts(service, kKeyA) && !accepts(service, kKeyB); }));
}

TEST_CASE("AuthService: without watching only reload reads") {
  const TempHome home;
  AuthService service = open_still(home);
  home.write("auth.json", allowing({kAlice}));
  CHECK_FALSE(accepts(service, kKeyA));
  REQUIRE(service.reload());
  CHECK(accepts(service, kKeyA));
}

TEST_CASE("AuthService: a lock on pending.json that is not let go does not keep a new policy out") {
  const TempHome home;
  AuthService::Options options;
  options.pending_flush_interval = 1ms;
  const AuthService service = open(home, options);
  const auto lock = FileLock::acquire(home / "pending.json", 0ms);
  REQUIRE(lock);
  ask_curve(service.zap_authenticator(), kKeyC);              // is to be written soon, and cannot be
  const auto end = std::chrono::steady_clock::now() + 300ms;  // some attempts to write
  for (int i = 0; std::chrono::steady_clock::now() < end; ++i) {
    const std::string& key = i % 2 == 0 ? kKeyA : kKeyB;
    home.replace("auth.json", allowing({record("user", key)}));
    REQUIRE(eventually([&] { return accepts(service, key); }, 30s));
  }
  CHECK_FALSE(home.has("pending.json"));
  CHECK_FALSE(service.get_pending_authorizations()->empty());
}

// Changes

TEST_CASE("AuthService: tells of each new policy, and whom it no longer accepts") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice, kBob, record("carol", kKeyC)}));
  AuthService service = open_still(home);
  std::vector<PolicyChange> changes;
  int others = 0;
  service.on_change([&](const PolicyChange& change) { changes.push_back(change); });
  service.on_change([&](const PolicyChange&) { ++others; });
  home.write("auth.json", allowing({kAlice, record("dave", kKeyC)}));
  REQUIRE(service.reload());
  REQUIRE(changes.size() == 1);
  CHECK(others == 1);
  CHECK(changes[0].generation == service.policy()->generation());
  CHECK(changes[0].revoked == std::vector<std::string>{"bob", "carol"});
  REQUIRE(service.reload());
  REQUIRE(changes.size() == 2);
  CHECK(changes[1].generation > changes[0].generation);
  CHECK(changes[1].revoked.empty());
}

TEST_CASE("AuthService: a user is revoked when disabled, denied, expired or given another key") {
  const TempHome home;
  AuthService service = open_still(home);
  std::vector<std::string> revoked;
  service.on_change([&](const PolicyChange& change) { revoked = change.revoked; });
  for (const std::string& after :
       {allowing({record("alice", kKeyA, R"("enabled": false)"), kBob}),
        allowing({record("alice", kKeyA, R"("not_after": "2020-01-01T00:00:00Z")"), kBob}),
        allowing({record("alice", kKeyA, R"("not_before": "9020-01-01T00:00:00Z")"), kBob}),
        allowing({record("alice", kKeyC), kBob}),
        allowing({kAlice, kBob}, R"("deny": [{"credentials": ")" + kKeyA + "\"}]"),
        allowing({kAlice, kBob}, R"("deny": [{"credentials": "/A.*/"}])")}) {
    INFO(after);
    home.write("auth.json", allowing({kAlice, kBob}));
    REQUIRE(service.reload());
    Session alice = session_for(service, "alice", kKeyA);
    REQUIRE(alice.check().allowed());
    home.write("auth.json", after);
    REQUIRE(service.reload());
    CHECK(revoked == std::vector<std::string>{"alice"});
    CHECK(alice.check().reason() == Reason::kRevoked);
    CHECK(session_for(service, "bob", kKeyB).check().allowed());
  }
}

TEST_CASE("AuthService: a bad file revokes nobody") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  AuthService service = open_still(home);
  std::vector<std::string> revoked;
  service.on_change([&](const PolicyChange& change) {
    revoked.insert(revoked.end(), change.revoked.begin(), change.revoked.end());
  });
  home.write("auth.json", "{");
  CHECK_FALSE(service.reload());
  CHECK(revoked.empty());
}

TEST_CASE("AuthService: callbacks and the log may ask the service") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  std::optional<AuthService> service;
  int problems_seen = 0;
  AuthService::Options options;
  options.watch = false;
  options.log = [&](LogLevel level, const std::string&) {
    if (service && level == LogLevel::kError && service->last_problem()) ++problems_seen;
  };
  service = open(home, options);
  bool was_in_force = false;
  service->on_change([&](const PolicyChange& change) {
    was_in_force = service->policy()->generation() == change.generation && !service->last_problem() &&
                   accepts(*service, kKeyB);
    service->on_change([](const PolicyChange&) {});
  });
  home.write("auth.json", allowing({kBob}));
  REQUIRE(service->reload());
  CHECK(was_in_force);
  home.write("auth.json", "{");
  CHECK_FALSE(service->reload());
  CHECK(problems_seen == 1);
}

TEST_CASE("AuthService: reloads from many threads at once leave the last file in force") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  AuthService service = open(home);
  std::atomic<std::uint64_t> latest = 0;
  service.on_change([&](const PolicyChange& change) {
    std::uint64_t seen = latest;
    while (seen < change.generation && !latest.compare_exchange_weak(seen, change.generation)) {
    }
  });
  std::atomic<bool> done = false;
  std::atomic<bool> was_refused = false;
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 30; ++i) static_cast<void>(service.reload());
    });
  }
  std::thread asker([&] {
    Session alice = session_for(service, "alice", kKeyA);
    while (!done) {
      if (!alice.check().allowed() || !alice.authorize_publish("topic").allowed()) was_refused = true;
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  asker.join();
  CHECK_FALSE(was_refused);
  CHECK(latest == service.policy()->generation());
  home.replace("auth.json", allowing({kBob}));
  REQUIRE(service.reload());
  CHECK_FALSE(accepts(service, kKeyA));
}

// Time

TEST_CASE("AuthService: a record ends by itself when its time has come") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice, kBob}));
  AuthService service = open(home);
  std::mutex mutex;
  std::vector<std::string> revoked;
  service.on_change([&](const PolicyChange& change) {
    const std::lock_guard lock(mutex);
    revoked.insert(revoked.end(), change.revoked.begin(), change.revoked.end());
  });
  const Timestamp soon = system_now() + 300ms;
  // The record is another one by its time alone: nobody is revoked before that.
  home.replace("auth.json",
               allowing({record("alice", kKeyA, R"("not_after": ")" + format_timestamp(soon) + "\""), kBob}));
  CHECK(eventually([&] { return !accepts(service, kKeyA); }));
  CHECK(system_now() >= soon);
  CHECK(eventually([&] {
    const std::lock_guard lock(mutex);
    return revoked == std::vector<std::string>{"alice"};
  }));
  CHECK(accepts(service, kKeyB));
}

TEST_CASE("AuthService: a record begins by itself when its time has come") {
  const TempHome home;
  const std::string soon = format_timestamp(system_now() + 300ms);
  home.write("auth.json", allowing({record("alice", kKeyA, R"("not_before": ")" + soon + "\"")}));
  const AuthService service = open(home);
  CHECK(eventually([&] { return accepts(service, kKeyA); }));
  CHECK(system_now() >= *parse_timestamp(soon));
}

TEST_CASE("AuthService: judges time by the clock that it is given") {
  const TempHome home;
  home.write(
      "auth.json",
      allowing({record("alice", kKeyA,
                       R"("not_before": "2026-12-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z")")}));
  TestClock time;
  AuthService::Options options;
  options.watch = false;
  options.clock = time.clock();
  AuthService service = open(home, options);
  const auto at = [&](std::string_view now) {
    time.set(*parse_timestamp(now));
    REQUIRE(service.reload());
    return accepts(service, kKeyA);
  };
  CHECK_FALSE(at("2026-11-30T23:59:59.999Z"));
  CHECK(at("2026-12-01T00:00:00Z"));
  CHECK(at("2026-12-31T23:59:59.999Z"));
  CHECK_FALSE(at("2027-01-01T00:00:00Z"));
  CHECK(at("2026-12-15T00:00:00Z"));  // a clock that is set back counts as well
}

TEST_CASE("AuthService: a clock that jumps is noticed without anything else happening") {
  const TempHome home;
  home.write("auth.json", allowing({record("alice", kKeyA, R"("not_after": "2027-01-01T00:00:00Z")")}));
  TestClock time;
  AuthService::Options options;
  options.clock = time.clock();
  const AuthService service = open(home, options);
  REQUIRE(accepts(service, kKeyA));
  time.set(*parse_timestamp("2027-01-01T00:00:00Z"));
  CHECK(eventually([&] { return !accepts(service, kKeyA); }));
}

// Asking

TEST_CASE("AuthService: peers over IPC of our own user are accepted only where that is turned on") {
  const TempHome home;
  home.write("auth.json", allowing({}));
  const std::string ours = "localhost:" + std::to_string(::geteuid()) + ":0:4711";
  const std::string other = "localhost:" + std::to_string(::geteuid() + 1) + ":0:4711";
  AuthService::Options options;
  options.watch = false;
  CHECK(ask_null(open(home, options).zap_authenticator(), ours).status_code == "400");
  options.trust_same_user_ipc = true;
  const AuthService trusting = open(home, options);
  const ZapReply reply = ask_null(trusting.zap_authenticator(), ours);
  CHECK(reply.status_code == "200");
  CHECK(reply.user_id == "vip," + ours + ",NULL");
  CHECK(ask_null(trusting.zap_authenticator(), other).status_code == "400");
  CHECK(ask_null(trusting.zap_authenticator(), "127.0.0.1").status_code == "400");
}

TEST_CASE("AuthService: logs each decision about a peer in the form that its users know") {
  const TempHome home;
  const std::string key = "HOVXfTspZWcpHQcYT_xGcqypBHzQHTgqEzVb4iXrcDg";
  home.write("auth.json", allowing({record("Agent-A", key)}));
  LogBook log;
  const AuthService service = open_still(home, log.sink());
  const ZapAuthenticator zap = service.zap_authenticator();
  CHECK(ask_curve(zap, key).status_code == "200");
  CHECK(ask_curve(zap, kKeyB, "10.0.0.1").status_code == "300");
  CHECK(ask_null(zap).status_code == "400");
  const std::vector<LogBook::Line> expected = {
      {LogLevel::kInfo,
       "authentication success: domain='vip', address='127.0.0.1', mechanism='CURVE', credentials=['" + key +
           "'], user_id='Agent-A'"},
      {LogLevel::kInfo,
       "authentication failure: domain='vip', address='10.0.0.1', mechanism='CURVE', credentials=['" + kKeyB +
           "']"},
      {LogLevel::kInfo,
       "authentication failure: domain='vip', address='127.0.0.1', mechanism='NULL', credentials=[]"}};
  CHECK(log.lines() == expected);
}

TEST_CASE("AuthService: no password is ever logged") {
  const TempHome home;
  home.write("auth.json",
             allowing({R"({"user_id": "bob", "mechanism": "PLAIN", "credentials": "hunter2"})",
                       R"({"user_id": "carl", "mechanism": "PLAIN", "credentials": ["hunter2"]})"}));
  LogBook log;
  AuthService service = open_still(home, log.sink());
  const ZapAuthenticator zap = service.zap_authenticator();
  CHECK(ask_plain(zap, "bob", "hunter2").status_code == "200");
  CHECK(ask_plain(zap, "bob", "hunter3").status_code == "400");
  CHECK(ask_plain(zap, "eve", "hunter4").status_code == "400");
  CHECK(log.count(LogLevel::kInfo,
                  "authentication success: domain='vip', address='127.0.0.1', mechanism='PLAIN', "
                  "credentials=['bob'], user_id='bob'") == 1);
  CHECK(log.count(LogLevel::kInfo,
                  "authentication failure: domain='vip', address='127.0.0.1', mechanism='PLAIN', "
                  "credentials=['bob']") == 1);
  CHECK_FALSE(log.mentions("hunter"));
  CHECK(service.get_pending_authorizations()->empty());
  home.write("auth.json", R"({"allow": [{"user_id": "bob", "mechanism": "PLAIN", "credentials": "hunter2")");
  CHECK_FALSE(service.reload());
  CHECK_FALSE(log.mentions("hunter"));
}

TEST_CASE("AuthService: what a peer puts into a log line stays one line") {
  const TempHome home;
  LogBook log;
  const AuthService service = open_still(home, log.sink());
  ask_curve(service.zap_authenticator(), kKeyA, "10.0.0.1\nauthentication success: ", "v'ip\x1b[2J");
  REQUIRE(log.lines().size() == 1);
  CHECK(log.lines()[0].second ==
        "authentication failure: domain=\"v'ip\\x1b[2J\", "
        "address='10.0.0.1\\nauthentication success: ', mechanism='CURVE', credentials=['" +
            kKeyA + "']");
}

TEST_CASE("AuthService: a malformed request is answered and becomes nothing") {
  const TempHome home;
  LogBook log;
  const AuthService service = open_still(home, log.sink());
  const ZapAuthenticator zap = service.zap_authenticator();
  CHECK(ask(zap, {}).status_code == "400");
  CHECK(ask(zap, {"1.0", "id", "vip", "127.0.0.1", "", "CURVE", "short"}).status_code == "400");
  CHECK(ask(zap, {"1.0", "id", "vip", "\xff", "", "CURVE", std::string(32, 'k')}).status_code == "400");
  CHECK(ask(zap, std::vector<std::string>(1000, "x")).status_code == "400");
  CHECK(service.get_pending_authorizations()->empty());
}

TEST_CASE("AuthService: its ZapAuthenticator may outlive it") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  std::optional<AuthService> service = open(home);
  const ZapAuthenticator zap = service->zap_authenticator();
  service.reset();
  CHECK(ask_curve(zap, kKeyA).status_code == "200");
  CHECK(ask_curve(zap, kKeyB).status_code == "300");
}

TEST_CASE("AuthService: can be moved while it is used") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  const TempHome other_home;
  AuthService service = open(home);
  const ZapAuthenticator zap = service.zap_authenticator();
  AuthService moved = std::move(service);
  ask_curve(zap, kKeyB);
  CHECK(moved.get_pending_authorizations()->size() == 1);
  moved = open(other_home);
  CHECK_FALSE(accepts(moved, kKeyA));
  CHECK(moved.get_pending_authorizations()->size() == 1);
}

TEST_CASE("AuthService: the server's keys are made once") {
  const TempHome home;
  const AuthService service = open_still(home);
  CHECK_FALSE(home.has("keystore"));
  const auto keys = service.server_keys();
  REQUIRE(keys);
  CHECK(service.server_keys()->public_key == keys->public_key);
  home.write("keystore", "{");
  CHECK(service.server_keys().error().code == ErrorCode::kParseError);
}

// Strangers

TEST_CASE("AuthService: a stranger is listed at once, and written soon by itself") {
  const TempHome home;
  const AuthService service = open(home);
  ask_curve(service.zap_authenticator(), kKeyA, "10.0.0.1");
  CHECK(service.get_pending_authorizations()->size() == 1);
  CHECK(eventually([&] { return home.has("pending.json"); }));
  CHECK(home.read("pending.json").find(kKeyA) != std::string::npos);
}

TEST_CASE("AuthService: within the interval strangers are only written when asked to, or at the end") {
  const TempHome home;
  AuthService::Options options;
  options.pending_flush_interval = 1h;
  {
    AuthService service = open(home, options);
    ask_curve(service.zap_authenticator(), kKeyA);
    CHECK(eventually([&] { return home.has("pending.json"); }));
    const std::string first = home.read("pending.json");
    ask_curve(service.zap_authenticator(), kKeyB);
    home.write("auth.json", allowing({record("x", kKeyC)}));  // wakes the thread
    CHECK(eventually([&] { return accepts(service, kKeyC); }));
    CHECK(home.read("pending.json") == first);
    CHECK(service.get_pending_authorizations()->size() == 2);
    REQUIRE(service.flush());
    CHECK(home.read("pending.json").find(kKeyB) != std::string::npos);
    ask_curve(service.zap_authenticator(), kKeyA);
  }
  const AuthService again = open_still(home);
  const auto pending = again.get_pending_authorizations();
  REQUIRE(pending->size() == 2);
  CHECK((*pending)[0].retries + (*pending)[1].retries == 3);
}

TEST_CASE("AuthService: without watching strangers are written when asked to") {
  const TempHome home;
  AuthService service = open_still(home);
  ask_curve(service.zap_authenticator(), kKeyA);
  CHECK_FALSE(home.has("pending.json"));
  REQUIRE(service.flush());
  CHECK(home.has("pending.json"));
}

TEST_CASE("AuthService: a pending.json that it cannot use is left alone, and authentication goes on") {
  const TempHome home;
  const std::string newer = R"({"version": 99, "pending": []})";
  home.write("pending.json", newer);
  home.write("auth.json", allowing({kAlice}));
  LogBook log;
  {
    AuthService::Options options;
    options.log = log.sink();
    options.pending_flush_interval = 1ms;
    AuthService service = open(home, options);
    CHECK(accepts(service, kKeyA));
    CHECK(ask_curve(service.zap_authenticator(), kKeyB).status_code == "300");
    CHECK(service.get_pending_authorizations().error().code == ErrorCode::kUnsupported);
    CHECK_FALSE(service.flush());
    CHECK(eventually([&] { return log.count(LogLevel::kError, "pending.json") >= 1; }));
    for (int i = 0; i < 50; ++i) ask_curve(service.zap_authenticator(), kKeyB);
  }
  CHECK(home.read("pending.json") == newer);
  CHECK(log.count(LogLevel::kError, "pending.json") <= 2);  // not once in each interval
}

TEST_CASE("AuthService: the limits on strangers are those of the options") {
  const TempHome home;
  AuthService::Options options;
  options.watch = false;
  options.pending_limits = {2, 1};
  const AuthService service = open(home, options);
  ask_curve(service.zap_authenticator(), kKeyA, "10.0.0.1");
  ask_curve(service.zap_authenticator(), kKeyB, "10.0.0.1");
  REQUIRE(service.get_pending_authorizations()->size() == 1);
  CHECK(service.get_pending_authorizations()->front().credentials == kKeyB);
  // One host under its two names is one address.
  ask_curve(service.zap_authenticator(), kKeyC, "::ffff:10.0.0.1");
  REQUIRE(service.get_pending_authorizations()->size() == 1);
  CHECK(service.get_pending_authorizations()->front().address == "10.0.0.1");
}

TEST_CASE("AuthService: a policy that others may change refuses everybody, unless that is wanted") {
  const TempHome home;
  home.write("auth.json", allowing({kAlice}));
  home.set_mode("auth.json", 0666);
  const AuthService strict = open_still(home);
  REQUIRE(strict.last_problem());
  CHECK(strict.last_problem()->code == ErrorCode::kPermissionDenied);
  CHECK_FALSE(accepts(strict, kKeyA));

  AuthService::Options options;
  options.watch = false;
  options.strict_modes = StrictModes::kOff;
  CHECK(accepts(open(home, options), kKeyA));

  home.set_mode("auth.json", 0600);
  AuthService mended = open_still(home);
  CHECK(accepts(mended, kKeyA));
  home.set_mode("auth.json", 0602);  // the last good policy stays
  CHECK_FALSE(mended.reload());
  CHECK(accepts(mended, kKeyA));
}

TEST_CASE("AuthService: reads an old version, and the history tells who denied") {
  const TempHome home;
  const std::string old =
      R"({"allow": [{"user_id": "alice", "address": "127.0.0.1", "credentials": "CURVE:)" + kKeyA + R"("}]})";
  home.write("auth.json", old);
  AuthService::Options options;
  options.watch = false;
  options.clock = [] { return kNow; };
  options.edit_note = {"operator", "auth remote deny"};
  AuthService service = open(home, options);
  CHECK(accepts(service, kKeyA));
  REQUIRE(service.deny_authorization("alice"));
  CHECK_FALSE(accepts(service, kKeyA));
  CHECK(home.read("auth.json.0.0.bak") == old);
  const auto generations = FileHistory(home / "auth.json").list();
  REQUIRE(generations);
  REQUIRE(generations->size() == 1);
  CHECK(generations->front().who == "operator");
  CHECK(generations->front().command == "auth remote deny");
  CHECK(generations->front().time == kNow);
}
