// What AuthService does about strangers: penalties, setup mode.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "store/atomic_file.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

const std::string kVersion = R"("version": {"major": 1, "minor": 4})";
const std::string kOnlyA =
    R"({"allow": [{"user_id": "a", "credentials": ")" + kKeyA + "\"}], " + kVersion + "}";

/// A key of its own for each number.
std::string key_of(std::uint32_t number) {
  CurveKey::Bytes bytes{};
  bytes[0] = 7;
  for (std::size_t i = 0; i < 4; ++i) bytes[i + 1] = static_cast<std::uint8_t>(number >> (8 * i));
  return CurveKey(bytes).to_base64url();
}

/// A service on a home, whose clock and log are the test's.
struct Guarded {
  explicit Guarded(const std::string& auth_json = kOnlyA, AuthService::Options options = still()) {
    home.write("auth.json", auth_json);
    options.log = log.sink();
    options.clock = [this] { return Timestamp(std::chrono::milliseconds(now.load())); };
    service.emplace(std::move(*AuthService::open(home.path(), std::move(options))));
  }

  static AuthService::Options still() {
    AuthService::Options options;
    options.watch = false;
    return options;
  }

  std::string status(const std::string& key, const std::string& address = "127.0.0.1") const {
    return ask_curve(service->zap_authenticator(), key, address).status_code;
  }
  void pass(std::chrono::milliseconds time) { now += time.count(); }
  Policy policy() const { return *AuthFile(home / "auth.json").load(); }

  std::atomic<std::int64_t> now = kNow.time_since_epoch().count();
  TempHome home;
  LogBook log;
  std::optional<AuthService> service;
};

}  // namespace

TEST_CASE(
    "AuthService: a flood from one address is counted rather than logged, and its keys are not pending") {
  Guarded guarded;
  for (std::uint32_t i = 0; i < 1000; ++i) CHECK(guarded.status(key_of(i), "10.0.0.1") == "300");
  CHECK(guarded.log.count(LogLevel::kInfo, "authentication failure") == 17);
  CHECK(guarded.log.count(LogLevel::kWarning, "address '10.0.0.1' has failed") == 1);
  CHECK(guarded.service->get_pending_authorizations()->size() == 16);
  CHECK(guarded.service->penalties().penalised == 1);
  CHECK(guarded.service->penalties().suppressed == 983);
  CHECK(guarded.status(kKeyA, "10.0.0.1") == "200");
  CHECK(guarded.status(key_of(1), "10.0.0.2") == "300");
  CHECK(guarded.log.count(LogLevel::kInfo, "address='10.0.0.2'") == 1);

  guarded.pass(20min);
  CHECK(guarded.service->penalties().penalised == 0);
  guarded.status(key_of(5000), "10.0.0.1");
  CHECK(guarded.log.count(LogLevel::kInfo, key_of(5000)) == 1);
}

TEST_CASE("AuthService: says once a minute what is penalised, by few names") {
  Guarded guarded;
  const auto flood = [&](std::uint32_t begin) {
    for (std::uint32_t i = begin; i < begin + 100; ++i) {
      for (std::uint32_t k = 0; k < 20; ++k)
        guarded.status(key_of(20 * i + k), "10.0.0." + std::to_string(i % 250));
    }
  };
  flood(0);
  CHECK(guarded.log.count(LogLevel::kWarning, "has failed to authenticate too often") == 1);
  guarded.pass(61s);
  flood(100);
  // 99 of the first flood and one of the second had begun.
  CHECK(guarded.log.count(LogLevel::kWarning, "has failed to authenticate too often") == 11);
  CHECK(guarded.log.count(LogLevel::kInfo, "is penalised no longer") == 10);
  CHECK(guarded.log.count(LogLevel::kWarning, "failures of penalised addresses were not logged") == 1);
}

TEST_CASE("AuthService: the watching thread says that a penalty has ended") {
  Guarded guarded(kOnlyA, {});
  for (std::uint32_t i = 0; i < 30; ++i) guarded.status(key_of(i), "10.0.0.1");
  CHECK(guarded.log.count(LogLevel::kWarning, "address '10.0.0.1' has failed") == 1);
  guarded.pass(2min);
  CHECK(eventually([&] { return guarded.log.count(LogLevel::kInfo, "is penalised no longer") == 1; }));
}

