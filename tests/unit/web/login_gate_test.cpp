#include "web/login_gate.hpp"

#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/web_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using vipauth::web::LoginGate;
using namespace std::chrono_literals;

namespace {

/// A gate before the users of a home; the password of each is the cheapest hash that there is of "secret
/// words".
struct Gate {
  explicit Gate(AddressPenalties::Settings settings = {}, LoginGate::Limits limits = {})
      : gate(WebUsers(home / "web-users.json"), *AddressPenalties::create(std::move(settings)), limits) {
    static const std::string hash = *hash_password(kAdminPassword);
    home.write(
        "web-users.json",
        Json(Json::Object{
                 {"alice", Json::Object{{"hashed_password", hash}, {"groups", Json::strings({"admin"})}}},
                 {"guest", Json::Object{{"hashed_password", hash}, {"groups", Json::strings({"vui"})}}}})
            .dump());
  }

  ErrorCode refused(const std::string& name, const std::string& password, const std::string& address,
                    Timestamp now = kNow) {
    const auto user = gate.check(name, password, address, now);
    REQUIRE_FALSE(user);
    return user.error().code;
  }

  TempHome home;
  LoginGate gate;
};

constexpr AddressPenalties::Settings kNoPenalties{.refusal = 0ms};

}  // namespace

TEST_CASE("LoginGate: an administrator gets in and nobody else does") {
  Gate gate;
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow));
  CHECK(gate.refused("alice", "wrong", "10.0.0.1") == ErrorCode::kPermissionDenied);
  CHECK(gate.refused("guest", kAdminPassword, "10.0.0.1") == ErrorCode::kPermissionDenied);
  CHECK(gate.refused("nobody", kAdminPassword, "10.0.0.1") == ErrorCode::kPermissionDenied);
}

TEST_CASE("LoginGate: an address that guesses is stopped, and no other is") {
  Gate gate;
  for (int i = 0; i < 4; ++i) gate.refused("alice", "wrong", "10.0.0.1");
  CHECK(gate.refused("alice", kAdminPassword, "10.0.0.1") == ErrorCode::kBusy);
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.2", kNow));
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow + 1h));
}

TEST_CASE("LoginGate: an owner passes the penalty of an address that others guess from") {
  Gate gate;
  REQUIRE(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow));
  for (int i = 0; i < 4; ++i) gate.refused("nobody", "wrong", "10.0.0.1");
  CHECK(gate.refused("nobody", "wrong", "10.0.0.1") == ErrorCode::kBusy);
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow));
  CHECK(gate.refused("bob", "wrong", "10.0.0.1") == ErrorCode::kBusy);

  // Not for guessing on: only so often.
  for (int i = 0; i < static_cast<int>(LoginGate::kKnownBurst); ++i) {
    CHECK(gate.refused("alice", "wrong", "10.0.0.1") == ErrorCode::kPermissionDenied);
  }
  CHECK(gate.refused("alice", kAdminPassword, "10.0.0.1") == ErrorCode::kBusy);
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow + LoginGate::kKnownRefill));
}

TEST_CASE("LoginGate: guessing from everywhere is slow, and does not lock the owner out") {
  Gate gate(kNoPenalties);
  REQUIRE(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow));
  int tried = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string address = "10.1.0." + std::to_string(i);
    if (gate.refused("alice", "wrong", address) == ErrorCode::kPermissionDenied) ++tried;
  }
  CHECK(tried == static_cast<int>(LoginGate::kBurst));
  CHECK(gate.refused("alice", kAdminPassword, "10.2.0.1") == ErrorCode::kBusy);
  CHECK(gate.gate.check("alice", kAdminPassword, "10.0.0.1", kNow));
  CHECK(gate.gate.check("alice", kAdminPassword, "10.2.0.1", kNow + LoginGate::kRefill));
}

TEST_CASE("LoginGate: names that do not exist are treated alike") {
  Gate gate(kNoPenalties);
  for (int i = 0; i < static_cast<int>(LoginGate::kBurst); ++i) {
    CHECK(gate.refused("nobody", "wrong", "10.1.0." + std::to_string(i)) == ErrorCode::kPermissionDenied);
  }
  CHECK(gate.refused("nobody", "wrong", "10.2.0.1") == ErrorCode::kBusy);
}

TEST_CASE("LoginGate: only so many passwords are checked at once") {
  Gate gate(kNoPenalties, {.hashes = 1, .waiting = 1});
  std::vector<std::thread> threads;
  std::atomic<int> busy{0};
  std::atomic<int> done{0};
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&, i] {
      const auto user = gate.gate.check("alice", kAdminPassword, "10.3.0." + std::to_string(i), kNow);
      if (user)
        ++done;
      else if (user.error().code == ErrorCode::kBusy)
        ++busy;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done + busy == 12);
  CHECK(done >= 1);
}
