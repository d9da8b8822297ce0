// vctl --vip-address on a running platform: the same as on files.

#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/file_history.hpp>
#include <vipauth/vip_client.hpp>
#include <vipauth/vip_keys.hpp>

#include "cli/cli.hpp"
#include "running_router.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"

namespace vipauth::test {
namespace {

using Catch::Matchers::Contains;

/// A platform that runs, and a home in whose files the same stood when it began.
class Twins {
 public:
  Twins() : router(platform.home) {
    for (const char* name : {"auth.json", "keystore", "known_hosts"})
      files.home.write(name, platform.home.read(name));
    std::filesystem::permissions(files.home.path() / "keystore", std::filesystem::perms(0600));
  }

  Outcome over_bus(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--vip-address", router.endpoint()});
    return platform.auth(std::move(arguments), input);
  }

  /// What it does and says, it does and says over the bus.
  void same(const std::vector<std::string>& arguments, const std::string& input = "") {
    INFO("vctl auth " << Json::strings(arguments).dump());
    Outcome on_files = files.auth(arguments, input);
    Outcome on_platform = over_bus(arguments, input);
    CHECK(on_platform.out == on_files.out);
    CHECK(on_platform.exit_code == on_files.exit_code);
    CHECK(on_platform.err == on_files.err);
    CHECK(platform.file() == files.file());
  }