TEST_CASE("AuthService: penalties can be switched off, and wrong ones are refused") {
  AuthService::Options options = Guarded::still();
  options.penalties = std::nullopt;
  Guarded guarded(kOnlyA, options);
  for (std::uint32_t i = 0; i < 100; ++i) guarded.status(key_of(i), "10.0.0.1");
  CHECK(guarded.log.count(LogLevel::kInfo, "authentication failure") == 100);
  CHECK(guarded.service->penalties().sources == 0);

  const TempHome home;
  options.penalties = AddressPenalties::Settings{.exempt = {"10.0.0.0/33"}};
  const auto opened = AuthService::open(home.path(), options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kInvalidArgument);
  CHECK(opened.error().message.find("\"10.0.0.0/33\"") != std::string::npos);
}

TEST_CASE("AuthService: a flood of unknown keys reaches the disk a bounded number of times") {
  AuthService::Options options;
  options.pending_flush_interval = std::chrono::hours(1);
  Guarded guarded(kOnlyA, options);
  std::set<ino_t> versions;
  const auto look = [&] {
    struct stat info{};
    if (::stat((guarded.home / "pending.json").c_str(), &info) == 0) versions.insert(info.st_ino);
  };
  int known_in = 0;
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    const std::string address = "10.1." + std::to_string(i % 1000 / 250) + "." + std::to_string(i % 250);
    guarded.status(key_of(i), address);
    if (i % 100 == 0) known_in += guarded.status(kKeyA, address) == "200" ? 1 : 0;
    if (i % 1000 == 0) look();
  }
  CHECK(known_in == 500);
  CHECK(eventually([&] {
    look();
    return !versions.empty();
  }));
  CHECK(versions.size() == 1);  // the first stranger is written soon, the next ones in an hour
  CHECK(guarded.service->get_pending_authorizations()->size() == 1000);
  CHECK(guarded.service->penalties().sources == 1000);
}

// ---- Setup mode ----

TEST_CASE("AuthService: setup mode is off unless begun") {
  Guarded guarded;
  CHECK_FALSE(guarded.service->setup_mode_until());
  CHECK(guarded.status(kKeyB) == "300");
  CHECK(guarded.policy().allow().size() == 1);
}

TEST_CASE("AuthService: in setup mode a stranger is recorded, and gets in by the record") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.service->setup_mode_until() == kNow + 10min);
  CHECK(guarded.log.count(LogLevel::kWarning, "setup mode is on until 2026-11-21T00:10:00Z") == 1);
  const ZapReply reply = ask_curve(guarded.service->zap_authenticator(), kKeyB, "::ffff:10.0.0.7");
  CHECK(reply.status_code == "200");
  const Policy policy = guarded.policy();
  REQUIRE(policy.allow().size() == 2);
  const AuthRecord& record = *policy.allow()[1].record;
  CHECK(record.user_id == reply.user_id);
  CHECK(std::get<CurveKey>(record.credentials) == key(kKeyB));
  CHECK(record.capabilities.empty());
  CHECK(policy.allow()[1].source.find("address")->as_string() == "10.0.0.7");
  CHECK(policy.allow()[1].source.find("comments")->as_string() == "Added in setup mode");
  CHECK(guarded.log.count(LogLevel::kWarning,
                          "lets in a stranger: address='::ffff:10.0.0.7', credentials=['" + kKeyB + "']") ==
        1);
  // It is known now; elsewhere it is not, and does not become so.
  CHECK(guarded.status(kKeyB, "10.0.0.7") == "200");
  CHECK(guarded.status(kKeyB, "10.0.0.8") == "300");
  CHECK(guarded.policy().allow().size() == 2);
  CHECK(guarded.service->get_approved_authorizations()->size() == 1);
}

TEST_CASE("AuthService: setup mode ends in time, though nobody ends it") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.pass(10min - 1ms);
  CHECK(guarded.status(kKeyB) == "200");
  guarded.pass(1ms);
  CHECK(guarded.status(kKeyC) == "300");
  CHECK_FALSE(guarded.service->setup_mode_until());
  CHECK(guarded.log.count(LogLevel::kWarning, "setup mode has ended in time; peers let in: 1") == 1);
  CHECK(guarded.status(kKeyB) == "200");  // the record stays
  CHECK(guarded.service->get_pending_authorizations()->size() == 1);
}

