#include "auth/rotate.hpp"

#include <filesystem>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/authenticator.hpp>
#include <vipauth/key_store.hpp>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

KeyStore store_of(const Cli& cli) { return *AgentKeyStores(cli.home.path()).find("a"); }

std::string key_of(const KeyStore& store) {
  const auto pair = store.load();
  return pair ? pair->public_key.to_base64url() : "none";
}

/// Whether auth.json lets the agent in with the key that its key store holds now.
bool can_connect(const Cli& cli) {
  const auto pair = store_of(cli).load();
  const auto policy = Policy::parse(cli.file());
  if (!pair || !policy) return false;
  for (const Policy::Entry& entry : policy->allow()) {
    const auto* key = entry.record ? std::get_if<CurveKey>(&entry.record->credentials) : nullptr;
    if (key != nullptr && *key == pair->public_key && entry.record->is_active(cli.now)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("rotate: an agent gets a second key, and the first one ends after a while") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a", "--capabilities", "c"}).exit_code == 0);
  const std::string old_key = key_of(store_of(cli));
  const Outcome outcome = cli.auth({"rotate", "a", "--keep", "12h"});
  CHECK(outcome.exit_code == 0);
  const std::string new_key = key_of(store_of(cli));
  CHECK(new_key != old_key);
  CHECK_THAT(outcome.out, Contains(new_key) && Contains("good until 2026-11-22T09:30:00Z"));
  CHECK(at(cli.record(0), "not_after") == Json("2026-11-22T09:30:00Z"));
  CHECK(at(cli.record(0), "credentials") == Json(old_key));
  CHECK(at(cli.record(1), "credentials") == Json(new_key));
  CHECK(at(cli.record(1), "user_id") == Json("a"));
  CHECK(at(cli.record(1), "identity") == Json("a"));
  CHECK(at(cli.record(1), "capabilities") == at(cli.record(0), "capabilities"));
  CHECK(cli.record(1).find("not_after") == nullptr);
  CHECK(key_of(store_of(cli).previous()) == old_key);
  CHECK(key_of(store_of(cli).next()) == "none");
  CHECK(can_connect(cli));

  const Json document = json(cli.auth({"rotate", "a", "--json"}).out);
  CHECK(at(document, "previous") == Json(new_key));
  CHECK(at(document, "previous_until") == Json("2026-11-28T21:30:00Z"));  // seven days
}

TEST_CASE("rotate: a run that was cut off is completed by the next") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const KeyStore store = store_of(cli);
  const std::string old_keystore = cli.home.read("keystores/a/keystore.json");
  const auto next = store.next().load_or_create();  // cut off behind the next key store
  REQUIRE(next);
  CHECK(can_connect(cli));
  CHECK(cli.auth({"rotate", "a"}).exit_code == 0);
  CHECK(store.load()->public_key == next->public_key);
  CHECK(cli.file().find("allow")->as_array().size() == 2);

  // Cut off behind auth.json: the old key store is still in place, and the next one beside it.
  cli.home.write("keystores/a/keystore.json.next", cli.home.read("keystores/a/keystore.json"));
  cli.home.write("keystores/a/keystore.json", old_keystore);
  CHECK(can_connect(cli));
  const std::string before = cli.home.read("auth.json");
  CHECK(cli.auth({"rotate", "a"}).exit_code == 0);
  CHECK(store.load()->public_key == next->public_key);
  CHECK(cli.home.read("auth.json") == before);
  CHECK_FALSE(cli.home.has("keystores/a/keystore.json.next"));
}

TEST_CASE("rotate: the run that completes another one ends the old key as it was told to") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const std::string old_keystore = cli.home.read("keystores/a/keystore.json");
  REQUIRE(cli.auth({"rotate", "a"}).exit_code == 0);
  const auto cut_off = [&] {
    cli.home.write("keystores/a/keystore.json.next", cli.home.read("keystores/a/keystore.json"));
    cli.home.write("keystores/a/keystore.json", old_keystore);
  };
  cut_off();
  CHECK_THAT(cli.auth({"rotate", "a", "--keep", "1d"}).out, Contains("good until 2026-11-22T21:30:00Z"));
  CHECK(at(cli.record(0), "not_after") == Json("2026-11-22T21:30:00Z"));
  cut_off();
  CHECK_THAT(cli.auth({"rotate", "a"}).out, Contains("good until 2026-11-22T21:30:00Z"));  // not prolonged
  Policy policy = *Policy::parse(cli.file());
  REQUIRE(policy.update_allow(0, Json::Object{{"not_after", Json()}}));
  cli.home.write("auth.json", policy.to_json().dump());
  cut_off();
  CHECK(cli.auth({"rotate", "a", "--keep", "0s"}).exit_code == 0);
  CHECK(at(cli.record(0), "not_after") == Json("2026-11-21T21:30:00Z"));
  CHECK(cli.record(1).find("not_after") == nullptr);
  CHECK(can_connect(cli));
}

