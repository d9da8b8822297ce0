#include <vipauth/platform_start.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/local_copy.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/homes.hpp"
#include "support/memory_store.hpp"
#include "support/vectors.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using Names = std::vector<std::string>;

PlatformStart on(std::vector<std::string> addresses) {
  PlatformStart out;
  out.addresses = std::move(addresses);
  return out;
}

const Names kUsers = {"platform", "control.connection", "config.store", "platform.auth",
                      "control",  "keydiscovery",       "platform_web"};

/// Every file below the home, and what is in it.
std::vector<std::pair<std::string, std::string>> contents(const TempHome& home) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(home.path())) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(home.path()).string();
    out.emplace_back(name, home.read(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("prepare_platform: a first start makes the key, the records and the known hosts") {
  const TempHome home;
  const auto report = prepare_platform(
      home.path(), on({"tcp://127.0.0.1:22916", "ipc://@" + (home / "run/vip.socket").string()}));
  INFO((report ? "" : report.error().to_string()));
  REQUIRE(report);
  CHECK(KeyStore(home / "keystore").load()->public_key == report->server_key);
  CHECK(report->records_added == kUsers);
  const KnownHosts hosts(home / "known_hosts");
  for (const std::string host : {"tcp://127.0.0.1:22916", "@"}) {
    CAPTURE(host);
    CHECK(hosts.find(host).value() == report->server_key);
  }
  CHECK_FALSE(hosts.find("tcp://127.0.0.1:1").value());

  // The records are those that VOLTTRON writes.
  const AuthService service = open_service(home);
  for (std::size_t i = 0; i < kUsers.size(); ++i) {
    CAPTURE(kUsers[i]);
    CHECK(stored(home, "allow", i, "user_id") == Json(kUsers[i]));
    CHECK(stored(home, "allow", i, "comments") == Json("Automatically added by platform on start"));
    CHECK(stored(home, "allow", i, "enabled") == Json(true));
    CHECK(stored(home, "allow", i, "identity") == (i == 0 ? Json() : Json(kUsers[i])));
    const CurveKey key =
        i == 0 ? report->server_key : AgentKeyStores(home.path()).load_or_create(kUsers[i])->public_key;
    CHECK(stored(home, "allow", i, "credentials") == Json(key.to_base64url()));
    Session session = session_for(service, kUsers[i], key.to_base64url());
    CHECK(session.verify_sender(kUsers[i]).allowed());
  }
  CHECK(stored(home, "allow", 4, "capabilities") ==
        json("{'edit_config_store':{'identity':'/.*/'},'modify_rpc_method_allowance':null,"
             "'allow_auth_modifications':null}"));
}

TEST_CASE("prepare_platform: a second start writes nothing, and leaves what an operator changed") {
  const TempHome home;
  const PlatformStart start = on({"tcp://127.0.0.1:22916"});
  REQUIRE(prepare_platform(home.path(), start));
  Json document = *Json::parse(home.read("auth.json"));
  document.find("allow")->as_array()[4].set("enabled", Json(false));
  document.find("allow")->as_array()[6].set("capabilities", Json::Object());
  document.find("allow")->as_array()[6].set("comments", Json("less"));
  home.write("auth.json", document.dump());

  const auto before = contents(home);
  const auto report = prepare_platform(home.path(), start);
  REQUIRE(report);
  CHECK(report->records_added.empty());
  CHECK(report->records_changed.empty());
  CHECK(report->hosts_written.empty());
  CHECK(contents(home) == before);

  // What has gone comes back, and nothing else.
  document.find("allow")->as_array().erase(document.find("allow")->as_array().begin() + 1);
  home.write("auth.json", document.dump());
  CHECK(prepare_platform(home.path(), start)->records_added == Names{"control.connection"});
}

TEST_CASE("prepare_platform: another key in a record is an error, unless it is to be put right") {
  const TempHome home;
  home.write("auth.json",
             auth_file({user_record("control", kKeyA, "{'identity':'control','comments':'mine'}")}));
  const std::string before = home.read("auth.json");
  const auto refused = prepare_platform(home.path(), on({}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().location == "auth.json: /allow/0");
  CHECK(home.read("auth.json") == before);
  CHECK_FALSE(home.has("known_hosts"));

  PlatformStart start = on({});
  start.replace_changed_keys = true;
  const auto report = prepare_platform(home.path(), start);
  REQUIRE(report);
  CHECK(report->records_changed == Names{"control"});
  CHECK(stored(home, "allow", 0, "credentials") ==
        Json(AgentKeyStores(home.path()).load_or_create("control")->public_key.to_base64url()));
  CHECK(stored(home, "allow", 0, "comments") == Json("mine"));
}

TEST_CASE("prepare_platform: the second key of a rotation is no other key") {
  const TempHome home;
  const std::string own = AgentKeyStores(home.path()).load_or_create("control")->public_key.to_base64url();
  home.write("auth.json", auth_file({user_record("control", kKeyA, "{'identity':'control'}"),
                                     user_record("control", own, "{'identity':'control'}")}));
  const auto report = prepare_platform(home.path(), on({}));
  REQUIRE(report);
  CHECK(report->records_added.size() == 6);
}

TEST_CASE("prepare_platform: another key in known_hosts is an error, unless it is to be put right") {
  for (const std::string address : {"tcp://127.0.0.1:22916", "@"}) {
    CAPTURE(address);
    const TempHome home;
    REQUIRE(KnownHosts(home / "known_hosts").add(address, key(kKeyA)));
    const std::string before = home.read("known_hosts");
    const auto refused = prepare_platform(home.path(), on({"tcp://127.0.0.1:22916"}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kConflict);
    CHECK(home.read("known_hosts") == before);

    PlatformStart start = on({"tcp://127.0.0.1:22916"});
    start.replace_changed_keys = true;
    REQUIRE(prepare_platform(home.path(), start));
    CHECK(KnownHosts(home / "known_hosts").find(address).value() ==
          KeyStore(home / "keystore").load()->public_key);
  }
}

TEST_CASE("prepare_platform: refuses what stands in its way, and makes nothing of it") {
  const TempHome home;
  home.write("auth.json", auth_file({user_record("mallory", kKeyA, "{'identity':'platform.auth'}")}));
  const std::string before = home.read("auth.json");
  CHECK(prepare_platform(home.path(), on({})).error().code == ErrorCode::kConflict);
  CHECK(home.read("auth.json") == before);
  home.write("auth.json", auth_file({user_record("control", "short")}));
  CHECK(prepare_platform(home.path(), on({})).error().code == ErrorCode::kConflict);
  home.write(
      "auth.json",
      auth_file({user_record("mallory", KeyStore(home / "keystore").load()->public_key.to_base64url())}));
  CHECK(prepare_platform(home.path(), on({})).error().code == ErrorCode::kConflict);
  home.write("auth.json", "{");
  CHECK(prepare_platform(home.path(), on({})).error().code == ErrorCode::kParseError);
  home.write("auth.json", auth_file({}));
  home.write("keystore", "{");
  CHECK(prepare_platform(home.path(), on({})).error().code == ErrorCode::kParseError);
  CHECK(home.read("keystore") == "{");
  for (const std::string address : {"tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "nonsense://", ""}) {
    CAPTURE(address);
    const TempHome empty;
    CHECK_FALSE(prepare_platform(empty.path(), on({address})));
    CHECK_FALSE(empty.has("auth.json"));
  }
}

TEST_CASE("prepare_platform: a platform may have other records, or none") {
  const TempHome home;
  PlatformStart start;
  start.records = {{"historian", "platform.historian", json("['keep']")}};
  CHECK(prepare_platform(home.path(), start)->records_added == Names{"historian"});
  const TempHome other;
  start.records.clear();
  REQUIRE(prepare_platform(other.path(), start));
  CHECK_FALSE(other.has("auth.json"));
  CHECK(other.has("known_hosts"));
}

TEST_CASE("prepare_platform: two starts at once make everything once") {
  const TempHome home;
  const auto start = [&] { return prepare_platform(home.path(), on({"tcp://127.0.0.1:22916"})) ? 0 : 1; };
  ChildProcess one(start);
  ChildProcess other(start);
  CHECK(one.wait() == 0);
  CHECK(other.wait() == 0);
  CHECK(Json::parse(home.read("auth.json"))->find("allow")->as_array().size() == kUsers.size());
  CHECK(KnownHosts(home / "known_hosts").find("@").value() == KeyStore(home / "keystore").load()->public_key);
}

TEST_CASE("prepare_platform: a home that follows a store is prepared there, and not here") {
  const TempHome home;
  REQUIRE(LocalCopy(home.path()).save("etcd://localhost/fleet?site=berlin", Json::Object(), kNow));
  const auto before = contents(home);
  const auto refused = prepare_platform(home.path(), on({}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK_THAT(refused.error().message,
             Catch::Contains("this home follows etcd://localhost/fleet?site=berlin: edit there"));
  CHECK(contents(home) == before);

  PlatformStart start = on({});
  const auto store = std::make_shared<MemoryStore>();
  start.store = store;
  const auto report = prepare_platform(home.path(), start);
  REQUIRE(report);
  CHECK(report->records_added == kUsers);
  CHECK(store->load_policy()->allow().size() == kUsers.size());
  CHECK_FALSE(std::filesystem::exists(home / "auth.json"));
  CHECK(KnownHosts(home / "known_hosts").find("@").value() == report->server_key);
}

TEST_CASE("prepare_platform: a store that is away keeps nobody from starting again") {
  const TempHome home;
  PlatformStart start = on({});
  const auto store = std::make_shared<MemoryStore>();
  start.store = store;
  store->place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  CHECK(prepare_platform(home.path(), start).error().message == "nobody answers");
  store->place().failure.reset();
  REQUIRE(prepare_platform(home.path(), start));
  store->place().failure = Error{ErrorCode::kIoError, "nobody answers", ""};
  const auto again = prepare_platform(home.path(), start);
  REQUIRE(again);
  CHECK(again->records_added.empty());
}

TEST_CASE("prepare_platform: an edit that is made again is told once") {
  const TempHome home;
  PlatformStart start = on({});
  const auto store = std::make_shared<MemoryStore>();
  start.store = store;
  store->place().before_policy = [&] {
    store->place().before_policy = {};
    REQUIRE(store->edit_policy(
        [](Policy& policy) -> Result<void> {
          static_cast<void>(policy.add_role("r", Json("c")));
          return {};
        },
        {}));
  };
  const auto report = prepare_platform(home.path(), start);
  REQUIRE(report);
  CHECK(report->records_added == kUsers);
}