TEST_CASE("AuthService: setup mode can be ended, and ends when the clock is set back") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.service->end_setup_mode();
  CHECK_FALSE(guarded.service->setup_mode_until());
  CHECK(guarded.status(kKeyB) == "300");
  guarded.service->end_setup_mode();
  CHECK(guarded.log.count(LogLevel::kWarning, "setup mode has ended") == 1);

  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.pass(-1h);
  CHECK(guarded.status(kKeyB) == "300");
  guarded.pass(1h);
  CHECK_FALSE(guarded.service->setup_mode_until());
}

TEST_CASE("AuthService: setup mode without a bound is refused") {
  Guarded guarded;
  for (const std::chrono::milliseconds duration :
       {0ms, -1ms, std::chrono::milliseconds(24h) + 1ms, std::chrono::milliseconds::max()}) {
    const auto begun = guarded.service->begin_setup_mode(duration);
    REQUIRE_FALSE(begun);
    CHECK(begun.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK_FALSE(guarded.service->begin_setup_mode(1min, {.peers = 0}));
  CHECK_FALSE(guarded.service->begin_setup_mode(1min, {.per_address = 0}));
  CHECK_FALSE(guarded.service->setup_mode_until());
  CHECK(guarded.service->begin_setup_mode(24h));
}

TEST_CASE("AuthService: setup mode lets in so many of an address, and so many in all") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min, {.peers = 5, .per_address = 2}));
  std::string codes;
  for (std::uint32_t i = 0; i < 3; ++i) codes += guarded.status(key_of(i), "10.0.0.1") + " ";
  for (std::uint32_t i = 10; i < 13; ++i)
    codes += guarded.status(key_of(i), "2001:db8::" + std::to_string(i)) + " ";
  CHECK(codes == "200 200 300 200 200 300 ");
  CHECK(guarded.status(key_of(20), "10.0.0.3") == "200");
  CHECK(guarded.status(key_of(21), "10.0.0.4") == "300");
  CHECK_FALSE(guarded.service->setup_mode_until());
  CHECK(guarded.policy().allow().size() == 6);
}

TEST_CASE("AuthService: setup mode lets nobody in whom a record names, however") {
  const std::string disabled = R"({"user_id": "b", "enabled": false, "credentials": ")" + kKeyB + "\"}";
  const std::string bad = R"({"user_id": "c", "enabled": "no", "credentials": ")" + kKeyC + "\"}";
  const std::string elsewhere =
      R"({"user_id": "d", "address": "10.9.9.9", "credentials": ")" + key_of(1) + "\"}";
  const std::string denied = R"({"credentials": ")" + key_of(2) + "\"}";
  const std::string denied_elsewhere = R"({"address": "10.9.9.9", "credentials": ")" + key_of(3) + "\"}";
  Guarded guarded("{\"allow\": [" + disabled + ", " + bad + ", " + elsewhere + "], \"deny\": [" + denied +
                  ", " + denied_elsewhere + "], " + kVersion + "}");
  const std::string before = guarded.home.read("auth.json");
  REQUIRE(guarded.service->begin_setup_mode(10min));
  for (const std::string& known : {kKeyB, kKeyC, key_of(1), key_of(3)}) CHECK(guarded.status(known) == "300");
  CHECK(guarded.status(key_of(2)) == "400");
  CHECK(guarded.home.read("auth.json") == before);
  // One that no record names is let in, and need not wait for those.
  CHECK(guarded.status(key_of(4)) == "200");
}

TEST_CASE("AuthService: in setup mode, a key that a record names has the file read once a second at most") {
  Guarded guarded("{\"allow\": [{\"user_id\": \"d\", \"address\": \"10.9.9.9\", \"credentials\": \"" + kKeyB +
                  "\"}], " + kVersion + "}");
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.status(kKeyB) == "300");
  const std::uint64_t generation = guarded.service->policy()->generation();
  for (int i = 0; i < 10; ++i) CHECK(guarded.status(kKeyB) == "300");
  CHECK(guarded.service->policy()->generation() == generation);
  guarded.pass(1s);
  CHECK(guarded.status(kKeyB) == "300");
  CHECK(guarded.service->policy()->generation() > generation);
}

TEST_CASE("AuthService: in setup mode, who was denied in the file a moment ago is refused") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.home.write("auth.json", R"({"deny": [{"credentials": ")" + kKeyB + "\"}], " + kVersion + "}");
  CHECK(guarded.status(kKeyB) == "400");
  CHECK(guarded.policy().allow().empty());
}

