#include <vipauth/fleet_follower.hpp>

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <vipauth/auth_service.hpp>
#include <vipauth/etcd_store.hpp>
#include <vipauth/local_copy.hpp>

#include "etcd_cluster.hpp"
#include "stores/policy_store_contract.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"
#include "support/signals.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using Catch::Contains;

namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr const char* kBerlin = "/vipauth/acme?site=berlin&edit=fleet";

std::unique_ptr<EtcdStore> fleet_of(const EtcdCluster& cluster) {
  auto store = EtcdStore::open(cluster.store_address("/vipauth/acme"), cluster.client_options());
  if (!store) throw std::runtime_error(store.error().to_string());
  return *std::move(store);
}

std::unique_ptr<FleetFollower> follow(const EtcdCluster& cluster, const TempHome& home,
                                      const std::string& path = kBerlin) {
  FleetFollower::Options options;
  options.address = cluster.store_address(path);
  options.etcd = cluster.client_options();
  options.check_interval = std::chrono::milliseconds(100);
  auto follower = FleetFollower::start(home.path(), std::move(options));
  if (!follower) throw std::runtime_error(follower.error().to_string());
  return *std::move(follower);
}

std::vector<std::string> users_in(const TempHome& home) {
  const auto policy = AuthFile(home / "auth.json").load();
  if (!policy) return {policy.error().to_string()};
  std::vector<std::string> out;
  for (const Policy::Entry& entry : policy->allow()) out.push_back(entry.record->user_id);
  return out;
}

using Users = std::vector<std::string>;

std::size_t denied_in(const TempHome& home) {
  const auto policy = AuthFile(home / "auth.json").load();
  return policy ? policy->deny().size() : 0;
}

AuthFile::Change deny(const std::string& credentials) {
  return [=](Policy& policy) -> Result<void> {
    auto added =
        policy.add_deny(Json::Object{{"mechanism", Json("CURVE")}, {"credentials", Json(credentials)}});
    return added ? Result<void>() : added.error();
  };
}

}  // namespace

TEST_CASE("FleetFollower: a home becomes what the fleet shares, and stays so") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  const auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"alice"});
  REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
  REQUIRE(fleet->edit_topics(
      [](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {"c"}); }));
  CHECK(eventually([&] { return users_in(home) == Users{"alice", "bob"}; }));
  CHECK(eventually([&] {
    const auto topics = TopicsFile(home / "protected_topics.json").load();
    return topics && topics->write_protect.size() == 1;
  }));
  REQUIRE(fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
  CHECK(eventually([&] { return users_in(home) == Users{"bob"}; }));
  CHECK(follower->status().full_reads == 1);
  CHECK_FALSE(follower->status().problem.has_value());
}

TEST_CASE("FleetFollower: a service lets in whom the fleet allows, and no more whom it removes") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const auto follower = follow(cluster, home);
  AuthService::Options options;
  options.store = follower->store();
  auto service = AuthService::open(home.path(), std::move(options));
  REQUIRE(service);
  const auto accepts = [&] {
    const AuthenticationRequest request{"vip", "10.0.0.1", *CurveKey::parse(kKeyA)};
    return service->policy()->current().snapshot->authenticator.authenticate(request).decision.allowed();
  };
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK_FALSE(accepts());
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  CHECK(eventually(accepts));
  REQUIRE(fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
  CHECK(eventually([&] { return !accepts(); }));
}

TEST_CASE("FleetFollower: a bus decides by its home while etcd is away, and catches up") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  cluster.kill(0);
  CHECK(eventually([&] { return follower->status().problem.has_value(); }));
  CHECK(users_in(home) == Users{"alice"});

  SECTION("in one go") {}
  SECTION("and is restarted meanwhile") {
    follower.reset();
    follower = follow(cluster, home);
    CHECK(users_in(home) == Users{"alice"});
    CHECK(follower->status().revision > 0);
    CHECK(follower->status().synced_at.has_value());
  }
  const auto before = follower->status().full_reads;
  cluster.restart(0);
  cluster.wait_until_healthy();
  REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
  CHECK(eventually([&] { return users_in(home) == Users{"alice", "bob"}; }));
  CHECK(follower->status().full_reads == before);  // by revisions
  CHECK(eventually([&] { return !follower->status().problem; }));
}

