// What a service of a bus allows, with its counters and its audit log.

#include <array>
#include <vector>

#include <vipauth/auth_service.hpp>

#include "hot_path/allocations.hpp"
#include "hot_path/bus.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"

namespace vipauth::test {
namespace {

/// Of a hundred times, after the first.
template <typename Decide>
void check_that_none_allocates(Decide decide) {
  bool allowed = decide().allowed();
  const std::size_t count = allocations_of([&] {
    for (int i = 0; i < 100; ++i) allowed = allowed && decide().allowed();
  });
  CHECK(count == 0U);
  CHECK(allowed);
}

}  // namespace

TEST_CASE("allocations: none for what a session of a service allows, audited and counted") {
  const Bus bus;
  Session alice = session_for(*bus.service, "alice", kKeyA);
  const CallArguments arguments(Json::Object{{"point", "p1"}});
  check_that_none_allocates([&] { return alice.authorize_publish("devices/campus/point"); });
  check_that_none_allocates([&] { return alice.authorize_receive("open"); });
  check_that_none_allocates([&] { return alice.verify_sender("alice.agent"); });
  check_that_none_allocates([&] { return alice.authorize_call({"callee", "open", arguments}); });
  check_that_none_allocates([&] { return alice.authorize_call({"callee", "read", arguments}); });
  check_that_none_allocates([&] { return alice.authorize_call({"callee", "set", arguments}); });
  check_that_none_allocates([&] { return alice.authorize_call({"callee", "match", arguments}); });
}

TEST_CASE("allocations: none for a peer that is let in again and again, audited and counted") {
  const Bus bus;
  const ZapAuthenticator zap = bus.service->zap_authenticator();
  const CurveKey::Bytes bytes = key(kKeyA).bytes();
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::array<std::string_view, 7> frames{"1.0", "1", "vip", "127.0.0.1", "", "CURVE", raw};
  ZapReply reply;
  for (int i = 0; i < 100; ++i) zap.handle(frames, reply);  // some are written singly
  bool accepted = reply.status_code == "200";
  const std::size_t count = allocations_of([&] {
    for (int i = 0; i < 100; ++i) {
      zap.handle(frames, reply);
      accepted = accepted && reply.status_code == "200";
    }
  });
  CHECK(count == 0U);
  CHECK(accepted);
}

}  // namespace vipauth::test
