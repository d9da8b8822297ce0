// RemotePeers on stores that make a change again, and that hold what others wrote.

#include "service/peer_decisions.hpp"

#include <memory>
#include <string>
#include <vector>

#include <vipauth/remote_peers.hpp>

#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/memory_store.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Status = AuthorizationStatus;
using Names = std::vector<std::string>;

PendingRequest request(const std::string& user_id, const std::string& credentials,
                       const std::string& site = "") {
  PendingRequest out;
  out.credentials = credentials;
  out.domain = "vip";
  out.address = "10.0.0.1";
  out.user_id = user_id;
  out.first_seen = out.last_seen = kNow;
  out.retries = 1;
  out.site = site;
  return out;
}

/// A store at which strangers wait, with an administrator, and somebody who works on it at the same time.
class Fleet {
 public:
  void wait(const PendingRequest& stranger) {
    REQUIRE(store.edit_pending(
        [&](PendingState& state) -> Result<void> {
          state.pending.push_back(stranger);
          return {};
        },
        {}));
  }
  /// The file that the policy is like, with single quotes for double ones.
  void write(const std::string& policy_text) {
    REQUIRE(store.edit_policy(
        [&](Policy& present) -> Result<void> {
          present = policy(policy_text);
          return {};
        },
        {}));
  }
  /// Once, between a change of the policy and its being written.
  void meanwhile(std::function<void()> act) {
    store.place().before_policy = [this, act = std::move(act)] {
      store.place().before_policy = {};
      act();
    };
  }

  Names waiting() const {
    const PendingState loaded = *store.load_pending();
    Names out;
    for (const PendingRequest& pending : loaded.pending) out.push_back(pending.user_id);
    return out;
  }
  Names names(std::string_view list) const {
    const Policy loaded = *store.load_policy();
    Names out;
    for (const Policy::Entry& entry : list == "allow" ? loaded.allow() : loaded.deny())
      out.push_back(entry.record->user_id);
    return out;
  }
  std::size_t decided() const { return store.load_pending()->decided.size(); }

  MemoryStore store;
  RemotePeers peers{store};
};

void check_conflict(const Result<Authorization>& result, const std::string& about) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kConflict);
  CHECK_THAT(result.error().message, Catch::Contains(about));
}

}  // namespace

