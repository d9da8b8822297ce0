// Who waits at the sites of a fleet, and what was decided about whom.

#include "fleet/fleet_requests.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/etcd_store.hpp>
#include <vipauth/home_store.hpp>
#include <vipauth/remote_peers.hpp>

#include "etcd_cluster.hpp"
#include "fleet/checked_keys.hpp"
#include "fleet/etcd_client.hpp"
#include "fleet/pending_exchange.hpp"
#include "fleet/pending_values.hpp"
#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::fleet;
using namespace vipauth::test;
using Catch::Contains;

namespace {

constexpr const char* kId = "CURVE%3A";
const FleetLayout kBerlin("vipauth/acme", "berlin");

PendingRequest request(const std::string& credentials) {
  PendingRequest out;
  out.credentials = credentials;
  out.domain = "vip";
  out.address = "10.0.0.1";
  out.user_id = make_user_id();
  out.first_seen = out.last_seen = kNow;
  out.retries = 1;
  return out;
}

/// A key for each number.
std::string key_of(std::uint8_t number) {
  CurveKey::Bytes key{};
  key.front() = number;
  key.back() = 0x3c;
  return CurveKey(key).to_base64url();
}

class Fleet {
 public:
  std::unique_ptr<EtcdStore> open(const std::string& parameters = "", LogSink log = {}) const {
    EtcdOptions options = cluster.client_options();
    options.log = std::move(log);
    auto store = EtcdStore::open(cluster.store_address("/vipauth/acme" + parameters), std::move(options));
    if (!store) throw std::runtime_error(store.error().to_string());
    return *std::move(store);
  }
  void put(const std::string& key, const std::string& value) const {
    const auto written = client.txn({}, {{.key = "/vipauth/acme/" + key, .value = value}});
    REQUIRE(written);
  }
  std::string get(const std::string& key) const {
    const auto answer = client.range({.key = "/vipauth/acme/" + key});
    REQUIRE(answer);
    return answer->values.empty() ? "" : answer->values.front().value;
  }
  std::int64_t revision_of(const std::string& key) const {
    const auto answer = client.range({.key = "/vipauth/acme/" + key});
    REQUIRE(answer);
    return answer->values.empty() ? 0 : answer->values.front().mod_revision;
  }

  EtcdCluster cluster;
  EtcdClient client = *EtcdClient::create(cluster.store_address("/vipauth/acme"), cluster.client_options());
};

/// A home in which strangers wait, and what tells the fleet of them.
class Bus {
 public:
  explicit Bus(const Fleet& fleet) : exchange_(fleet.client, kBerlin, store, {}) {}

  void wait(const PendingRequest& stranger) {
    REQUIRE(store.edit_pending([&](PendingState& state) -> Result<void> {
      std::erase_if(state.pending,
                    [&](const PendingRequest& there) { return there.credentials == stranger.credentials; });
      state.pending.push_back(stranger);
      return {};
    }));
  }
  void forget() {
    REQUIRE(store.edit_pending([](PendingState& state) -> Result<void> {
      state.pending.clear();
      return {};
    }));
  }
  std::size_t waiting() const { return store.load_pending()->pending.size(); }
  Result<void> exchange() { return exchange_.exchange(); }
  std::optional<Error> problem() const { return exchange_.problem(); }

  TempHome home;
  HomeStore store{home.path()};

 private:
  PendingExchange exchange_;
};

std::string pending_key(const std::string& credentials) { return "pending/berlin/" + (kId + credentials); }

}  // namespace

TEST_CASE("FleetRequests: what a site says of where a denied peer may come from opens nothing") {
  const Fleet fleet;
  const auto all = fleet.open();
  const auto berlin = fleet.open("?site=berlin&edit=fleet");
  REQUIRE(fleet.open("?site=berlin")->edit_pending([](PendingState& state) -> Result<void> {
    state.pending = {request(kKeyA)};
    return {};
  }));
  const std::string name = all->load_pending()->pending.at(0).user_id;
  REQUIRE(RemotePeers(*all).deny(name));
  CHECK_THAT(fleet.get("fleet/decided/" + (kId + kKeyA)), Contains("10.0.0.1"));

  for (const char* address :
       {"null", "\"/.*/\"", "\"\"", "[\"10.0.0.9\", \"/.*/\"]", "[]", "7", "\"10.0.0.9\""}) {
    INFO(address);
    fleet.put("sites/berlin/decided/" + (kId + kKeyA), R"({"mechanism":"CURVE","credentials":")" + kKeyA +
                                                           R"(","domain":"vip","address":)" + address + "}");
    const PendingState seen = *berlin->load_pending();
    REQUIRE(seen.decided.size() == 1);
    CHECK(seen.decided[0].address == Json("10.0.0.1"));  // the fleet's counts
    CHECK_FALSE(seen.decided[0].is_doubtful);
  }
  REQUIRE(RemotePeers(*berlin).approve(name));
  CHECK(berlin->load_policy()->allow()[0].record->address.front().text() == "10.0.0.1");
}