TEST_CASE("FleetFollower: tells the age of a policy, over a restart too") {
  EtcdCluster cluster;
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  const auto age = follower->policy_age();
  CHECK(eventually([&] { return age() && *age() < std::chrono::seconds(5); }));
  cluster.kill(0);
  follower.reset();
  const auto before = *age();
  CHECK(eventually([&] { return *age() > before; }));  // nobody asks any more

  auto service = AuthService::open(home.path());
  REQUIRE(service);
  follower = follow(cluster, home);
  service->set_policy_age(follower->policy_age(), std::chrono::hours(1));
  CHECK_FALSE(service->refuses_new_peers().has_value());
  service->set_policy_age(follower->policy_age(), std::chrono::milliseconds(0));
  CHECK(eventually([&] { return service->refuses_new_peers().has_value(); }));
  service->set_policy_age(follower->policy_age(), std::chrono::seconds(30));
  CHECK(eventually([&] { return !service->refuses_new_peers(); }));
}

TEST_CASE("FleetFollower: what is compacted while a bus is away is read again") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  follower.reset();
  REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
  REQUIRE(fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
  const auto status = cluster.etcdctl("get --prefix / --write-out=json --limit 1");
  const auto revision = Json::parse(status)->find("header")->find("revision")->as_number().digits;
  cluster.etcdctl("compact " + revision);
  follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"bob"});
  CHECK(follower->status().full_reads == 1);
}

TEST_CASE("FleetFollower: a store that has another history is read again") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  for (const char* user : {"alice", "carol"}) {
    REQUIRE(fleet->edit_policy(add_user(user, user[0] == 'a' ? kKeyA : kKeyB)));
  }
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  const auto put_bob_and = [&](int more) {
    cluster.wipe();
    cluster.restart(0);
    cluster.wait_until_healthy();
    REQUIRE(fleet->edit_policy(add_user("bob", kKeyA)));
    for (int i = 0; i < more; ++i) {
      REQUIRE(fleet->edit_topics([&](TopicDocument& topics) {
        return topics.add(TopicList::kWriteProtect, "t" + std::to_string(i), {"c"});
      }));
    }
  };
  SECTION("at an earlier revision") { put_bob_and(0); }
  SECTION("that was left behind while the bus was away") {
    follower.reset();
    put_bob_and(10);
    follower = follow(cluster, home);
  }
  SECTION("at the very same revision") {
    follower.reset();
    put_bob_and(1);
    follower = follow(cluster, home);
  }
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"bob"});
  CHECK(follower->status().full_reads <= 2);
}

TEST_CASE("FleetFollower: a bus that ends just after an edit knows where it stood") {
  const EtcdCluster cluster;
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  for (const char* user : {"alice", "bob"}) {
    REQUIRE(follower->store()->edit_policy(add_user(user, user[0] == 'a' ? kKeyA : kKeyB)));
    follower.reset();
    follower = follow(cluster, home);
    REQUIRE(follower->wait_until_synced(kPatience));
    CHECK(follower->status().full_reads == 0);
  }
}

TEST_CASE("FleetFollower: what a quiet part has not seen is not read again") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const auto start = [&] {
    FleetFollower::Options options;
    options.address = cluster.store_address(kBerlin);
    options.etcd = cluster.client_options();
    options.etcd.timeout = std::chrono::milliseconds(300);  // and so time is told as often
    options.check_interval = std::chrono::milliseconds(100);
    auto follower = FleetFollower::start(home.path(), std::move(options));
    REQUIRE(follower);
    return *std::move(follower);
  };
  auto follower = start();
  REQUIRE(follower->wait_until_synced(kPatience));
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
  REQUIRE(follower->wait_until_synced(kPatience));
  const auto status = cluster.etcdctl("get --prefix / --write-out=json --limit 1");
  const auto revision = Json::parse(status)->find("header")->find("revision")->as_number().digits;
  int rounds = 1;
  const auto site_has_seen_it = [&] {
    for (int i = 0; i < rounds; ++i) REQUIRE(follower->wait_until_synced(kPatience));  // time passes
    rounds *= 2;
    follower.reset();
    const auto mark = LocalCopy(home.path()).load();
    const bool is_there =
        mark->value().details.find("site")->find("revision")->as_number().digits == revision;
    if (!is_there) follower = start();
    return is_there;
  };
  REQUIRE(eventually(site_has_seen_it));
  cluster.etcdctl("compact " + revision);
  follower = start();
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(follower->status().full_reads == 0);
}