TEST_CASE("rotate: a record that accepts the old key without end is named") {
  Cli cli;
  REQUIRE(cli.auth({"add", "--credentials", "/.*/", "--user_id", "all"}).exit_code == 0);
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const std::string old_keystore = cli.home.read("keystores/a/keystore.json");
  CHECK_THAT(cli.auth({"rotate", "a"}).err, !Contains("without end"));
  cli.home.write("keystores/a/keystore.json.next", cli.home.read("keystores/a/keystore.json"));
  cli.home.write("keystores/a/keystore.json", old_keystore);
  REQUIRE(cli.auth({"remove", "1", "--yes"}).exit_code == 0);
  const Outcome outcome = cli.auth({"rotate", "a"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("the record at index 0 accepts the old key without end"));
}

TEST_CASE("rotate: an undone rotation is warned of, and the way back is named") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const std::string old_key = key_of(store_of(cli));
  REQUIRE(cli.auth({"rotate", "a"}).exit_code == 0);
  const std::string new_key = key_of(store_of(cli));
  const std::string path = store_of(cli).path().string();
  const std::string move = "mv " + path + ".bak " + path;
  CHECK_THAT(cli.auth({"undo"}, "n\n").err,
             Contains("the only record of the key of \"a\"") && Contains(move));
  REQUIRE(cli.auth({"undo", "-y"}).exit_code == 0);
  CHECK_FALSE(can_connect(cli));
  CHECK_THAT(cli.auth({"rotate", "a"}).err, Contains("no record has the key of \"a\"") && Contains(move));
  CHECK_THAT(cli.auth({"create", "a", "--roles", "r"}).err,
             Contains("user_id a is already in use at index [0]") && Contains(move));

  std::filesystem::rename(path + ".bak", path + ".elsewhere");
  const std::string is_like_an_option = new_key.starts_with('-') ? "=" : " ";
  const std::string update = "vctl auth update 0 --credentials" + is_like_an_option + new_key;
  CHECK_THAT(cli.auth({"rotate", "a"}).err, Contains(update));
  CHECK_THAT(cli.auth({"create", "a"}).err, Contains(update));
  std::filesystem::rename(path + ".elsewhere", path);
  CHECK(can_connect(cli));
  CHECK(cli.auth({"rotate", "a"}).exit_code == 0);
  CHECK(at(cli.record(0), "credentials") == Json(old_key));
  CHECK(can_connect(cli));
  REQUIRE(cli.auth({"update", "0", "--comments", "x"}).exit_code == 0);
  CHECK_THAT(cli.auth({"undo", "-y"}).err, !Contains("the only record"));
}

TEST_CASE("rotate: an agent without key store or record is refused, and nothing is made") {
  Cli cli;
  CHECK_THAT(cli.auth({"rotate", "a"}).err, Contains("vctl auth create"));
  CHECK_FALSE(cli.home.has("keystores"));
  REQUIRE(AgentKeyStores(cli.home.path()).load_or_create("a"));
  const Outcome outcome = cli.auth({"rotate", "a"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("no record has the key"));
  CHECK_FALSE(cli.home.has("keystores/a/keystore.json.next"));
  CHECK_FALSE(cli.home.has("auth.json"));
  CHECK(cli.auth({"rotate", "../a"}).exit_code == 1);
}

TEST_CASE("rotate: an auth.json that cannot be written leaves the key in force") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const std::string old_key = key_of(store_of(cli));
  cli.home.write("auth.json", "{");
  CHECK(cli.auth({"rotate", "a"}).exit_code == 1);
  CHECK(key_of(store_of(cli)) == old_key);
  CHECK(cli.home.read("auth.json") == "{");
}