TEST_CASE("FleetRequests: what a site alone says of a peer counts where it names an address") {
  const Fleet fleet;
  const auto berlin = fleet.open("?site=berlin");
  REQUIRE(berlin->edit_pending([](PendingState& state) -> Result<void> {
    state.pending = {request(kKeyA)};
    return {};
  }));
  const std::string name = berlin->load_pending()->pending.at(0).user_id;
  REQUIRE(RemotePeers(*berlin).deny(name));
  CHECK(fleet.get("fleet/decided/" + (kId + kKeyA)).empty());  // etcd may let a site write there nothing
  const std::string key = "sites/berlin/decided/" + (kId + kKeyA);
  CHECK_THAT(fleet.get(key), Contains("10.0.0.1"));
  SECTION("as it was") {
    REQUIRE(RemotePeers(*berlin).approve(name));
    CHECK(berlin->load_policy()->allow()[0].record->address.front().text() == "10.0.0.1");
  }
  SECTION("no address") {
    fleet.put(key, R"({"mechanism":"CURVE","credentials":")" + kKeyA + R"(","domain":null,"address":null})");
    CHECK(RemotePeers(*berlin).approve(name).error().code == ErrorCode::kConflict);
    CHECK(RemotePeers(*fleet.open("?site=berlin&edit=fleet")).approve(name).error().code ==
          ErrorCode::kConflict);
    CHECK(berlin->load_policy()->allow().empty());
    CHECK(fleet.get("fleet/decided/" + (kId + kKeyA)).empty());
  }
  SECTION("not to be understood: it is replaced") {
    fleet.put(key, "garbage");
    REQUIRE(RemotePeers(*berlin).deny(name));
    REQUIRE(berlin->edit_pending([](PendingState& state) -> Result<void> {
      state.decided = {{Mechanism::kCurve, kKeyA, Json("vip"), Json("10.0.0.1")}};
      return {};
    }));
    CHECK_THAT(fleet.get(key), Contains("10.0.0.1"));
  }
}

TEST_CASE("FleetRequests: what waits as no bus writes it is left out with a warning, and replaced") {
  const Fleet fleet;
  PendingRequest nameless = request(kKeyA);
  nameless.user_id = "alice";
  PendingRequest from_anywhere = request(kKeyB);
  from_anywhere.address.clear();
  fleet.put(pending_key(kKeyA), pending_value(nameless));
  fleet.put(pending_key(kKeyB), pending_value(from_anywhere));
  fleet.put("pending/b%20c/" + (kId + kKeyC), pending_value(request(kKeyC)));
  std::vector<std::string> warnings;
  const auto all = fleet.open("", [&](LogLevel level, const std::string& line) {
    if (level == LogLevel::kWarning) warnings.push_back(line);
  });
  CHECK(all->load_pending()->pending.empty());
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("3 of those who wait"));

  REQUIRE(fleet.open("?site=berlin")->edit_pending([](PendingState& state) -> Result<void> {
    state.pending = {request(kKeyA)};
    return {};
  }));
  CHECK(all->load_pending()->pending.size() == 1);
}

TEST_CASE("FleetRequests: a site that floods is read so far, and the next one whole") {
  const Fleet fleet;
  CheckedWrites writes(fleet.client, {});
  const std::size_t most = PendingStore::Limits().total;
  for (std::size_t i = 0; i < most + 100; ++i)
    REQUIRE(writes.add("/vipauth/acme/pending/berlin/x" + std::to_string(i), "garbage", 0));
  REQUIRE(*writes.finish());
  fleet.put("pending/paris/" + (kId + kKeyC), pending_value(request(kKeyC)));
  const auto all = fleet.open()->load_pending();
  REQUIRE(all);
  REQUIRE(all->pending.size() == 1);
  CHECK(all->pending[0].site == "paris");
}