TEST_CASE("FleetFollower: files that somebody else has changed are made what the fleet says") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  follower.reset();
  REQUIRE(AuthFile(home / "auth.json").edit(add_user("mallory", kKeyB)));
  follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"alice"});
}

TEST_CASE("FleetFollower: what could not be put in force is not written") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  const auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  const std::string key = GENERATE("deny/0000000000100000", "deny/x", "write-protect/0000000000100000");
  cluster.etcdctl("put /vipauth/acme/fleet/" + key + " nonsense");
  CHECK(eventually([&] { return follower->status().problem.has_value(); }));
  REQUIRE(fleet->edit_policy(add_user("bob", kKeyB)));
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(500)));
  CHECK(users_in(home) == Users{"alice"});
  cluster.etcdctl("del /vipauth/acme/fleet/" + key);
  CHECK(eventually([&] { return users_in(home) == Users{"alice", "bob"}; }));
}

TEST_CASE("FleetFollower: a policy that no bus could put in force is not written") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  REQUIRE(fleet->edit_policy(add_user("alice", kKeyA)));
  const TempHome home;
  const auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  Json::Array capabilities;
  for (int i = 0; i < 4097; ++i) capabilities.emplace_back("c" + std::to_string(i));
  REQUIRE(fleet->edit_policy([&](Policy& policy) {
    return policy.update_allow(0, Json(Json::Object{{"capabilities", Json(capabilities)}}));
  }));
  CHECK(eventually([&] { return follower->status().problem.has_value(); }));
  CHECK(AuthFile(home / "auth.json").load()->allow()[0].record->capabilities.empty());
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(300)));
  capabilities.pop_back();
  REQUIRE(fleet->edit_policy([&](Policy& policy) {
    return policy.update_allow(0, Json(Json::Object{{"capabilities", Json(capabilities)}}));
  }));
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(AuthFile(home / "auth.json").load()->allow()[0].record->capabilities.size() == 4096);
}

TEST_CASE("FleetFollower: what a site adds keeps no denial of the fleet from its buses") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  auto follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  REQUIRE(follower->wait_until_synced(kPatience));
  REQUIRE(follower->store()->edit_policy(add_user("alice", kKeyA)));
  const std::string key = GENERATE("deny/x", "write-protect/0000000000100000", "guard");
  cluster.etcdctl("put /vipauth/acme/sites/berlin/" + key + " " +
                  (key == "guard" ? R"('{"edit":"x","partial":true}')" : "nonsense"));
  CHECK(eventually([&] { return follower->status().problem.has_value(); }));
  if (GENERATE(false, true)) {
    follower.reset();
    follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  }
  REQUIRE(fleet->edit_policy(deny(kKeyA)));
  CHECK(eventually([&] { return denied_in(home) == 1; }));
  CHECK(users_in(home) == Users{"alice"});
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(300)));
  const auto edits = follower->status().edits;
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(300)));
  CHECK(follower->status().edits == edits);  // it is not written again and again

  cluster.etcdctl("del /vipauth/acme/sites/berlin/" + key);
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(denied_in(home) == 1);
}

TEST_CASE("FleetFollower: a site that calls an edit the fleet's, too, keeps no denial from its buses") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  auto follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  REQUIRE(follower->wait_until_synced(kPatience));
  REQUIRE(follower->store()->edit_policy(add_user("alice", kKeyA)));
  follower.reset();  // so that it is told of both edits at once
  REQUIRE(fleet->edit_policy(deny(kKeyA)));
  cluster.etcdctl(R"(put /vipauth/acme/sites/berlin/guard '{"edit":"x","scopes":"both","site":"berlin"}')");
  follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  CHECK(eventually([&] { return denied_in(home) == 1; }, std::chrono::seconds(10)));
  CHECK(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"alice"});
}

