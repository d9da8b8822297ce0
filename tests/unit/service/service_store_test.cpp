// A service whose edits go to another store than the files of its home.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vipauth/administration.hpp>
#include <vipauth/home_store.hpp>

#include "stores/policy_store_contract.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"
#include "support/memory_store.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr const char* kCalls = "a.agent";

/// A home that follows a store: what is written there comes to its files.
class Follower {
 public:
  Follower() {
    REQUIRE(store->edit_policy(
        [&](Policy& present) -> Result<void> {
          present = policy("{'version': {'major': 1, 'minor': 4}, 'allow': [{'user_id': 'a', 'identity': '" +
                           std::string(kCalls) + "', 'credentials': '" + kKeyA +
                           "'}, {'user_id': 'boss', 'credentials': '" + kKeyB +
                           "', 'capabilities': ['allow_auth_modifications']}]}");
          return {};
        },
        {}));
    follow();
    store->place().on_written = [this] { follow(); };
    AuthService::Options options;
    options.store = store;
    options.clock = [] { return kNow; };
    options.log = log.sink();
    service.emplace(open_service(home, std::move(options)));
  }

  /// Brings what the store says to the home.
  void follow() const {
    HomeStore files(home.path());
    REQUIRE(files.edit_policy([&](Policy& present) -> Result<void> {
      present = *store->load_policy();
      return {};
    }));
    REQUIRE(files.edit_topics([&](TopicDocument& present) -> Result<void> {
      present = *store->load_topics();
      return {};
    }));
  }
  std::string ask(const std::string& key) const {
    return ask_curve(service->zap_authenticator(), key, "10.0.0.1").status_code;
  }
  std::string stranger(const std::string& key) const {
    REQUIRE(ask(key) == "300");
    return service->get_pending_authorizations()->at(0).user_id;
  }
  const AuthRecord& record(std::size_t index) {
    present_ = *store->load_policy();
    return *present_.allow().at(index).record;
  }
  std::size_t size() const { return store->load_policy()->allow().size(); }

  TempHome home;
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  LogBook log;
  std::optional<AuthService> service;

 private:
  Policy present_;
};

}  // namespace

TEST_CASE("AuthService: what is decided on remote peers goes to its store, and is in force") {
  Follower follower;
  const std::string name = follower.stranger(kKeyC);
  REQUIRE(follower.service->approve_authorization(name));
  CHECK(follower.size() == 3);
  CHECK(follower.record(2).user_id == name);
  CHECK(follower.ask(kKeyC) == "200");
  REQUIRE(follower.service->deny_authorization(name));
  CHECK(follower.size() == 2);
  CHECK(follower.store->load_policy()->deny().size() == 1);
  CHECK(follower.ask(kKeyC) == "400");
  REQUIRE(follower.service->delete_authorization(name));
  CHECK(follower.store->load_policy()->deny().empty());
}

TEST_CASE("AuthService: who waits at its bus waits in its home") {
  Follower follower;
  const std::string name = follower.stranger(kKeyC);
  CHECK(follower.store->load_pending()->pending.empty());
  REQUIRE(follower.service->flush());
  CHECK(HomeStore(follower.home.path()).load_pending()->pending.size() == 1);
  REQUIRE(follower.service->delete_authorization(name));
  CHECK(HomeStore(follower.home.path()).load_pending()->pending.empty());
}

TEST_CASE("AuthService: capabilities, topics and methods go to its store") {
  Follower follower;
  REQUIRE(follower.service->update_user_capabilities(json("{'a': ['CAP']}")));
  CHECK(follower.record(0).capabilities.size() == 1);
  REQUIRE(follower.service->update_protected_topics(
      json("{'write-protect': [{'topic': 't', 'capabilities': ['CAP']}]}")));
  CHECK(follower.store->load_topics()->rules(TopicList::kWriteProtect).size() == 1);
  CHECK_FALSE(follower.service->authorize_publish("boss", "t"));
  CHECK(follower.service->authorize_publish("a", "t"));
  REQUIRE(follower.service->add_rpc_authorizations(kCalls, "m", {"CAP"}));
  CHECK(follower.record(0).rpc_method_authorizations.methods.size() == 1);
  const auto registered = follower.service->register_methods(kCalls, {{"n", {}, {"OTHER"}}});
  REQUIRE(registered);
  CHECK(registered->stored);
  CHECK(follower.record(0).rpc_method_authorizations.methods.size() == 2);
  REQUIRE(follower.service->remove_rpc_authorizations(kCalls, "m", {"CAP"}));
}