TEST_CASE("RemotePeers: decides on any store") {
  Fleet fleet;
  fleet.wait(request("one", kKeyA));
  fleet.wait(request("two", kKeyB, "berlin"));
  CHECK(fleet.peers.find("one")->status == Status::kPending);
  CHECK(fleet.peers.find("one")->site.empty());
  CHECK(fleet.peers.find("two")->site == "berlin");
  CHECK(fleet.peers.list(Status::kPending)->size() == 2);

  Approval approval;
  approval.user_id = "alice";
  const auto approved = fleet.peers.approve("one", approval);
  REQUIRE(approved);
  CHECK(approved->user_id == "alice");
  CHECK(fleet.names("allow") == Names{"alice"});
  CHECK(fleet.waiting() == Names{"two"});
  CHECK(fleet.peers.find("alice")->status == Status::kApproved);
  const auto denied = fleet.peers.deny("two");
  REQUIRE(denied);
  CHECK(denied->site == "berlin");
  CHECK(fleet.names("deny") == Names{"two"});
  CHECK(fleet.peers.find("two")->status == Status::kDenied);
  CHECK(fleet.waiting().empty());
  REQUIRE(fleet.peers.remove("two"));
  CHECK(fleet.names("deny").empty());
  for (const auto& result :
       {fleet.peers.find("two"), fleet.peers.approve("two"), fleet.peers.remove("two")}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("RemotePeers: where who waits is edited again, the policy is not") {
  Fleet fleet;
  fleet.wait(request("one", kKeyA));
  int edits = 0;
  int expected_edits = 1;
  fleet.store.place().before_policy = [&] { ++edits; };
  int left = 3;
  fleet.store.place().before_pending = [&] {
    if (left == 0) return;
    --left;
    const std::string name = "other" + std::to_string(left);
    fleet.wait(request(name, kKeyB));
  };
  SECTION("of an approval") {
    REQUIRE(fleet.peers.approve("one"));
    CHECK(fleet.names("allow") == Names{"one"});
    CHECK(fleet.decided() == 1);
  }
  SECTION("of a denial") {
    REQUIRE(fleet.peers.deny("one"));
    CHECK(fleet.names("deny") == Names{"one"});
    CHECK(fleet.decided() == 1);
  }
  SECTION("of a request that is forgotten") {
    REQUIRE(fleet.peers.remove("one"));
    CHECK(fleet.decided() == 0);
    expected_edits = 0;
  }
  CHECK(edits == expected_edits);
  CHECK(fleet.waiting() == Names{"other0", "other1", "other2"});
}

TEST_CASE("RemotePeers: what a first try found is forgotten where the next finds something else") {
  Fleet fleet;
  fleet.write("{'deny': [{'user_id': 'eve', 'credentials': '" + kKeyA + "', 'address': '10.0.0.9'}]}");
  MemoryStore other(std::make_shared<MemoryPlace>());
  fleet.meanwhile(
      [&] { REQUIRE(fleet.store.edit_policy([](Policy& policy) { return policy.remove_deny({0}); }, {})); });
  const auto approved = fleet.peers.approve("eve");
  REQUIRE_FALSE(approved);
  CHECK(approved.error().code == ErrorCode::kNotFound);
  CHECK(fleet.decided() == 0);
  CHECK(fleet.names("allow").empty());
}

TEST_CASE("RemotePeers: of two who decide at once each decides on what the other left") {
  Fleet fleet;
  fleet.wait(request("one", kKeyA));
  RemotePeers other(fleet.store);
  SECTION("an approval after a denial lets the peer in") {
    fleet.meanwhile([&] { REQUIRE(other.deny("one")); });
    REQUIRE(fleet.peers.approve("one"));
    CHECK(fleet.names("allow") == Names{"one"});
    CHECK(fleet.names("deny").empty());
  }
  SECTION("a denial after an approval shuts it out") {
    fleet.meanwhile([&] { REQUIRE(other.approve("one")); });
    REQUIRE(fleet.peers.deny("one"));
    CHECK(fleet.names("allow").empty());
    CHECK(fleet.names("deny") == Names{"one"});
  }
  SECTION("a denial after an approval under another name shuts it out") {
    Approval approval;
    approval.user_id = "alice";
    fleet.meanwhile([&] { REQUIRE(other.approve("one", approval)); });
    REQUIRE(fleet.peers.deny("one"));
    CHECK(fleet.names("deny") == Names{"one"});
  }
  SECTION("two approvals are one") {
    fleet.meanwhile([&] { REQUIRE(other.approve("one")); });
    CHECK(fleet.peers.approve("one")->status == Status::kApproved);
    CHECK(fleet.names("allow") == Names{"one"});
  }
  SECTION("what the second would give comes too late, and is said so") {
    Approval approval;
    approval.roles = Names{"admin"};
    fleet.meanwhile([&] { REQUIRE(other.approve("one")); });
    check_conflict(fleet.peers.approve("one", approval), "approved already");
    CHECK(fleet.store.load_policy()->allow()[0].record->roles.empty());
  }
  CHECK(fleet.waiting().empty());
}

TEST_CASE("RemotePeers: an edit on somebody's behalf is judged on each try") {
  Fleet fleet;
  fleet.write("{'allow': [{'user_id': 'boss', 'credentials': '" + kKeyB + "'}]}");
  fleet.wait(request("one", kKeyA));
  PeerDecisions decisions(fleet.store, {}, {}, {});
  std::vector<Behalf::Touches> asked;
  const Behalf behalf{
      .who = "peer:boss",
      .check = [&](const Policy& before, const Policy&, Behalf::Touches touches) -> Result<void> {
        asked.push_back(touches);
        if (before.allow().size() == 1) return {};
        return Error{ErrorCode::kPermissionDenied, "no more", ""};
      }};
  SECTION("who may no more when it is written is refused") {
    fleet.meanwhile([&] {
      REQUIRE(fleet.store.edit_policy([](Policy& policy) { return policy.remove_allow({0}); }, {}));
    });
    const auto approved = decisions.approve("one", {}, behalf);
    REQUIRE_FALSE(approved);
    CHECK(approved.error().code == ErrorCode::kPermissionDenied);
    CHECK(fleet.names("allow").empty());
    CHECK(fleet.waiting() == Names{"one"});
    CHECK(asked.size() == 2);
  }
  SECTION("who may does") {
    REQUIRE(decisions.approve("one", {}, behalf));
    CHECK(asked == std::vector<Behalf::Touches>{Behalf::Touches::kPending});
  }
  SECTION("what was decided meanwhile is no request any more") {
    RemotePeers other(fleet.store);
    Approval approval;
    approval.any_address = true;
    fleet.meanwhile([&] { REQUIRE(other.deny("one")); });
    REQUIRE(decisions.approve("one", {}, behalf));
    CHECK(asked == std::vector<Behalf::Touches>{Behalf::Touches::kPending, Behalf::Touches::kRecords});
  }
}

TEST_CASE("RemotePeers: a store that cannot be reached changes nothing, and is told") {
  Fleet fleet;
  fleet.wait(request("one", kKeyA));
  fleet.store.place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  for (const auto& result :
       {fleet.peers.approve("one"), fleet.peers.deny("one"), fleet.peers.remove("one")}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::kIoError);
  }
  CHECK(fleet.names("allow").empty());
  CHECK(fleet.waiting() == Names{"one"});
  fleet.store.place().failure.reset();
  CHECK(fleet.peers.approve("one"));
}

TEST_CASE("RemotePeers: what a bad site writes lets in nobody else, and hides nobody") {
  Fleet fleet;
  fleet.write("{'allow': [{'user_id': 'alice', 'credentials': '" + kKeyA + "', 'address': '10.0.0.7'}]}");
  const Json before = fleet.store.load_policy()->to_json();
  PendingRequest bad = request("stranger", kKeyB, "berlin");
  SECTION("the name of a user") {
    bad.user_id = "alice";
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("alice"), "name of the user");
    CHECK(fleet.waiting().size() == 1);
  }
  SECTION("the identity of an agent") {
    fleet.write("{'allow': [{'user_id': 'bob', 'identity': 'b.agent', 'credentials': '" + kKeyC + "'}]}");
    const Json there = fleet.store.load_policy()->to_json();
    bad.user_id = "b.agent";
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("b.agent"), "name of the user");
    CHECK(fleet.store.load_policy()->to_json() == there);
    return;
  }
  SECTION("the name of another stranger") {
    fleet.wait(request("stranger", kKeyC));
    fleet.wait(bad);
    for (const auto& result : {fleet.peers.approve("stranger"), fleet.peers.deny("stranger"),
                               fleet.peers.remove("stranger"), fleet.peers.find("stranger")}) {
      check_conflict(result, "two peers");
    }
  }
  SECTION("the name of a stranger of another site") {
    fleet.wait(request("stranger", kKeyC, "paris"));
    fleet.wait(bad);
    for (const auto& result :
         {fleet.peers.approve("stranger"), fleet.peers.deny("stranger"), fleet.peers.remove("stranger")}) {
      check_conflict(result, "at the site 'paris' and at the site 'berlin'");
      check_conflict(result, "?site=");
    }
  }
  SECTION("a pattern for addresses") {
    bad.address = "/.*/";
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("stranger"), "no single peer");
    check_conflict(fleet.peers.deny("stranger"), "no single peer");
    CHECK(fleet.peers.remove("stranger"));
  }
  SECTION("a pattern for domains") {
    bad.domain = "/.*/";
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("stranger"), "no single peer");
  }
  SECTION("a pattern for keys") {
    bad.credentials = "/.*/";
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("stranger"), "no single peer");
    check_conflict(fleet.peers.deny("stranger"), "no single peer");
  }
  SECTION("no key") {
    bad.mechanism = Mechanism::kNull;
    bad.credentials.clear();
    fleet.wait(bad);
    check_conflict(fleet.peers.approve("stranger"), "no single peer");
  }
  CHECK(fleet.store.load_policy()->to_json() == before);
}