TEST_CASE("FleetFollower: a site that leaves the fleet no room keeps no denial from its buses") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  auto follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  REQUIRE(follower->wait_until_synced(kPatience));
  Json::Array capabilities;  // as many as a user may have
  for (int i = 0; i < 4096; ++i) capabilities.emplace_back("c" + std::to_string(i));
  REQUIRE(follower->store()->edit_policy([&](Policy& policy) -> Result<void> {
    if (auto added = add_user("alice", kKeyA)(policy); !added) return added;
    if (auto added = deny(kKeyB)(policy); !added) return added;
    return policy.update_allow(0, Json(Json::Object{{"capabilities", Json(capabilities)}}));
  }));
  REQUIRE(follower->store()->edit_topics(
      [](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "t", {"c"}); }));
  CHECK(follower->wait_until_synced(kPatience));
  REQUIRE(fleet->edit_policy([&](Policy& policy) -> Result<void> {
    if (auto added = add_user("alice", kKeyC)(policy); !added) return added;
    return policy.update_allow(0, Json(Json::Object{{"capabilities", Json("one more")}}));
  }));
  REQUIRE(eventually([&] { return follower->status().problem.has_value(); }));
  CHECK_THAT(follower->status().problem->message, Contains("4096"));
  REQUIRE(fleet->edit_policy(deny(std::string(42, 'D') + "A")));
  CHECK(eventually([&] { return denied_in(home) == 2; }, std::chrono::seconds(10)));  // the site's, too
  CHECK(TopicsFile(home / "protected_topics.json").load()->write_protect.size() == 1);
  CHECK(follower->status().problem.has_value());
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(300)));
  const auto edits = follower->status().edits;
  CHECK_FALSE(follower->wait_until_synced(std::chrono::milliseconds(300)));
  CHECK(follower->status().edits == edits);  // it is not written again and again

  follower.reset();
  follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  REQUIRE(fleet->edit_policy(deny(std::string(42, 'E') + "A")));
  CHECK(eventually([&] { return denied_in(home) == 3; }, std::chrono::seconds(10)));

  REQUIRE(fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(users_in(home) == Users{"alice"});
  CHECK(AuthFile(home / "auth.json").load()->allow()[0].record->capabilities.size() == 4096);
}

TEST_CASE("FleetFollower: a site gives nobody a right to edit what all share") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  const auto of_berlin =
      EtcdStore::open(cluster.store_address("/vipauth/acme?site=berlin"), cluster.client_options());
  REQUIRE(of_berlin);
  REQUIRE((*of_berlin)->edit_policy(add_user("boss", kKeyA)));
  REQUIRE(follower->wait_until_synced(kPatience));
  // As an administration over the bus does.
  const auto as_boss = [](Policy& policy) -> Result<void> {
    for (const Policy::Entry& entry : policy.allow()) {
      if (entry.record && entry.record->user_id == "boss") return add_user("friend", kKeyB)(policy);
    }
    return Error{ErrorCode::kPermissionDenied, "not by you", ""};
  };
  const auto edited = follower->store()->edit_policy(as_boss);
  REQUIRE_FALSE(edited);
  CHECK(edited.error().code == ErrorCode::kPermissionDenied);
  CHECK(fleet->load_policy()->allow().empty());
  // Where the fleet knows him, he may.
  REQUIRE((*of_berlin)->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
  REQUIRE(fleet->edit_policy(add_user("boss", kKeyA)));
  REQUIRE((*of_berlin)->edit_policy(add_user("carol", kKeyC)));
  REQUIRE(follower->wait_until_synced(kPatience));
  CHECK(follower->store()->edit_policy(as_boss));
  CHECK(fleet->load_policy()->allow().size() == 2);
}

TEST_CASE("FleetFollower: who logs may ask how it stands") {
  EtcdCluster cluster;
  const TempHome home;
  std::atomic<const FleetFollower*> asked = nullptr;
  std::atomic<int> lines = 0;
  FleetFollower::Options options;
  options.address = cluster.store_address(kBerlin);
  options.etcd = cluster.client_options();
  options.check_interval = std::chrono::milliseconds(100);
  options.log = [&](LogLevel, std::string_view) {
    if (const FleetFollower* follower = asked) lines += follower->status().problem ? 1 : 0;
  };
  const auto follower = FleetFollower::start(home.path(), std::move(options));
  REQUIRE(follower);
  asked = follower->get();
  REQUIRE((*follower)->wait_until_synced(kPatience));
  cluster.kill(0);
  CHECK(eventually([&] { return lines > 0; }));
  asked = nullptr;
}