TEST_CASE("AuthService: in setup mode, whom an administrator takes out again stays out") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.status(kKeyB) == "200");
  REQUIRE(AuthFile(guarded.home / "auth.json").edit([](Policy& policy) { return policy.remove_allow({1}); }));
  REQUIRE(guarded.service->reload());
  CHECK(guarded.status(kKeyB) == "300");
  CHECK(guarded.policy().allow().size() == 1);
}

TEST_CASE("AuthService: in setup mode, who was let in and asks from elsewhere has nothing read again") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.status(kKeyB, "10.0.0.1") == "200");
  const std::uint64_t generation = guarded.service->policy()->generation();
  for (int i = 0; i < 10; ++i) CHECK(guarded.status(kKeyB, "10.0.0.2") == "300");
  CHECK(guarded.service->policy()->generation() == generation);
}

TEST_CASE("AuthService: in setup mode, a stranger who cannot be recorded waits, and the log says why once") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  SECTION("the file is bad") { guarded.home.write("auth.json", "{"); }
  SECTION("somebody else edits it") {
    const auto lock = FileLock::acquire(guarded.home / "auth.json", 1s);
    REQUIRE(lock);
    CHECK(guarded.status(kKeyB) == "300");
    guarded.pass(2s);
    CHECK(guarded.status(kKeyB) == "300");
  }
  CHECK(guarded.status(kKeyC) == "300");
  CHECK(guarded.log.count(LogLevel::kError, "setup mode cannot record a peer") == 1);
  CHECK_FALSE(guarded.service->get_pending_authorizations()->empty());
  guarded.home.write("auth.json", kOnlyA);
  guarded.pass(2s);
  CHECK(guarded.status(kKeyB) == "200");
}

TEST_CASE("AuthService: an edit that fails in setup mode is not tried again at once") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.home.write("auth.json", "{");
  CHECK(guarded.status(kKeyB) == "300");
  guarded.home.write("auth.json", kOnlyA);
  CHECK(guarded.status(kKeyB) == "300");
  guarded.pass(1s);
  CHECK(guarded.status(kKeyB) == "200");
}

TEST_CASE("AuthService: setup mode lets nobody in from a penalised address") {
  Guarded guarded;
  for (std::uint32_t i = 0; i < 20; ++i) guarded.status(key_of(i), "10.0.0.1");
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.status(key_of(30), "10.0.0.1") == "300");
  CHECK(guarded.status(key_of(31), "10.0.0.2") == "200");
  CHECK(guarded.policy().allow().size() == 2);
}

TEST_CASE("AuthService: setup mode pins an IPC peer to its user, not to its process") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  CHECK(guarded.status(kKeyB, "localhost:1000:1000:77") == "200");
  CHECK(guarded.status(kKeyB, "localhost:1000:1000:78") == "200");
  CHECK(guarded.status(kKeyB, "localhost:1001:1000:78") == "300");
  // What would be a regular expression in a record is not written into one.
  CHECK(guarded.status(kKeyC, "/.*/") == "300");
  CHECK(guarded.policy().allow().size() == 2);
}

TEST_CASE("AuthService: setup mode reminds of itself each minute, and the watching thread ends it") {
  Guarded guarded(kOnlyA, {});
  REQUIRE(guarded.service->begin_setup_mode(10min));
  guarded.pass(1min);
  CHECK(eventually([&] { return guarded.log.count(LogLevel::kWarning, "setup mode is still on") == 1; }));
  guarded.pass(9min);
  CHECK(eventually([&] { return guarded.log.count(LogLevel::kWarning, "setup mode has ended") == 1; }));
  CHECK_FALSE(guarded.service->setup_mode_until());
}

TEST_CASE("AuthService: many strangers at once are recorded once each in setup mode") {
  Guarded guarded;
  REQUIRE(guarded.service->begin_setup_mode(10min));
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> accepted = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t i = 0; i < 5; ++i) accepted += guarded.status(key_of(i)) == "200" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Policy policy = guarded.policy();
  CHECK(policy.allow().size() == 6);
  for (std::uint32_t i = 0; i < 5; ++i) CHECK(guarded.status(key_of(i)) == "200");
  CHECK(accepted >= 5);  // whoever recorded a key; another may have to try again
}
