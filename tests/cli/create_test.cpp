#include <filesystem>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/vip_keys.hpp>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

std::string key_of(const Cli& cli, const std::string& identity) {
  const auto pair = AgentKeyStores(cli.home.path()).find(identity)->load();
  return pair ? pair->public_key.to_base64url() : "none";
}

std::string server_key(Cli& cli) { return cli.auth({"serverkey"}).out.substr(0, CurveKey::kBase64UrlLength); }

}  // namespace

TEST_CASE("create: a key store, a record, and an address that a client can use") {
  Cli cli;
  cli.home.write("config",
                 "[volttron]\nvip-address = tcp://0.0.0.0:22916?domain=x\nvip-address = tcp://10.0.0.1:1\n");
  const Outcome outcome =
      cli.auth({"create", "agent1", "--roles", "r", "--capabilities", "c", "--comments", "new", "--json"});
  CHECK(outcome.exit_code == 0);
  const Json document = json(outcome.out);
  const std::string key = key_of(cli, "agent1");
  CHECK(at(document, "publickey") == Json(key));
  CHECK(at(document, "index") == Json(0));
  CHECK(at(cli.record(0), "credentials") == Json(key));
  CHECK(at(cli.record(0), "user_id") == Json("agent1"));
  CHECK(at(cli.record(0), "identity") == Json("agent1"));
  CHECK(at(cli.record(0), "roles") == Json(Json::Array{"r"}));
  CHECK(at(cli.record(0), "comments") == Json("new"));
  CHECK_THAT(outcome.err, Contains("role \"r\" does not exist"));

  const Json::Array& addresses = at(document, "addresses").as_array();
  REQUIRE(addresses.size() == 2);
  CHECK(addresses[0] == Json("tcp://127.0.0.1:22916?serverkey=" + server_key(cli)));
  const auto address = VipAddress::parse(addresses[1].as_string());
  REQUIRE(address);
  const auto keys = find_client_keys(cli.home.path(), *address, "agent1");
  REQUIRE(keys);
  CHECK(keys->own.public_key.to_base64url() == key);
  CHECK(outcome.out.find(reveal_base64url(keys->own.secret_key)) == std::string::npos);
}

TEST_CASE("create: without a configuration the address is the socket of the home") {
  Cli cli;
  const Outcome outcome = cli.auth({"create", "agent1"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("agent \"agent1\" has the record at index 0") &&
                              Contains("ipc://@" + cli.home.path().string() + "/run/vip.socket?serverkey="));
}

TEST_CASE("create: a secret key in the configuration is never shown, and its public key counts") {
  Cli cli;
  const CurveKeyPair own = CurveKeyPair::generate();
  const std::string secret = reveal_base64url(own.secret_key);
  cli.home.write("elsewhere", "[volttron]\nvip-address = tcp://10.0.0.1:1?secretkey=" + secret + "\n");
  const Outcome outcome = cli.auth({"create", "a", "-c", (cli.home / "elsewhere").string()});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("serverkey=" + own.public_key.to_base64url()) && !Contains(secret));
}

TEST_CASE("create: run again, it completes what is missing and changes nothing else") {
  Cli cli;
  REQUIRE(
      AgentKeyStores(cli.home.path()).load_or_create("a"));  // a run that was cut off behind the key store
  const std::string key = key_of(cli, "a");
  REQUIRE(cli.auth({"create", "a", "--groups", "g"}).exit_code == 0);
  CHECK(key_of(cli, "a") == key);
  const std::string before = cli.home.read("auth.json");
  const Outcome again = cli.auth({"create", "a", "--groups", "g"});
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.out, Contains(key));
  CHECK(cli.home.read("auth.json") == before);

  const Outcome other = cli.auth({"create", "a", "--groups", "h"});
  CHECK(other.exit_code == 1);
  CHECK_THAT(other.err, Contains("user_id a is already in use at index [0]"));
  CHECK(cli.home.read("auth.json") == before);
  CHECK(key_of(cli, "a") == key);
}

TEST_CASE("create: where the record cannot be added there is no new key store") {
  Cli cli;
  REQUIRE(cli.auth({"add", "--credentials", kAgentA, "--user_id", "a"}).exit_code == 0);
  const std::string before = cli.home.read("auth.json");
  CHECK(cli.auth({"create", "a"}).exit_code == 1);
  CHECK(key_of(cli, "a") == "none");
  CHECK(cli.home.read("auth.json") == before);
  CHECK_THAT(cli.auth({"publickey"}).err, Contains("No installed Agents found"));
}