TEST_CASE("FleetFollower: goes on where whoever logs had no memory, and takes no signal of the embedder's") {
  EtcdCluster cluster;
  const TempHome home;
  std::atomic<int> lines = 0;
  std::atomic<bool> takes_signals = false;
  const auto here = std::this_thread::get_id();
  FleetFollower::Options options;
  options.address = cluster.store_address(kBerlin);
  options.etcd = cluster.client_options();
  options.check_interval = std::chrono::milliseconds(100);
  options.log = [&](LogLevel, std::string_view) {
    if (std::this_thread::get_id() == here) return;
    takes_signals = takes_signals || takes_signal_here(SIGTERM);
    ++lines;
    throw std::bad_alloc();
  };
  auto follower = FleetFollower::start(home.path(), std::move(options));
  REQUIRE(follower);
  REQUIRE((*follower)->wait_until_synced(kPatience));
  cluster.kill(0);
  CHECK(eventually([&] { return lines > 0; }));
  CHECK_FALSE(takes_signals);
  cluster.restart(0);
  CHECK((*follower)->wait_until_synced(kPatience));
  follower->reset();
}

TEST_CASE("FleetFollower: a clock that was set back makes no policy young") {
  EtcdCluster cluster;
  const TempHome home;
  auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  follower.reset();
  cluster.kill(0);
  const auto age_at = [&](Timestamp now) {
    FleetFollower::Options options;
    options.address = cluster.store_address(kBerlin);
    options.etcd = cluster.client_options();
    options.clock = [now] { return now; };
    return (*FleetFollower::start(home.path(), std::move(options)))->policy_age()();
  };
  CHECK(age_at(system_now() + std::chrono::hours(1)).value() > std::chrono::minutes(59));
  CHECK_FALSE(age_at(system_now() - std::chrono::hours(1)).has_value());
}

TEST_CASE("FleetFollower: an edit of the bus goes to the fleet, and returns when the home has it") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const TempHome other_home;
  const auto follower = follow(cluster, home);
  const auto other = follow(cluster, other_home, "/vipauth/acme?site=paris");
  REQUIRE(follower->wait_until_synced(kPatience));
  const auto store = follower->store();
  const auto edited = store->edit_policy(add_user("alice", kKeyA));
  REQUIRE(edited);
  CHECK(edited->warnings.empty());
  CHECK(users_in(home) == Users{"alice"});
  CHECK(eventually([&] { return users_in(other_home) == Users{"alice"}; }));

  cluster.kill(0);
  const auto failed =
      store->edit_policy(add_user("bob", kKeyB), {.patience = std::chrono::milliseconds(500)});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kUnavailable);
  CHECK(users_in(home) == Users{"alice"});
}

TEST_CASE("FleetFollower: an edit is not made in a store that has another history, at the same revision") {
  EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const auto push = [&](std::initializer_list<std::pair<const char*, std::string>> users) {
    Policy policy;
    for (const auto& [user, key] : users) REQUIRE(add_user(user, key)(policy));
    REQUIRE(fleet->push(policy, TopicDocument()));
  };
  push({{"alice", kKeyA}});
  const TempHome home;
  const auto follower = follow(cluster, home);
  REQUIRE(follower->wait_until_synced(kPatience));
  cluster.wipe();
  std::this_thread::sleep_for(std::chrono::seconds(8));  // from now on it asks seldom
  cluster.restart(0);
  cluster.wait_until_healthy();
  push({{"carol", kKeyB}, {"dave", kKeyC}});
  EditOptions options;
  options.patience = kPatience;
  CHECK(follower->store()->edit_policy(add_user("bob", std::string(42, 'D') + "A"), options));
  CHECK(users_in(home) == Users{"carol", "dave", "bob"});
  CHECK(fleet->load_policy()->allow().size() == 3);
}

TEST_CASE("FleetFollower: a site edits its own part, where its address says no more") {
  const EtcdCluster cluster;
  const TempHome berlin_home;
  const TempHome paris_home;
  const auto berlin = follow(cluster, berlin_home, "/vipauth/acme?site=berlin");
  const auto paris = follow(cluster, paris_home, "/vipauth/acme?site=paris");
  REQUIRE(berlin->wait_until_synced(kPatience));
  REQUIRE(berlin->store()->edit_policy(add_user("alice", kKeyA)));
  REQUIRE(fleet_of(cluster)->edit_policy(add_user("bob", kKeyB)));
  CHECK(eventually([&] { return users_in(paris_home) == Users{"bob"}; }));
  CHECK(eventually([&] { return users_in(berlin_home) == Users{"bob", "alice"}; }));
}

