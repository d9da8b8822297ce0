// While a policy stands, nothing of ours is locked for a decision, so that threads do not wait for each
// other.

#include "hot_path/locks.hpp"

#include <mutex>
#include <shared_mutex>
#include <string>

#include <vipauth/auth_service.hpp>

#include "hot_path/bus.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

/// Of the hundredth time that something is allowed.
template <typename Decide>
Locks locks_of_allowed(Decide decide) {
  bool allowed = true;
  for (int i = 0; i < 100; ++i) allowed = decide().allowed() && allowed;
  const Locks out = locks_of([&] { allowed = decide().allowed() && allowed; });
  CHECK(allowed);
  return out;
}

}  // namespace

TEST_CASE("locks: they are counted") {
  std::mutex mutex;
  CHECK(locks_of([&] { const std::lock_guard lock(mutex); }) == Locks{1, 0, 0});
  std::shared_mutex shared;
  CHECK(locks_of([&] { const std::shared_lock lock(shared); }) == Locks{0, 1, 0});
  CHECK(locks_of([&] { const std::lock_guard lock(shared); }) == Locks{0, 0, 1});
  CHECK(locks_of([] {}) == Locks{});
}

TEST_CASE("locks: none for what a session of a service allows, but RE2's to read where a pattern decides") {
  const Bus bus;
  Session alice = session_for(*bus.service, "alice", kKeyA);
  const CallArguments arguments(Json::Object{{"point", "p1"}});
  CHECK(locks_of_allowed([&] { return alice.authorize_publish("devices/campus/point"); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.authorize_receive("open"); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.verify_sender("alice.agent"); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.authorize_call({"callee", "open", arguments}); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.authorize_call({"callee", "read", arguments}); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.authorize_call({"callee", "set", arguments}); }) == Locks{});
  CHECK(locks_of_allowed([&] { return alice.check(); }) == Locks{});
  const Locks of_pattern =
      locks_of_allowed([&] { return alice.authorize_call({"callee", "match", arguments}); });
  CHECK(of_pattern.mutexes == 0);
  CHECK(of_pattern.writer_locks == 0);
  CHECK(of_pattern.reader_locks <= 1);
}

TEST_CASE("locks: none for who a peer is, or for what a user may do, asked by name") {
  const Bus bus;
  const auto live = bus.service->policy();
  const CallArguments arguments(Json::Object{{"point", "p1"}});
  CHECK(locks_of_allowed([&] {
          return live->current()
              .snapshot->authenticator.authenticate({"vip", "127.0.0.1", key(kKeyA)})
              .decision;
        }) == Locks{});
  CHECK(locks_of_allowed([&] {
          return live->current().snapshot->authorize_call("alice", CallRequest{"callee", "set", arguments});
        }) == Locks{});
  CHECK(locks_of_allowed([&] {
          return live->current().snapshot->authorize_publish("alice", "devices/campus/point");
        }) == Locks{});
}

}  // namespace vipauth::test
