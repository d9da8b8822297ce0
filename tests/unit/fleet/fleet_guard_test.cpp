#include "fleet/fleet_guard.hpp"

#include <vipauth/clock.hpp>
#include <vipauth/json.hpp>

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

TEST_CASE("FleetGuard: tells that an edit was of the fleet and a site at once") {
  FleetGuard guard = FleetGuard::of({});
  CHECK(FleetGuard::parse(guard.to_text()).with_site.empty());
  guard.with_site = "berlin";
  CHECK(FleetGuard::parse(guard.to_text()).with_site == "berlin");
  CHECK(Json::parse(guard.to_text())->text_at("scopes") == "both");
  CHECK(FleetGuard::parse(R"({"edit": "x", "site": "berlin"})").with_site.empty());
}

TEST_CASE("FleetGuard: what a site writes there reaches no terminal, and no log as a whole") {
  const std::string escapes = "\x1b[2J\x07\r\nnew peers are let in\x7f";
  const std::string wide = std::string(254, 'x') + "\xc3\xa4";
  const auto read = [](const std::string& who, const std::string& command) {
    return FleetGuard::parse(
        Json(Json::Object{
                 {"edit", Json(who)}, {"who", Json(who)}, {"command", Json(command)}, {"time", Json(who)}})
            .dump());
  };
  const FleetGuard guard = read(escapes, wide);
  for (const std::string& text : {guard.edit, guard.who, guard.time})
    CHECK(text == "[2Jnew peers are let in");
  CHECK(guard.command == std::string(254, 'x'));  // no half of a character
  CHECK(read(std::string(1'500'000, 'x'), "").who.empty());

  const FleetGuard own = FleetGuard::of({.note = {.who = escapes, .command = wide}});
  CHECK(FleetGuard::parse(own.to_text()).who == own.who);
}