TEST_CASE("FleetFollower: no site lets in whom the fleet denies") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const auto follower = follow(cluster, home, "/vipauth/acme?site=berlin");
  REQUIRE(follower->wait_until_synced(kPatience));
  REQUIRE(follower->store()->edit_policy(add_user("mallory", kKeyA)));
  auto service = AuthService::open(home.path());
  REQUIRE(service);
  const auto reason = [&] {
    const AuthenticationRequest request{"vip", "10.0.0.1", *CurveKey::parse(kKeyA)};
    return service->policy()->current().snapshot->authenticator.authenticate(request).decision.reason();
  };
  CHECK(eventually([&] { return reason() == Reason::kAccepted; }));
  REQUIRE(fleet->edit_policy([](Policy& policy) -> Result<void> {
    auto added = policy.add_deny(Json::Object{{"mechanism", Json("CURVE")}, {"credentials", Json(kKeyA)}});
    if (!added) return added.error();
    return {};
  }));
  CHECK(eventually([&] { return reason() == Reason::kDenied; }));
}

TEST_CASE("FleetFollower: who waits at a bus is approved or deleted elsewhere") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  const auto follower = follow(cluster, home);
  PendingStore pending(home / "pending.json", PendingStore::Limits());
  pending.note(Mechanism::kCurve, kKeyA, "vip", "10.0.0.1", system_now());
  REQUIRE(pending.flush());
  const auto waiting = [&] {
    const auto state = fleet->load_pending();
    return state && state->pending.size() == 1 && state->pending[0].site == "berlin";
  };
  CHECK(eventually(waiting));
  REQUIRE(fleet->edit_pending([](PendingState& state) -> Result<void> {
    state.pending.clear();
    return {};
  }));
  CHECK(eventually([&] { return PendingStore(home / "pending.json", {}).load()->pending.empty(); }));
  CHECK(fleet->load_pending()->pending.empty());
}

TEST_CASE("FleetFollower: a bus that catches up opens no topic that was never open") {
  const EtcdCluster cluster;
  const auto fleet = fleet_of(cluster);
  const TempHome home;
  std::atomic<int> allowed = 0;
  std::atomic<int> refused = 0;
  auto service = AuthService::open(home.path());
  REQUIRE(service);
  service->on_change([&](const PolicyChange& change) {
    if (!change.after->capabilities.knows("mallory")) return;
    ++(change.after->authorize_publish("mallory", "secret") ? allowed : refused);
  });
  const auto is_known = [&] { return service->policy()->current().snapshot->capabilities.knows("mallory"); };
  // Whoever looks at the store finds the topic protected, or nobody who could publish to it.
  for (int round = 0; round < 10; ++round) {
    REQUIRE(fleet->edit_topics(
        [](TopicDocument& topics) { return topics.add(TopicList::kWriteProtect, "secret", {"c"}); }));
    REQUIRE(fleet->edit_policy(add_user("mallory", kKeyB)));
    REQUIRE(follow(cluster, home)->wait_until_synced(kPatience));
    REQUIRE(eventually(is_known));
    REQUIRE(fleet->edit_policy([](Policy& policy) { return policy.remove_allow({0}); }));
    REQUIRE(fleet->edit_topics([](TopicDocument& topics) -> Result<void> {
      auto removed = topics.remove(TopicList::kWriteProtect, "secret");
      if (!removed) return removed.error();
      return topics.add(TopicList::kReadProtect,
                        "other-" + std::to_string(topics.rules().read_protect.size()), {"c"});
    }));
    REQUIRE(follow(cluster, home)->wait_until_synced(kPatience));
    REQUIRE(eventually([&] { return !is_known(); }));
  }
  CHECK(allowed == 0);
  CHECK(refused > 0);
  // What is there in the end is what the store says, and no more.
  CHECK(TopicsFile(home / "protected_topics.json").load_document()->to_json() ==
        fleet->load_topics()->to_json());
}

TEST_CASE("FleetFollower: a home follows one store, as a site") {
  const EtcdCluster cluster;
  const TempHome home;
  FleetFollower::Options options;
  options.address = cluster.store_address("/vipauth/acme");
  options.etcd = cluster.client_options();
  CHECK(FleetFollower::start(home.path(), options).error().code == ErrorCode::kInvalidArgument);
  REQUIRE(follow(cluster, home)->wait_until_synced(kPatience));
  options.address = cluster.store_address("/vipauth/other?site=berlin");
  const auto other = FleetFollower::start(home.path(), options);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kConflict);
  CHECK_THAT(other.error().message, Contains("unfollow"));
  CHECK(*LocalCopy(home.path()).remove());
  CHECK(FleetFollower::start(home.path(), options).has_value());
}