  Cli platform;
  Cli files;
  RunningRouter router;
};

ClientKeys keys_of(const RunningRouter& router, CurveKeyPair own, const std::string& identity) {
  return {.endpoint = router.endpoint(),
          .server_key = router.key(),
          .own = std::move(own),
          .ipv6 = {},
          .identity = identity};
}

}  // namespace

TEST_CASE("vctl over a bus: says and does what it does on files") {
  Twins twins;
  twins.same({"add", "--user_id", "Alice", "--credentials", kAlice, "--capabilities", "x,y"});
  twins.same({"add", "--user_id", "Alice", "--credentials", kAgentA});  // taken
  twins.same({"add", "--user_id", "B", "--identity", "b.agent", "--credentials", kAgentB});
  twins.same({"add"}, "\n10.0.0.1\nC\nc.agent\n{'test1_cap2':{'x':'/.*/'}}\n\n\n\n" + std::string(kAgentA) +
                          "\ncomment\n\n");
  twins.same({"list"});
  twins.same({"add-role", "R", "x", "z"});
  twins.same({"add-role", "R", "x"});
  twins.same({"update-role", "R", "w"});
  twins.same({"add-group", "G", "R"});
  twins.same({"list-roles"});
  twins.same({"list-groups"});
  twins.same({"update", "7", "--roles", "R", "--comments", "c"});
  twins.same({"update", "8", "--clear", "comments", "--groups", "G"});
  twins.same({"update", "99", "--roles", "R"});
  twins.same({"remove-role", "R"});
  twins.same({"rpc", "add", "b.agent.m", "CAP"});
  twins.same({"rpc", "remove", "b.agent.m", "CAP"});
  twins.same({"check", "call", "Alice", "b.agent.m"});
  twins.same({"check", "call", "Alice", "b.agent.n", "--required", "q"});
  twins.same({"check", "connect", kAlice});
  twins.same({"topics", "add", "secret", "CAP"});
  twins.same({"topics", "list"});
  twins.same({"check", "publish", "Alice", "secret"});
  twins.same({"who-can", "publish", "secret"});
  twins.same({"what-can", "Alice"});
  twins.same({"topics", "remove", "secret"});
  twins.same({"lint"});
  twins.same({"graph"});
  twins.same({"serverkey"});
  twins.same({"remote", "list"});
  twins.same({"list", "--json"});
  twins.same({"remove", "9", "7", "--yes"});
  twins.same({"remove", "55", "--yes"});
  twins.same({"remove-group", "G"});
  twins.same({"list"});
}

TEST_CASE("vctl over a bus: an edit is the peer's in the history") {
  Twins twins;
  REQUIRE(twins.over_bus({"add-role", "R", "x"}).exit_code == 0);
  const Outcome history = twins.platform.auth({"history"});
  CHECK_THAT(history.out, Contains("peer:control.connection") && Contains("auth_file.set_roles"));
}

TEST_CASE("vctl over a bus: a password is not shown, and stays") {
  Twins twins;
  const Outcome added =
      twins.over_bus({"add", "--user_id", "p", "--mechanism", "PLAIN", "--credentials", "swordfish"});
  REQUIRE(added.exit_code == 0);
  const Json stored = *twins.platform.record(7).find("credentials");
  CHECK_THAT(stored.as_string(), Contains("$argon2id$"));
  const Outcome listed = twins.over_bus({"list"});
  CHECK_THAT(listed.out, Contains("(password)") && !Contains("argon2"));
  CHECK(twins.over_bus({"update", "7", "--comments", "c"}).exit_code == 0);
  CHECK(*twins.platform.record(7).find("credentials") == stored);
  CHECK(*twins.platform.record(7).find("comments") == Json("c"));
  CHECK_THAT(twins.over_bus({"lint"}).out, !Contains("plain-text-password"));
}

TEST_CASE("vctl over a bus: decides on strangers, whom the bus lets in or out at once") {
  Twins twins;
  CurveKeyPair own = CurveKeyPair::generate();
  const CurveKey key = own.public_key;
  auto stranger = must(VipClient::open(keys_of(twins.router, std::move(own), "new.agent")));
  REQUIRE(eventually(
      [&] { return stranger.monitor().update(std::chrono::milliseconds(50)) == ConnectionState::kWaiting; }));
  const Outcome listed = twins.over_bus({"remote", "list", "--json"});
  REQUIRE(listed.exit_code == 0);
  const Json waiting = json(listed.out).find("remote")->as_array().at(0);
  CHECK(at(waiting, "credentials") == Json(key.to_base64url()));
  const std::string name = at(waiting, "user_id").as_string();
  std::vector<std::string> approve{"remote",    "approve",       name,
                                   "--user-id", "New",           "--identity",
                                   "new.agent", "--any-address", "--credentials"};
  approve.push_back(CurveKeyPair::generate().public_key.to_base64url());
  CHECK(twins.over_bus(approve).exit_code == 1);
  approve.back() = key.to_base64url();
  const Outcome approved = twins.over_bus(approve);
  CHECK(approved.out == "approved " + name + " as New (address 127.0.0.1, key " + key.to_base64url() + ")\n");
  const auto welcome = stranger.hello();
  REQUIRE(welcome);
  CHECK(welcome->user_id == "New");
  CHECK(stranger.call("platform.auth", "get_capabilities", Json::Array{"New"}).has_value());
  CHECK_THAT(twins.over_bus({"remote", "list"}).out, Contains("APPROVED"));
  CHECK(twins.over_bus({"remote", "deny", "New"}).out == "denied New (address 127.0.0.1)\n");
  REQUIRE(eventually([&] {
    return !stranger.call("platform.auth", "get_capabilities", Json::Array{"New"},
                          std::chrono::milliseconds(200));
  }));
  CHECK(twins.over_bus({"remote", "delete", "New"}).exit_code == 0);
  CHECK(twins.over_bus({"remote", "delete", "New"}).exit_code == 1);
}

TEST_CASE("vctl over a bus: several administrators at once lose nothing") {
  Twins twins;
  std::vector<std::thread> people;
  people.reserve(6);
  for (int i = 0; i < 6; ++i) {
    people.emplace_back([&twins, i] {
      Cli own;
      own.environment["VOLTTRON_HOME"] = twins.platform.home.path().string();
      static_cast<void>(own.run(
          {"auth", "--vip-address", twins.router.endpoint(), "add-role", "R" + std::to_string(i), "x"}));
    });
  }
  for (std::thread& person : people) person.join();
  CHECK(twins.platform.file().find("roles")->as_object().size() == 6);
}

TEST_CASE("vctl over a bus: who may not is refused, and nothing is changed") {
  Twins twins;
  const std::string before = twins.platform.home.read("auth.json");
  const Outcome as_store =
      twins.platform.auth({"--vip-address", twins.router.endpoint() + "#config.store", "add-role", "R", "x"});
  CHECK(as_store.exit_code == 1);
  CHECK_THAT(as_store.err, Contains("requires capabilities ['allow_auth_modifications']"));
  CHECK(twins.platform.home.read("auth.json") == before);
}

TEST_CASE("vctl over a bus: verbs of files say so, and those of one's own files need no platform") {
  Cli cli;
  for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
           {"history"}, {"undo"}, {"diff", "a"}, {"audit", "verify"}, {"create", "x"}, {"remote", "sync"}}) {
    std::vector<std::string> arguments{"--vip-address", "tcp://127.0.0.1:1"};
    arguments.insert(arguments.end(), verb.begin(), verb.end());
    const Outcome outcome = cli.auth(arguments);
    INFO(verb.front());
    CHECK(outcome.exit_code == 64);
    CHECK_THAT(outcome.err, Contains("works on the files of a home"));
  }
  CHECK(cli.auth({"--vip-address", "tcp://127.0.0.1:1", "keypair"}).exit_code == 0);
  CHECK(cli.auth({"--vip-address", "tcp://127.0.0.1:1", "list-known-hosts"}).exit_code == 0);
}