TEST_CASE("FleetRequests: what a site puts there that no answer can hold hides nobody of another site") {
  const Fleet fleet;
  const std::string large(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 20; ++i) fleet.put("pending/berlin/x" + std::to_string(i), large);
  for (int i = 0; i < 20; ++i) fleet.put("sites/paris/decided/x" + std::to_string(i), large);
  fleet.put("pending/paris/" + (kId + kKeyC), pending_value(request(kKeyC)));
  for (const char* address : {"", "?site=paris"}) {
    const auto all = fleet.open(address)->load_pending();
    REQUIRE(all);
    REQUIRE(all->pending.size() == 1);
    CHECK(all->pending[0].credentials == kKeyC);
  }
  Bus bus(fleet);  // of berlin
  bus.wait(request(kKeyA));
  REQUIRE(bus.exchange());
  CHECK(fleet.open()->load_pending()->pending.size() == 2);
}

TEST_CASE("PendingExchange: tells who waits, and takes away who was deleted in the store") {
  const Fleet fleet;
  const auto all = fleet.open();
  Bus bus(fleet);
  bus.wait(request(kKeyA));
  bus.wait(request(kKeyB));
  REQUIRE(bus.exchange());
  REQUIRE(all->load_pending()->pending.size() == 2);
  CHECK(all->load_pending()->pending[0].site == "berlin");
  const std::string name = all->load_pending()->pending[0].user_id;
  REQUIRE(RemotePeers(*all).remove(name));
  REQUIRE(bus.exchange());
  CHECK(bus.waiting() == 1);
  REQUIRE(bus.exchange());
  CHECK(all->load_pending()->pending.size() == 1);
  bus.forget();
  REQUIRE(bus.exchange());
  CHECK(all->load_pending()->pending.empty());
}

TEST_CASE("PendingExchange: waits for nobody who decides over the bus, and takes away later") {
  const Fleet fleet;
  Bus bus(fleet);
  bus.wait(request(kKeyA));
  REQUIRE(bus.exchange());
  REQUIRE(fleet.open()->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.clear();
    return {};
  }));
  HomeStore approver(bus.home.path());
  REQUIRE(approver.edit_pending([&](PendingState&) -> Result<void> {
    CHECK(bus.exchange());  // it would wait for this edit, which waits for its thread
    return {};
  }));
  CHECK(bus.waiting() == 1);
  CHECK(fleet.get(pending_key(kKeyA)).empty());  // nor is it told again
  REQUIRE(bus.exchange());
  CHECK(bus.waiting() == 0);
}

TEST_CASE("PendingExchange: who goes on asking is told again now and then") {
  const Fleet fleet;
  Bus bus(fleet);
  PendingRequest stranger = request(kKeyA);
  bus.wait(stranger);
  REQUIRE(bus.exchange());
  const auto first = fleet.revision_of(pending_key(kKeyA));
  stranger.last_seen += PendingExchange::kBetweenSightings - std::chrono::milliseconds(1);
  stranger.retries = 150;
  bus.wait(stranger);
  REQUIRE(bus.exchange());
  CHECK(fleet.revision_of(pending_key(kKeyA)) == first);
  stranger.last_seen += std::chrono::milliseconds(1);
  bus.wait(stranger);
  REQUIRE(bus.exchange());
  CHECK(fleet.revision_of(pending_key(kKeyA)) > first);
  CHECK(parse_pending(fleet.get(pending_key(kKeyA)))->retries == 150);

  const auto second = fleet.revision_of(pending_key(kKeyA));
  stranger.address = "10.0.0.2";  // at once
  bus.wait(stranger);
  REQUIRE(bus.exchange());
  CHECK(fleet.revision_of(pending_key(kKeyA)) > second);
}

TEST_CASE("PendingExchange: of two buses of a site each takes back whom it has told") {
  const Fleet fleet;
  const auto all = fleet.open();
  Bus one(fleet);
  Bus two(fleet);
  one.wait(request(kKeyA));
  two.wait(request(kKeyB));
  PendingRequest at_both = request(kKeyC);
  one.wait(at_both);
  REQUIRE(one.exchange());
  at_both.user_id = make_user_id();
  two.wait(at_both);
  REQUIRE(two.exchange());
  REQUIRE(one.exchange());
  CHECK(all->load_pending()->pending.size() == 3);
  two.forget();
  REQUIRE(two.exchange());
  REQUIRE(one.exchange());
  CHECK(all->load_pending()->pending.size() == 2);
  CHECK(one.waiting() == 2);
}