TEST_CASE("AuthService: setup mode records peers in its store") {
  Follower follower;
  REQUIRE(follower.service->begin_setup_mode(10min));
  CHECK(follower.ask(kKeyC) == "200");
  CHECK(follower.size() == 3);
}

TEST_CASE("AuthService: setup mode says who was recorded, whatever the first try found") {
  Follower follower;
  REQUIRE(follower.service->begin_setup_mode(10min, {.peers = 1, .per_address = 1}));
  follower.store->place().before_policy = [&] {
    follower.store->place().before_policy = {};
    REQUIRE(follower.store->edit_policy(add_user("c", kKeyC), {}));
  };
  CHECK(follower.ask(kKeyC) == "200");
  CHECK(follower.record(2).user_id == "c");
  CHECK(follower.size() == 3);
  CHECK(follower.service->setup_mode_until().has_value());  // it has let in nobody itself
}

TEST_CASE("AuthService: a store that fails changes nothing, and decisions go on") {
  Follower follower;
  const std::string name = follower.stranger(kKeyC);
  const std::string before = follower.home.read("auth.json");
  follower.store->place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  CHECK(follower.service->approve_authorization(name).error().code == ErrorCode::kIoError);
  CHECK(follower.service->update_user_capabilities(json("{'a': ['CAP']}")).error().code ==
        ErrorCode::kIoError);
  CHECK(follower.service->update_protected_topics(json("{'read-protect': []}")).error().code ==
        ErrorCode::kIoError);
  const auto registered = follower.service->register_methods(kCalls, {{"n", {}, {"OTHER"}}});
  REQUIRE(registered);
  CHECK_FALSE(registered->stored);
  REQUIRE(registered->problem);
  CHECK(registered->problem->message == "nobody answers");
  REQUIRE(follower.service->begin_setup_mode(10min));
  CHECK(follower.ask(kKeyC) == "300");
  CHECK(follower.home.read("auth.json") == before);
  CHECK(follower.ask(kKeyA) == "200");
  CHECK(follower.service->get_authorization_status(name).value() == AuthorizationStatus::kPending);
}

TEST_CASE("AuthService: lists tell what it decides by, also where its store does not answer") {
  Follower follower;
  REQUIRE(follower.service->approve_authorization(follower.stranger(kKeyC)));
  follower.store->place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  CHECK(follower.service->get_approved_authorizations()->size() == 1);
}

TEST_CASE("Administration: who may no more by the store is refused, whatever the home still says") {
  Follower follower;
  const std::string name = follower.stranger(kKeyC);
  follower.store->place().on_written = {};  // it lags behind
  REQUIRE(follower.store->edit_policy([](Policy& policy) { return policy.remove_allow({1}); }, {}));
  Session boss = session_for(*follower.service, "boss", kKeyB);
  Administration administration(*follower.service, boss);
  CHECK(administration.approve_authorization(name).error().code == ErrorCode::kPermissionDenied);
  CHECK(administration.update_protected_topics(json("{'read-protect': []}")).error().code ==
        ErrorCode::kPermissionDenied);
  CHECK(administration.update_user_capabilities(json("{'a': ['CAP']}")).error().code ==
        ErrorCode::kPermissionDenied);
  CHECK(follower.size() == 1);
}

TEST_CASE("Administration: who may edits the store") {
  Follower follower;
  const std::string name = follower.stranger(kKeyC);
  Session boss = session_for(*follower.service, "boss", kKeyB);
  Administration administration(*follower.service, boss);
  REQUIRE(administration.approve_authorization(name));
  REQUIRE(administration.edit_auth_file("auth_file.add",
                                        add_user("new", "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDA")));
  REQUIRE(administration.update_protected_topics(json("{'read-protect': []}")));
  CHECK(follower.size() == 4);
}