TEST_CASE("vctl over a bus: says why there is no connection") {
  Twins twins;
  CHECK(twins.platform.auth({"--vip-address", "http://x", "list"}).exit_code == 64);
  const Outcome unknown = twins.platform.auth({"--vip-address", "tcp://127.0.0.1:1", "list"});
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, Contains("no server key is known"));
  const std::string nobody = "tcp://127.0.0.1:1?serverkey=" + twins.router.key().to_base64url();
  const Outcome silent = twins.platform.auth({"-t", "0.3", "--vip-address", nobody, "list"});
  CHECK(silent.exit_code == 1);
  CHECK_THAT(silent.err, Contains("nobody listens"));
}

TEST_CASE("probe: says what a client meets") {
  Twins twins;
  const auto probe = [&](const std::string& address) {
    return twins.platform.auth({"probe", address, "--json", "-t", "4"});
  };
  const auto state_of = [](const Outcome& outcome) { return at(json(outcome.out), "state").as_string(); };

  const Outcome accepted = probe(twins.router.endpoint());
  CHECK(accepted.exit_code == 0);
  CHECK(state_of(accepted) == "accepted");
  CHECK(at(json(accepted.out), "user_id") == Json("control.connection"));

  const AgentKeyStores stores(twins.platform.home.path());
  must(stores.load_or_create("stranger"));
  const std::string as_stranger = twins.router.endpoint() + "#stranger";
  const Outcome pending = probe(as_stranger);
  CHECK(pending.exit_code == 2);
  CHECK(state_of(pending) == "pending");
  CHECK_THAT(pending.out, Contains("remote approve"));

  const std::string name =
      at(json(twins.over_bus({"remote", "list", "--json"}).out).find("remote")->as_array().at(0), "user_id")
          .as_string();
  REQUIRE(twins.over_bus({"remote", "deny", name}).exit_code == 0);
  const Outcome denied = probe(as_stranger);
  CHECK(denied.exit_code == 2);
  CHECK(state_of(denied) == "denied");

  const CurveKeyPair of_another = must(stores.load_or_create("config.store"));
  const Outcome impostor =
      probe(twins.router.endpoint() + "?secretkey=" + reveal_base64url(of_another.secret_key) +
            "#control.connection");
  CHECK(impostor.exit_code == 2);
  CHECK(state_of(impostor) == "identity_refused");

  const std::string free_port = "tcp://127.0.0.1:1?serverkey=" + twins.router.key().to_base64url();
  const Outcome nobody = probe(free_port);
  CHECK(nobody.exit_code == 1);
  CHECK(state_of(nobody) == "nobody_there");

  zmq::context_t context;
  CurveServer other(TempHome{});
  const Outcome wrong = probe(other.endpoint + "?serverkey=" + twins.router.key().to_base64url());
  CHECK(wrong.exit_code == 1);
  CHECK(state_of(wrong) == "wrong_server_key");

  zmq::socket_t plain(context, zmq::socket_type::router);
  plain.bind("tcp://127.0.0.1:*");
  const Outcome no_curve =
      probe(plain.get(zmq::sockopt::last_endpoint) + "?serverkey=" + twins.router.key().to_base64url());
  CHECK(no_curve.exit_code == 1);
  CHECK(state_of(no_curve) == "no_curve");
}

}  // namespace vipauth::test