TEST_CASE("PendingExchange: a bus that is started again knows what it has told") {
  const Fleet fleet;
  Bus bus(fleet);
  bus.wait(request(kKeyA));
  REQUIRE(bus.exchange());
  PendingExchange again(fleet.client, kBerlin, bus.store, {});
  REQUIRE(again.exchange());
  REQUIRE(fleet.open()->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.clear();
    return {};
  }));
  REQUIRE(again.exchange());
  CHECK(bus.waiting() == 0);
}

TEST_CASE("PendingExchange: who is not read for want of room is not taken for deleted") {
  const Fleet fleet;
  Bus bus(fleet);
  bus.wait(request(kKeyA));
  REQUIRE(bus.exchange());
  CheckedWrites writes(fleet.client, {});
  for (std::size_t i = 0; i < 2 * PendingStore::Limits().total; ++i)  // before "CURVE..."
    REQUIRE(writes.add("/vipauth/acme/pending/berlin/A" + std::to_string(i), "garbage", 0));
  REQUIRE(*writes.finish());
  const auto done = bus.exchange();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kLimitExceeded);
  CHECK(bus.waiting() == 1);
  bus.forget();
  CHECK(bus.exchange());
  REQUIRE(fleet.client.txn({}, {{.key = "/vipauth/acme/pending/berlin/A",
                                 .value = std::nullopt,
                                 .range_end = "/vipauth/acme/pending/berlin/B"}}));
  CHECK_FALSE(fleet.get(pending_key(kKeyA)).empty());
  CHECK(bus.exchange());
  CHECK(fleet.get(pending_key(kKeyA)).empty());
}

TEST_CASE("PendingExchange: what cannot be told is a problem of its own, until it can be") {
  const Fleet fleet;
  Bus bus(fleet);
  PendingRequest nowhere = request(kKeyA);
  nowhere.domain.clear();
  bus.wait(nowhere);
  bus.wait(request(kKeyB));
  CHECK_FALSE(bus.exchange());
  REQUIRE(bus.problem());
  CHECK(bus.problem()->location == "/domain");
  CHECK(fleet.open()->load_pending()->pending.size() == 1);  // the other is told
  bus.wait(request(kKeyA));
  CHECK(bus.exchange());
  CHECK_FALSE(bus.problem());
}

TEST_CASE("PendingExchange: a bus reads and writes no other site, and tells as many as a home has") {
  const Fleet fleet;
  fleet.put("pending/paris/" + (kId + kKeyA), pending_value(request(kKeyA)));
  fleet.put("pending/berlin-2/" + (kId + kKeyA), pending_value(request(kKeyA)));
  CheckedWrites writes(fleet.client, {});
  for (std::size_t i = 0; i < PendingStore::Limits().total - 1; ++i)
    REQUIRE(writes.add("/vipauth/acme/pending/berlin/x" + std::to_string(i), "garbage", 0));
  REQUIRE(*writes.finish());
  Bus bus(fleet);
  for (std::uint8_t i = 0; i < 3; ++i) bus.wait(request(key_of(i)));
  const auto done = bus.exchange();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kLimitExceeded);
  std::size_t told = 0;
  for (std::uint8_t i = 0; i < 3; ++i) {
    if (!fleet.get(pending_key(key_of(i))).empty()) ++told;
  }
  CHECK(told == 1);
  CHECK_FALSE(fleet.get("pending/paris/" + (kId + kKeyA)).empty());
  CHECK_FALSE(fleet.get("pending/berlin-2/" + (kId + kKeyA)).empty());
}

TEST_CASE("EtcdStore: an edit does not wait longer than its patience for a member that says nothing") {
  Fleet fleet;
  EtcdOptions options = fleet.cluster.client_options();
  options.timeout = std::chrono::minutes(10);  // more than this test has
  const auto store = EtcdStore::open(fleet.cluster.store_address("/vipauth/acme"), options);
  REQUIRE(store);
  REQUIRE((*store)->edit_policy(add_user("alice", kKeyA)));
  fleet.cluster.pause(0);
  const EditOptions hasty{.patience = std::chrono::milliseconds(50)};
  CHECK_FALSE((*store)->edit_policy(add_user("bob", kKeyB), hasty));
  CHECK_FALSE((*store)->edit_topics(
      [](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {"c"}); }, hasty));
  CHECK_FALSE((*store)->edit_pending([](PendingState&) { return Result<void>(); }, hasty.patience));
  fleet.cluster.resume(0);
  CHECK((*store)->edit_policy(add_user("bob", kKeyB)));
}