TEST_CASE("RemotePeers: who is known by a name is denied and deleted, whoever waits under it") {
  Fleet fleet;
  fleet.write("{'allow': [{'user_id': 'alice', 'credentials': '" + kKeyA + "', 'address': '10.0.0.7'}]}");
  fleet.wait(request("alice", kKeyB, "berlin"));
  const auto denied = fleet.peers.deny("alice");
  REQUIRE(denied);
  CHECK(denied->credentials == kKeyA);
  CHECK(fleet.names("allow").empty());
  CHECK(fleet.names("deny") == Names{"alice"});
  CHECK(fleet.waiting() == Names{"alice"});
  check_conflict(fleet.peers.approve("alice"), "name of the user");

  const auto deleted = fleet.peers.remove("alice");
  REQUIRE(deleted);
  CHECK(deleted->credentials == kKeyA);
  CHECK(fleet.names("deny").empty());
  CHECK(fleet.waiting() == Names{"alice"});
  CHECK(fleet.peers.remove("alice")->credentials == kKeyB);  // nobody else has the name now
  CHECK(fleet.waiting().empty());
}

TEST_CASE("RemotePeers: only the key that was looked at is approved") {
  Fleet fleet;
  fleet.wait(request("one", kKeyA, "berlin"));
  Approval approval;
  approval.credentials = *CurveKey::parse(kKeyB);
  check_conflict(fleet.peers.approve("one", approval), kKeyA);
  CHECK(fleet.waiting() == Names{"one"});
  CHECK(fleet.names("allow").empty());
  approval.credentials = *CurveKey::parse(kKeyA);
  CHECK(fleet.peers.approve("one", approval));
  CHECK(fleet.peers.approve("one", approval));  // is approved already

  REQUIRE(fleet.peers.deny("one"));
  approval.credentials = *CurveKey::parse(kKeyB);
  check_conflict(fleet.peers.approve("one", approval), kKeyA);
  CHECK(fleet.names("deny") == Names{"one"});
  approval.credentials = *CurveKey::parse(kKeyA);
  CHECK(fleet.peers.approve("one", approval));
  approval.credentials = *CurveKey::parse(kKeyB);
  check_conflict(fleet.peers.approve("one", approval), kKeyA);
}

TEST_CASE(
    "RemotePeers: a denied peer is let in again from where its site says only where that is an address") {
  Fleet fleet;
  fleet.write("{'deny': [{'user_id': 'one', 'credentials': '" + kKeyA + "'}]}");
  REQUIRE(fleet.store.edit_pending(
      [&](PendingState& state) -> Result<void> {
        state.decided = {{Mechanism::kCurve, kKeyA, Json(), Json("/.*/"), true}};
        return {};
      },
      {}));
  check_conflict(fleet.peers.approve("one"), "no single address");
  CHECK(fleet.names("deny") == Names{"one"});
  Approval anywhere;
  anywhere.any_address = true;
  REQUIRE(fleet.peers.approve("one", anywhere));
  CHECK(fleet.store.load_policy()->allow()[0].record->address.empty());
}
