#include "fleet/held_requests.hpp"

#include "fleet/decided_values.hpp"
#include "fleet/pending_values.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"

namespace vipauth::test {

using fleet::FleetLayout;
using fleet::HeldRequestsReader;
using fleet::Scope;

namespace {

const FleetLayout kAll("p", "");
const FleetLayout kBerlin("p", "berlin");

PendingRequest request(const std::string& credentials = kKeyB) {
  PendingRequest out;
  out.credentials = credentials;
  out.domain = "vip";
  out.address = "10.0.0.1";
  out.user_id = "f6c5a6a6-2f60-4c35-9b8f-0c0a3a2b1c0d";
  out.first_seen = out.last_seen = kNow;
  return out;
}

fleet::KeyValue pending_at(const std::string& site) {
  return {kAll.pending_key(site, fleet::id_of(request())), fleet::pending_value(request()), 1, 1};
}

fleet::KeyValue decided_by(Scope scope, const Json& address) {
  const DecidedPeer peer{Mechanism::kCurve, kKeyB, Json(), address};
  return {kBerlin.decided_key(scope, fleet::id_of(peer)), fleet::decided_value(peer), 1, 1};
}

}  // namespace

TEST_CASE("HeldRequestsReader: of a site no more are taken than wait in a home, and then the next site's") {
  HeldRequestsReader reader(kAll);
  const std::size_t most = PendingStore::Limits().total;
  for (std::size_t i = 0; i < most; ++i) {
    CHECK_FALSE(reader.take_pending({kAll.pending_key("a", std::to_string(i)), "", 1, 1}));
  }
  const auto next = reader.take_pending(pending_at("a"));
  REQUIRE(next);
  CHECK(*next > pending_at("a").key);
  CHECK(*next < pending_at("b").key);
  CHECK_FALSE(reader.take_pending(pending_at("b")));
  const auto held = std::move(reader).finish();
  REQUIRE(held.state.pending.size() == 1);
  CHECK(held.state.pending.front().site == "b");
  CHECK(held.pending.size() == most + 1);
  CHECK_THAT(held.left_out, Catch::StartsWith(std::to_string(most + 1)));
}

TEST_CASE("HeldRequestsReader: a key speaks of its own peer, or of nobody") {
  HeldRequestsReader reader(kAll);
  CHECK_FALSE(reader.take_pending(pending_at("..")));
  CHECK_FALSE(reader.take_pending(
      {kAll.pending_key("berlin", "CURVE:" + kKeyA), fleet::pending_value(request()), 1, 1}));
  CHECK_FALSE(reader.take_pending({pending_at("berlin").key + "/x", fleet::pending_value(request()), 1, 1}));
  const auto held = std::move(reader).finish();
  CHECK(held.state.pending.empty());
  CHECK_THAT(held.left_out, Catch::StartsWith("3 of those"));
}

TEST_CASE(
    "HeldRequestsReader: what the fleet has decided counts before a site's, which is believed of addresses") {
  HeldRequestsReader both(kBerlin);
  both.take_decided(Scope::kFleet, decided_by(Scope::kFleet, "10.0.0.1"));
  both.take_decided(Scope::kSite, decided_by(Scope::kSite, "10.0.0.2"));
  const auto held = std::move(both).finish();
  REQUIRE(held.state.decided.size() == 1);
  CHECK(held.state.decided.front().address == Json("10.0.0.1"));
  CHECK(held.find_decided(Scope::kSite, "CURVE:" + kKeyB) != nullptr);

  for (const auto& [address, is_doubtful] :
       {std::pair{Json("10.0.0.2"), false}, std::pair{Json("/.*/"), true}, std::pair{Json(), true}}) {
    HeldRequestsReader alone(kBerlin);
    alone.take_decided(Scope::kSite, decided_by(Scope::kSite, address));
    const auto of_site = std::move(alone).finish();
    REQUIRE(of_site.state.decided.size() == 1);
    CHECK(of_site.state.decided.front().is_doubtful == is_doubtful);
  }
  HeldRequestsReader elsewhere(kBerlin);
  elsewhere.take_decided(Scope::kFleet, decided_by(Scope::kSite, "10.0.0.1"));
  const auto of_another = std::move(elsewhere).finish();
  CHECK(of_another.state.decided.empty());
}

}  // namespace vipauth::test
