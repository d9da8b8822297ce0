#include "fleet/fleet_guard.hpp"

#include <vipauth/clock.hpp>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using namespace vipauth::test;

TEST_CASE("FleetGuard: tells who edited, by what, when") {
  const EditOptions options{.note = {.who = "ann \"the boss\"", .command = "auth add"},
                            .clock = [] { return kNow; }};
  const FleetGuard guard = FleetGuard::of(options);
  const FleetGuard read = FleetGuard::parse(guard.to_text());
  CHECK(read.edit == guard.edit);
  CHECK(read.who == "ann \"the boss\"");
  CHECK(read.command == "auth add");
  CHECK(read.time == format_timestamp(kNow));
  CHECK_FALSE(read.partial);
  CHECK(FleetGuard::of(options).edit != guard.edit);
}

TEST_CASE("FleetGuard: tells that a push is under way") {
  FleetGuard guard = FleetGuard::of({});
  guard.partial = true;
  CHECK(FleetGuard::parse(guard.to_text()).partial);
}

TEST_CASE("FleetGuard: what is not understood is nobody's edit") {
  for (const char* text : {"", "{", "[]", "7", R"({"edit": 7, "partial": "yes", "who": null})"}) {
    const FleetGuard guard = FleetGuard::parse(text);
    CHECK(guard.edit.empty());
    CHECK(guard.who.empty());
    CHECK_FALSE(guard.partial);
  }
}