TEST_CASE("create: an auth.json that cannot be read is left as it is, and there is no new key store") {
  Cli cli;
  cli.home.write("auth.json", "{");
  CHECK(cli.auth({"create", "a"}).exit_code == 1);
  CHECK(cli.home.read("auth.json") == "{");
  CHECK(key_of(cli, "a") == "none");
}

TEST_CASE("create: a key store that somebody else's record uses stays") {
  Cli cli;
  const auto pair = AgentKeyStores(cli.home.path()).load_or_create("a");
  REQUIRE(pair);
  const std::string key = pair->public_key.to_base64url();
  REQUIRE(cli.auth({"add", "--credentials", key, "--user_id", "other"}).exit_code == 0);
  CHECK(cli.auth({"create", "a"}).exit_code == 1);
  CHECK(key_of(cli, "a") == key);
}

TEST_CASE("create: of several runs at once all find one key and one record") {
  Cli cli;
  std::vector<ChildProcess> processes;
  processes.reserve(4);
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([&] { return cli.auth({"create", "a"}).exit_code; });
  }
  for (ChildProcess& process : processes) CHECK(process.wait() == 0);
  CHECK(cli.file().find("allow")->as_array().size() == 1);
  CHECK(at(cli.record(0), "credentials") == Json(key_of(cli, "a")));
}

TEST_CASE("create: what cannot be is refused before anything is made") {
  Cli cli;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"create", "../a"},
                                                    {"create", ""},
                                                    {"create", "server"},
                                                    {"create", "a", "--address", ""},
                                                    {"create", "a", "--capabilities", "{"},
                                                    {"create", "a", "--config", "/nowhere"}}) {
    CHECK(cli.auth(arguments).exit_code == 1);
    CHECK_FALSE(cli.home.has("keystores"));
    CHECK_FALSE(cli.home.has("auth.json"));
  }
  cli.home.write("config", "[volttron]\nnonsense\n");
  CHECK_THAT(cli.auth({"create", "a"}).err, Contains("config:2"));
  CHECK_FALSE(cli.home.has("keystores"));
  CHECK(cli.auth({"create"}).exit_code == 64);
}

TEST_CASE("create: a key store that cannot be read is no reason for a new key") {
  Cli cli;
  std::filesystem::create_directories(cli.home / "keystores/a");
  cli.home.write("keystores/a/keystore.json", R"({"public": "x", "secret": "s3cret"})");
  const Outcome outcome = cli.auth({"create", "a"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("keystore.json") && !Contains("s3cret"));
  CHECK(cli.home.read("keystores/a/keystore.json") == R"({"public": "x", "secret": "s3cret"})");
  CHECK_FALSE(cli.home.has("auth.json"));

  cli.auth({"create", "b"});
  const Outcome keys = cli.auth({"publickey"});
  CHECK(keys.exit_code == 1);
  CHECK_THAT(keys.out, Contains("b        " + key_of(cli, "b")));
  CHECK_THAT(keys.err, Contains("\"a\": keystore.json") && !Contains("s3cret"));
}

TEST_CASE("publickey: the key of each agent, or of those that the pattern finds") {
  Cli cli;
  const Outcome none = cli.auth({"publickey"});
  CHECK(none.exit_code == 0);
  CHECK(none.out.empty());
  CHECK(none.err == "No installed Agents found\n");
  for (const char* identity : {"listener", "platform.driver", "platform.historian"})
    cli.auth({"create", identity});
  const Outcome all = cli.auth({"publickey"});
  CHECK(all.out == "IDENTITY           PUBLICKEY\nlistener           " + key_of(cli, "listener") +
                       "\nplatform.driver    " + key_of(cli, "platform.driver") + "\nplatform.historian " +
                       key_of(cli, "platform.historian") + "\n");
  CHECK_THAT(cli.auth({"publickey", "driver"}).out, Contains("platform.driver") && !Contains("listener"));
  CHECK_THAT(cli.auth({"publickey", "platform.*"}).out,
             Contains("platform.historian") && !Contains("listener"));
  CHECK_THAT(cli.auth({"publickey", "l??tener"}).out, Contains("listener"));
  CHECK(cli.auth({"publickey", "driver*"}).exit_code == 1);
  const Outcome z85 = cli.auth({"publickey", "listener", "--z85"});
  CHECK_THAT(z85.out, Contains(CurveKey::parse(key_of(cli, "listener"))->to_z85()));
  CHECK(at(json(cli.auth({"publickey", "--json"}).out), "agents").as_array().size() == 3);
}

}  // namespace vipauth::test