TEST_CASE("rotate: of several runs at once none leaves the agent outside") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  const std::string old_key = key_of(store_of(cli));
  std::vector<ChildProcess> processes;
  processes.reserve(4);
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([&] { return cli.auth({"rotate", "a"}).exit_code; });
  }
  int done = 0;
  for (ChildProcess& process : processes) done += process.wait() == 0 ? 1 : 0;
  CHECK(done >= 1);
  CHECK(can_connect(cli));
  CHECK(key_of(store_of(cli)) != old_key);
}

TEST_CASE("rotate server: the next key is made, announced and put in force") {
  Cli cli;
  CHECK_THAT(cli.auth({"rotate", "server"}).err, Contains("vctl auth serverkey"));
  const std::string old_key = cli.auth({"serverkey"}).out.substr(0, CurveKey::kBase64UrlLength);
  cli.home.write("config", "[volttron]\nvip-address = tcp://10.0.0.1:1\nvip-address = tcp://0.0.0.0:2\n");
  REQUIRE(cli.auth({"add-known-host", "--host", "10.0.0.1:1", "--serverkey", old_key}).exit_code == 0);
  REQUIRE(cli.auth({"add-known-host", "--host", "other:1", "--serverkey", kAgentA}).exit_code == 0);
  CHECK_THAT(cli.auth({"rotate", "server", "--activate"}).err, Contains("there is no next server key"));

  const Outcome prepared = cli.auth({"rotate", "server"});
  CHECK(prepared.exit_code == 0);
  const KeyStore store(cli.home / "keystore");
  CHECK(key_of(store) == old_key);
  const auto next = store.next().load();
  REQUIRE(next);
  const std::string new_key = next->public_key.to_base64url();
  CHECK_THAT(prepared.out,
             Contains(new_key) && Contains(next->public_key.fingerprint()) &&
                 Contains("vctl auth add-known-host --host tcp://10.0.0.1:1 --serverkey " + new_key) &&
                 Contains("--host tcp://HOST:2 ") && Contains("--activate"));
  CHECK(at(json(cli.home.read("known_hosts")), "10.0.0.1:1") == Json(old_key));
  CHECK(at(json(cli.auth({"rotate", "server", "--json"}).out), "serverkey") ==
        Json(new_key));  // the same again

  const Outcome active = cli.auth({"rotate", "server", "--activate"});
  CHECK(active.exit_code == 0);
  CHECK_THAT(active.out, Contains("restart the bus") && Contains(new_key));
  CHECK(key_of(store) == new_key);
  CHECK(key_of(store.previous()) == old_key);
  CHECK(at(json(cli.home.read("known_hosts")), "10.0.0.1:1") == Json(new_key));
  CHECK(at(json(cli.home.read("known_hosts")), "other:1") == Json(kAgentA));
  CHECK(cli.auth({"serverkey"}).out == new_key + "\n");
  CHECK(cli.auth({"rotate", "server", "--activate"}).exit_code == 1);
}

TEST_CASE("rotate server: known_hosts that cannot be read leave the key in force") {
  Cli cli;
  cli.auth({"serverkey"});
  REQUIRE(cli.auth({"rotate", "server"}).exit_code == 0);
  const std::string before = cli.home.read("keystore");
  cli.home.write("known_hosts", "{");
  CHECK(cli.auth({"rotate", "server", "--activate"}).exit_code == 1);
  CHECK(cli.home.read("keystore") == before);
  CHECK(cli.home.has("keystore.next"));
}

TEST_CASE("rotate: options that make no sense are wrong usage") {
  Cli cli;
  CHECK(cli.auth({"rotate", "a", "--activate"}).exit_code == 64);
  CHECK(cli.auth({"rotate", "server", "--keep", "7d"}).exit_code == 64);
  CHECK(cli.auth({"rotate"}).exit_code == 64);
  for (const char* period : {"", "7", "d", "-1d", "7x", "1.5d", "99999999999999999999d", "4000d", "1d2h"}) {
    CHECK(cli.auth({"rotate", "a", "--keep", period}).exit_code == 64);
  }
}

TEST_CASE("parse_period: a number and a unit") {
  using std::chrono::seconds;
  CHECK(*vctl::auth::parse_period("90s") == seconds(90));
  CHECK(*vctl::auth::parse_period("30m") == seconds(1800));
  CHECK(*vctl::auth::parse_period("12h") == seconds(43200));
  CHECK(*vctl::auth::parse_period("7d") == seconds(604800));
  CHECK(*vctl::auth::parse_period("2w") == seconds(1209600));
  CHECK(*vctl::auth::parse_period("0s") == seconds(0));
}

}  // namespace vipauth::test
