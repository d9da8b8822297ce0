#include <string>

#include "fleet/fleet_edit.hpp"
#include "fleet/fleet_reader.hpp"
#include "fleet_contents.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

using fleet::FleetGuard;
using fleet::FleetLayout;
using fleet::FleetState;

const FleetLayout kBerlin("vipauth/acme", "berlin");
const FleetLayout kParis("vipauth/acme", "paris");

void write_guard(FleetState& state, Scope scope, const FleetGuard& guard, std::int64_t revision,
                 const FleetLayout& layout = kBerlin) {
  state.apply(layout, {layout.key({.scope = scope, .kind = Kind::kGuard}), guard.to_text()}, revision);
}

FleetGuard of_both(const std::string& site) {
  FleetGuard out = FleetGuard::of({});
  out.with_site = site;
  return out;
}

}  // namespace

TEST_CASE("FleetState: an edit of both scopes is half until it has arrived of both") {
  const Scope first = GENERATE(Scope::kFleet, Scope::kSite);
  const Scope second = first == Scope::kFleet ? Scope::kSite : Scope::kFleet;
  FleetState state(true);
  write_guard(state, Scope::kFleet, FleetGuard::of({}), 5);
  write_guard(state, Scope::kSite, FleetGuard::of({}), 6);
  CHECK_FALSE(state.is_half());
  const FleetGuard both = of_both("berlin");
  write_guard(state, first, both, 7);
  CHECK(state.is_half());
  SECTION("the other half arrives") { write_guard(state, second, both, 7); }
  SECTION("a later edit of the first does not mend it") {
    write_guard(state, first, FleetGuard::of({}), 8);
    CHECK(state.is_half());
    write_guard(state, second, both, 7);
  }
  SECTION("a later edit of the other does") { write_guard(state, second, FleetGuard::of({}), 9); }
  SECTION("the other guard is removed later") {
    state.apply(kBerlin, {kBerlin.key({.scope = second, .kind = Kind::kGuard}), std::nullopt}, 9);
  }
  CHECK_FALSE(state.is_half());
}

TEST_CASE("FleetState: what the fleet and another site have in common is whole here") {
  FleetState state(true);
  write_guard(state, Scope::kFleet, of_both("berlin"), 7, kParis);
  CHECK_FALSE(state.is_half());
  FleetState without_site(false);
  write_guard(without_site, Scope::kFleet, of_both("berlin"), 7, FleetLayout("vipauth/acme", ""));
  CHECK_FALSE(without_site.is_half());
}

TEST_CASE("FleetContent: an edit that touches what the other scope has is of both") {
  const fleet::KeyChange of_fleet{at_rank(Scope::kFleet, Kind::kAllow, 1), std::nullopt};
  const fleet::KeyChange of_site{at_rank(Scope::kSite, Kind::kAllow, 1), std::nullopt};
  CHECK_FALSE(fleet::is_of_both({of_fleet}, Scope::kFleet));
  CHECK_FALSE(fleet::is_of_both({of_site}, Scope::kSite));
  CHECK(fleet::is_of_both({of_fleet, of_site}, Scope::kFleet));
  CHECK(fleet::is_of_both({of_site}, Scope::kFleet));  // the guard of what is edited is always written
  CHECK_FALSE(fleet::is_of_both({}, Scope::kFleet));
}

}  // namespace vipauth::test
