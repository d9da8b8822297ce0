#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

/// A home with AgentA, which has an identity, and AliceAgent, who may call what needs can_call_bar.
Cli& with_agents(Cli& cli) {
  cli.auth({"add", "--user_id", "AgentA", "--identity", "AgentA", "--credentials", kAgentA});
  cli.auth({"add", "--user_id", "AliceAgent", "--credentials", kAlice, "--capabilities", "can_call_bar"});
  cli.auth({"add", "--user_id", "AgentB", "--credentials", kAgentB});
  return cli;
}

Json methods(const Cli& cli) { return at(cli.record(0), "rpc_method_authorizations"); }

}  // namespace

TEST_CASE("rpc add: the command of the documentation restricts the method") {
  Cli cli;
  with_agents(cli);
  CHECK(cli.auth({"check", "call", "AgentB", "AgentA.bar"}).exit_code == 0);
  const Outcome outcome = cli.auth({"rpc", "add", "AgentA.bar", "can_call_bar"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "AgentA.bar requires ['can_call_bar']\n");
  CHECK(methods(cli) == json(R"({"bar": ["can_call_bar"]})"));
  CHECK(cli.auth({"check", "call", "AliceAgent", "AgentA.bar"}).exit_code == 0);
  CHECK(cli.auth({"check", "call", "AgentB", "AgentA.bar"}).exit_code == 2);
}

TEST_CASE("rpc remove: the last one leaves a method that anybody may call, and says so") {
  Cli cli;
  with_agents(cli).auth({"rpc", "add", "AgentA.bar", "can_call_bar", "other"});
  const Outcome first = cli.auth({"rpc", "remove", "AgentA.bar", "other"});
  CHECK(first.out == "AgentA.bar requires ['can_call_bar']\n");
  CHECK(first.err.empty());
  const Outcome last = cli.auth({"rpc", "remove", "AgentA.bar", "can_call_bar"});
  CHECK(last.exit_code == 0);
  CHECK(last.out == "AgentA.bar requires nothing\n");
  CHECK_THAT(last.err, Contains("everybody who is connected may call \"AgentA.bar\" now"));
  CHECK(methods(cli) == json(R"({"bar": [""]})"));
  CHECK(cli.auth({"check", "call", "AgentB", "AgentA.bar"}).exit_code == 0);
  CHECK(cli.auth({"rpc", "add", "AgentA.bar", "again"}).err.empty());
  CHECK(methods(cli) == json(R"({"bar": ["again"]})"));
}

TEST_CASE("rpc add: says when it stands in place of the agent's own declaration") {
  Cli cli;
  with_agents(cli);
  CHECK_THAT(cli.auth({"rpc", "add", "AgentA.bar", "c1"}).err, Contains("in place of what the agent's code"));
  CHECK(cli.auth({"rpc", "add", "AgentA.bar", "c2"}).err.empty());
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a", "identity": "a.b",
    "credentials": ")" +
                     std::string(kAgentA) + R"(", "rpc_method_authorizations": {"m": []}}]})");
  CHECK_THAT(cli.auth({"rpc", "add", "a.b.m", "c1"}).err, Contains("in place of what the agent's code"));
}

TEST_CASE("rpc: what cannot be is refused, and nothing is written") {
  Cli cli;
  with_agents(cli).auth({"rpc", "add", "AgentA.bar", "c1"});
  const std::string before = cli.home.read("auth.json");
  const auto refused = [&](std::vector<std::string> arguments, int exit_code, const std::string& message) {
    arguments.insert(arguments.begin(), "rpc");
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == exit_code);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains(message));
    CHECK(cli.home.read("auth.json") == before);
  };
  refused({"add", "nobody.bar", "c"}, 1, "no record has the identity \"nobody\": there are ['AgentA']");
  refused({"add", "AgentB.bar", "c"}, 1, "at index [2] has that user_id, and no identity");
  refused({"add", "AgentA.bar", ""}, 1, "a capability must have a name");
  refused({"add", "platform.auth.auth_file", "c"}, 1, "\"platform.auth\" is the platform itself");
  refused({"remove", "control.stop", "c"}, 1, "\"control\" is the platform itself");
  refused({"remove", "AgentA.zzz", "c"}, 1, "\"AgentA\" lists no method \"zzz\": it lists ['bar']");
  refused({"remove", "AgentA.bar", "c1", "x"}, 1, "does not require \"x\": it requires ['c1']");
  refused({"remove", "nobody.bar", "c"}, 1, "no record has the identity \"nobody\"");
  refused({"add", "AgentA.bar"}, 64, "Missing authorizations for method.");
  refused({"remove", "AgentA.bar"}, 64, "Missing authorizations for method.");
  refused({"add", "nodot", "c"}, 64, "\"nodot\" is not of the form IDENTITY.METHOD");
  refused({"add", ".bar", "c"}, 64, "IDENTITY.METHOD");
  refused({"add", "AgentA.", "c"}, 64, "IDENTITY.METHOD");
  refused({"add"}, 64, "IDENTITY.METHOD is required");
  refused({"nonsense"}, 64, "there is no command \"nonsense\"");
  refused({}, 64, "");
}

TEST_CASE("rpc: requirements of a wrong type are left alone") {
  Cli cli;
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a", "identity": "a",
    "credentials": ")" +
                     std::string(kAgentA) + R"(", "rpc_method_authorizations": {"m": "c"}}]})");
  const std::string before = cli.home.read("auth.json");
  const Outcome outcome = cli.auth({"rpc", "add", "a.m", "d"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("auth.json: /allow/0/rpc_method_authorizations: "));
  CHECK(cli.home.read("auth.json") == before);
}

TEST_CASE("rpc: --json") {
  Cli cli;
  with_agents(cli);
  CHECK(json(cli.auth({"rpc", "add", "AgentA.bar", "c1", "c2", "--json"}).out).dump() ==
        R"({"identity":"AgentA","method":"bar","capabilities":["c1","c2"]})");
  CHECK(json(cli.auth({"--json", "rpc", "remove", "AgentA.bar", "c1", "c2"}).out).dump() ==
        R"({"identity":"AgentA","method":"bar","capabilities":[]})");
  CHECK(at(json(cli.auth({"rpc", "remove", "AgentA.bar", "c1", "--json"}).out), "error").is_object());
}

}  // namespace vipauth::test
