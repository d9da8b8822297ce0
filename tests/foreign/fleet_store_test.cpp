#include <atomic>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include <vipauth/etcd_store.hpp>

#include "cli/cli.hpp"
#include "etcd_cluster.hpp"
#include "fleet/etcd_client.hpp"
#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Catch::Contains;

namespace {

std::unique_ptr<EtcdStore> open_store(const EtcdCluster& cluster, const std::string& path) {
  auto store = EtcdStore::open(cluster.store_address(path), cluster.client_options());
  if (!store) throw std::runtime_error(store.error().to_string());
  return *std::move(store);
}

std::vector<std::string> users_of(const PolicyStore& store) {
  const auto policy = store.load_policy();
  if (!policy) throw std::runtime_error(policy.error().to_string());
  std::vector<std::string> out;
  for (const Policy::Entry& entry : policy->allow()) out.push_back(entry.record->user_id);
  return out;
}

/// A policy of that many users, each with a key of its own.
Policy many_users(std::size_t count) {
  Json::Array records;
  for (std::size_t i = 0; i < count; ++i) {
    CurveKey::Bytes key{};
    key.back() = 0x5a;  // none of the other tests' keys
    for (std::size_t byte = 0; byte < sizeof i; ++byte)
      key[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    records.emplace_back(Json::Object{{"user_id", Json("user" + std::to_string(i))},
                                      {"mechanism", Json("CURVE")},
                                      {"credentials", Json(CurveKey(key).to_base64url())}});
  }
  Json document = Policy().to_json();
  document.set("allow", Json(std::move(records)));
  return *Policy::parse(std::move(document));
}

}  // namespace

TEST_CASE("EtcdStore: does what every store must do") {
  const EtcdCluster cluster;
  std::size_t number = 0;
  for (const StoreCheck& check : policy_store_contract()) {
    for (const char* part : {"", "?site=berlin", "?site=berlin&edit=fleet"}) {
      ++number;
      DYNAMIC_SECTION(check.name << " " << part) {
        const std::string path = "/vipauth/place" + std::to_string(number) + part;
        check.run([&] { return open_store(cluster, path); });
      }
    }
  }
}

TEST_CASE("EtcdStore: what the fleet shares is what a site adds to, and cannot change") {
  const EtcdCluster cluster;
  const auto fleet = open_store(cluster, "/vipauth/acme");
  const auto berlin = open_store(cluster, "/vipauth/acme?site=berlin");
  const auto paris = open_store(cluster, "/vipauth/acme?site=paris");
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  REQUIRE(berlin->edit_policy(add_user("bob", kKeyB)));
  CHECK(users_of(*fleet) == std::vector<std::string>{"alice"});
  CHECK(users_of(*berlin) == std::vector<std::string>{"alice", "bob"});
  CHECK(users_of(*paris) == std::vector<std::string>{"alice"});

  const auto removed = berlin->edit_policy([](Policy& policy) { return policy.remove_allow({0}); });
  REQUIRE_FALSE(removed);
  CHECK(removed.error().code == ErrorCode::kPermissionDenied);
  CHECK(users_of(*berlin) == std::vector<std::string>{"alice", "bob"});
  REQUIRE(berlin->edit_policy([](Policy& policy) { return policy.remove_allow({1}); }));
  CHECK(users_of(*berlin) == std::vector<std::string>{"alice"});

  SECTION("unless the address says so") {
    const auto as_fleet = open_store(cluster, "/vipauth/acme?site=berlin&edit=fleet");
    REQUIRE(as_fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
    CHECK(users_of(*paris).empty());
  }
}

TEST_CASE("EtcdStore: an edit whose answer is lost is made once, or not at all") {
  EtcdCluster cluster({.members = 3});
  const auto store = open_store(cluster, "/vipauth/acme");
  REQUIRE(store->edit_policy(add_user("first", kKeyA)));
  std::atomic<bool> is_over = false;
  std::jthread killer([&] {
    for (int i = 0; i < 3 && !is_over; ++i) {
      const std::size_t leader = cluster.leader();
      cluster.kill(leader);
      cluster.restart(leader);
      cluster.wait_until_healthy();
    }
  });
  std::vector<std::string> acknowledged{"first"};
  for (int i = 0; i < 60; ++i) {
    const std::string name = "user" + std::to_string(i);
    const Policy one = many_users(static_cast<std::size_t>(i) + 1000);
    const auto edited = store->edit_policy(
        [&](Policy& policy) -> Result<void> {
          Json record = one.allow().back().source;
          record.set("user_id", Json(name));
          auto added = policy.add_allow(record);
          if (!added) return added.error();
          return {};
        },
        {.patience = std::chrono::seconds(60)});
    INFO((edited ? std::string() : edited.error().to_string()));
    REQUIRE(edited);
    acknowledged.push_back(name);
  }
  is_over = true;
  killer.join();
  CHECK(users_of(*store) == acknowledged);  // each once, and none twice
}

TEST_CASE("EtcdStore: what changes too much for one transaction is pushed") {
  const EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  const Policy many = many_users(EtcdStore::kMostChanges + 1);
  const auto edited = store->edit_policy([&](Policy& policy) -> Result<void> {
    policy = many;
    return {};
  });
  REQUIRE_FALSE(edited);
  CHECK(edited.error().code == ErrorCode::kLimitExceeded);
  CHECK_THAT(edited.error().message, Contains("push"));
  CHECK(users_of(*store).empty());

  std::vector<std::size_t> told;
  const auto pushed = store->push(
      many, TopicDocument(), [&](const EtcdStore::PushProgress& progress) { told.push_back(progress.done); });
  REQUIRE(pushed);
  CHECK(pushed->changed == many.allow().size());
  CHECK_FALSE(pushed->resumed);
  CHECK(told == std::vector<std::size_t>{EtcdStore::kMostChanges, many.allow().size()});
  CHECK(store->load_policy()->to_json() == many.to_json());
  const auto again = store->push(many, TopicDocument());
  REQUIRE(again);
  CHECK(again->changed == 0);
}

TEST_CASE("EtcdStore: a push that is broken off keeps edits waiting, and is resumed") {
  EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  const Policy many = many_users(1000);
  struct BrokenOff {};
  CHECK_THROWS_AS(store->push(many, TopicDocument(),
                              [&](const EtcdStore::PushProgress& progress) {
                                if (progress.done >= 500) throw BrokenOff();
                              }),
                  BrokenOff);
  const auto edited = store->edit_policy(add_user("alice", kKeyA));
  REQUIRE_FALSE(edited);
  CHECK(edited.error().code == ErrorCode::kBusy);
  CHECK(store->load_policy().error().code == ErrorCode::kBusy);

  std::size_t total = 0;
  const auto resumed = open_store(cluster, "/vipauth/acme")
                           ->push(many, TopicDocument(),
                                  [&](const EtcdStore::PushProgress& progress) { total = progress.total; });
  REQUIRE(resumed);
  CHECK(resumed->resumed);
  CHECK(total == 500);
  CHECK(store->load_policy()->to_json() == many.to_json());
  CHECK(store->edit_policy(add_user("alice", kKeyA)));
}

TEST_CASE("EtcdStore: a policy of many pages is read as it was at one moment") {
  const EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  const Policy many = many_users(5000);
  REQUIRE(store->push(many, TopicDocument()));
  // The lists keep their distance of ranks where most of it is gone.
  Policy few = many;
  std::vector<std::size_t> removed;
  for (std::size_t i = 1; i + 1 < many.allow().size(); ++i) removed.push_back(i);
  REQUIRE(few.remove_allow(removed));
  REQUIRE(store->push(few, TopicDocument()));
  CHECK(users_of(*store) == std::vector<std::string>{"user0", "user4999"});
  REQUIRE(store->push(many, TopicDocument()));
  CHECK(users_of(*store).size() == 5000);
}

TEST_CASE("EtcdStore: an edit of the fleet and a site at once says so in both guards") {
  const EtcdCluster cluster;
  const auto both = open_store(cluster, "/vipauth/acme?site=berlin&edit=fleet");
  REQUIRE(open_store(cluster, "/vipauth/acme?site=berlin")->edit_policy(add_user("bob", kKeyB)));
  REQUIRE(both->edit_policy(add_user("alice", kKeyA)));  // of the fleet alone
  const auto client =
      fleet::EtcdClient::create(cluster.store_address("/vipauth/acme"), cluster.client_options());
  REQUIRE(client);
  const auto guard = [&](const std::string& scope) {
    const auto answer = client->range({.key = "/vipauth/acme/" + scope + "/guard"});
    REQUIRE(answer);
    REQUIRE(answer->values.size() == 1);
    return answer->values.front();
  };
  CHECK_THAT(guard("fleet").value, !Contains("both"));
  CHECK(guard("fleet").mod_revision > guard("sites/berlin").mod_revision);

  SECTION("one transaction") {
    REQUIRE(both->edit_policy([](Policy& p) { return p.remove_allow({0, 1}); }));
  }
  SECTION("a push") { REQUIRE(both->push(many_users(250), TopicDocument())); }
  CHECK(guard("fleet").value == guard("sites/berlin").value);
  CHECK(guard("fleet").mod_revision == guard("sites/berlin").mod_revision);
  CHECK_THAT(guard("fleet").value,
             Contains(R"("scopes":"both")") && Contains(R"("site":"berlin")") && !Contains("partial"));
}

TEST_CASE("EtcdStore: a push of the fleet and a site is resumed by the same address alone") {
  const EtcdCluster cluster;
  REQUIRE(open_store(cluster, "/vipauth/acme?site=berlin")->edit_policy(add_user("bob", kKeyB)));
  const auto both = open_store(cluster, "/vipauth/acme?site=berlin&edit=fleet");
  const Policy many = many_users(300);
  struct BrokenOff {};
  CHECK_THROWS_AS(both->push(many, TopicDocument(),
                             [&](const EtcdStore::PushProgress& progress) {
                               if (progress.done < progress.total) throw BrokenOff();
                             }),
                  BrokenOff);
  for (const char* path :
       {"/vipauth/acme", "/vipauth/acme?site=berlin", "/vipauth/acme?site=paris&edit=fleet"}) {
    INFO(path);
    const auto other = open_store(cluster, path);
    CHECK(other->load_policy().error().code == ErrorCode::kBusy);
    const auto pushed = other->push(many, TopicDocument());
    REQUIRE_FALSE(pushed);
    CHECK_THAT(pushed.error().message, Contains("?site=berlin&edit=fleet"));
  }
  const auto resumed = both->push(many, TopicDocument());
  REQUIRE(resumed);
  CHECK(resumed->resumed);
  CHECK(users_of(*open_store(cluster, "/vipauth/acme?site=berlin")).size() == 300);
  CHECK(open_store(cluster, "/vipauth/acme?site=paris")->load_policy());
}

TEST_CASE("EtcdStore: policy and topics are read at one revision") {
  const EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  Policy policy = many_users(2);
  TopicDocument topics;
  REQUIRE(topics.add(TopicList::kWriteProtect, "t", {"c"}));
  REQUIRE(store->push(policy, topics));
  const auto version = store->load_version();
  REQUIRE(version);
  CHECK(version->policy.to_json() == policy.to_json());
  CHECK(version->topics.rules().write_protect.size() == 1);
}

TEST_CASE("EtcdStore: a watch goes on where whoever was told had no memory") {
  const EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  std::atomic<int> tries = 0;
  std::atomic<bool> is_told = false;
  const auto watch = store->watch([&](const StoreChanges& changes) {
    if (changes.policy && ++tries == 1) throw std::bad_alloc();
    is_told = is_told || changes.policy;
  });
  REQUIRE(watch);
  REQUIRE(store->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually([&] { return is_told.load(); }));
  CHECK(tries == 2);  // the same edit
}

TEST_CASE("EtcdStore: a watch goes on behind what is too large to be told") {
  const EtcdCluster cluster;
  const auto store = open_store(cluster, "/vipauth/acme");
  const auto client =
      *fleet::EtcdClient::create(cluster.store_address("/vipauth/acme"), cluster.client_options());
  const std::string pending = "/vipauth/acme/pending/berlin/";
  const std::string tail(10'000, 'x');
  for (int i = 0; i < 7000;) {
    std::vector<fleet::Mutation> some;
    for (; some.size() < 100; ++i) some.push_back({.key = pending + std::to_string(i) + tail, .value = ""});
    REQUIRE(client.txn({}, some));
  }
  std::atomic<int> told = 0;
  const auto watch = store->watch([&](const StoreChanges& changes) { told += changes.pending ? 1 : 0; });
  REQUIRE(watch);
  REQUIRE(client.txn({}, {{.key = pending, .value = std::nullopt, .range_end = fleet::prefix_end(pending)}}));
  CHECK(eventually([&] { return told > 0; }, std::chrono::seconds(30)));
  const int before = told;
  REQUIRE(client.txn({}, {{.key = pending + "x", .value = ""}}));
  CHECK(eventually([&] { return told > before; }, std::chrono::seconds(30)));
}

TEST_CASE("vctl --store lint: tells what of a site the fleet hides") {
  const EtcdCluster cluster;
  const auto add_role = [](const char* capability) {
    return [=](Policy& policy) -> Result<void> { return policy.add_role("reader", Json(capability)); };
  };
  REQUIRE(open_store(cluster, "/vipauth/acme?site=berlin")->edit_policy(add_role("more")));
  CHECK(open_store(cluster, "/vipauth/acme?site=berlin")->problems()->empty());
  REQUIRE(open_store(cluster, "/vipauth/acme")->edit_policy(add_role("less")));
  const auto problems = open_store(cluster, "/vipauth/acme?site=berlin")->problems();
  REQUIRE(problems);
  REQUIRE(problems->size() == 1);
  CHECK(problems->front().location == "site/roles/reader");
  Cli cli;
  const Outcome found = cli.auth({"--store", cluster.address("/vipauth/acme?site=berlin"), "lint"});
  CHECK(found.exit_code == 0);
  CHECK_THAT(found.out, Contains("site/roles/reader: it does not count") && Contains("[no-effect-in-fleet]"));
  CHECK_THAT(cli.auth({"--store", cluster.address("/vipauth/acme"), "lint"}).out,
             !Contains("no-effect-in-fleet"));
}

TEST_CASE("EtcdStore: strangers of all sites wait in one place") {
  const EtcdCluster cluster;
  const auto fleet = open_store(cluster, "/vipauth/acme");
  for (const char* site : {"berlin", "paris"}) {
    const auto at_site = open_store(cluster, std::string("/vipauth/acme?site=") + site);
    REQUIRE(at_site->edit_pending([&](PendingState& state) -> Result<void> {
      PendingRequest request;
      request.credentials = kKeyA;
      request.domain = "vip";
      request.address = "10.0.0.1";
      request.user_id = make_user_id();
      state.pending.push_back(request);
      return {};
    }));
    CHECK(at_site->load_pending()->pending.size() == 1);
  }
  const auto all = fleet->load_pending();
  REQUIRE(all);
  REQUIRE(all->pending.size() == 2);
  CHECK(all->pending[0].site == "berlin");
  CHECK(all->pending[1].site == "paris");
  REQUIRE(fleet->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.erase(state.pending.begin());
    return {};
  }));
  CHECK(open_store(cluster, "/vipauth/acme?site=berlin")->load_pending()->pending.empty());
  CHECK(open_store(cluster, "/vipauth/acme?site=paris")->load_pending()->pending.size() == 1);
}

TEST_CASE("EtcdStore: etcd itself keeps a site's administrator to the site") {
  EtcdCluster cluster(
      {.tls = true,
       .users = {
           {.name = "berlin", .password = "a-password-of-berlin", .prefix = "/vipauth/acme/sites/berlin/"}}});
  auto options = cluster.client_options("berlin");
  const auto store = EtcdStore::open(cluster.store_address("/vipauth/acme?site=berlin"), options);
  REQUIRE(store);
  const auto read = (*store)->load_policy();  // it may not read what all share
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kPermissionDenied);
  CHECK_THAT(read.error().to_string(), !Contains(options.password));
}
