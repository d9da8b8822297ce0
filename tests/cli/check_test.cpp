#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

/// The walk-through of VOLTTRON's documentation: a temperature agent, and Alice who may or may not set it.
class CheckCli : public Cli {
 public:
  CheckCli() {
    home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [
      {"credentials": ")" + std::string(kAgentA) +
                                R"(", "user_id": "temp", "identity": "TempAgent",
       "rpc_method_authorizations": {"set_temperature": ["CAP_SET_TEMP"], "bar": ["can_call_bar"]}},
      {"credentials": ")" + kAlice +
                                R"(", "user_id": "AliceAgent", "address": "127.0.0.1", "roles": ["setter"],
       "capabilities": ["can_publish_to_foo"]},
      {"credentials": ")" + kAgentB +
                                R"(", "user_id": "AgentB", "capabilities": {"can_call_bar": {"x": 1}}},
      {"mechanism": "PLAIN", "user_id": "plainy", "credentials": "pa55word"},
      {"mechanism": "NULL", "user_id": "nully", "address": "10.0.0.1"}],
      "deny": [{"credentials": "/z.*/"}],
      "roles": {"setter": ["CAP_SET_TEMP"]}})");
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]}],
                                            "read-protect": [{"topic": "secret", "capabilities": "reader"}]})");
  }

  Outcome check(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "check");
    return auth(arguments, input);
  }
};

}  // namespace

TEST_CASE("check connect: who is in, and by which record") {
  CheckCli cli;
  const Outcome outcome = cli.check({"connect", kAlice});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("allowed: accepted as user_id AliceAgent\n") && Contains("/allow/1"));
  CHECK(outcome.err.empty());
}

TEST_CASE("check connect: who is not, and why") {
  CheckCli cli;
  CHECK_THAT(cli.check({"connect", kAlice, "--address", "10.0.0.9"}).out, StartsWith("refused: unknown"));
  CHECK_THAT(cli.check({"connect", "z" + std::string(kAlice).substr(1)}).out,
             StartsWith("refused: denied") && Contains("/deny/0"));
  CHECK_THAT(cli.check({"connect", "short"}).out, StartsWith("refused: malformed"));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"connect", kAlice, "--address", "10.0.0.9"}, {"connect", "short"}}) {
    CHECK(cli.check(arguments).exit_code == 2);
  }
}

TEST_CASE("check connect: PLAIN asks for the password, NULL has none") {
  CheckCli cli;
  CHECK(cli.check({"connect", "plainy", "--mechanism", "PLAIN"}, "pa55word\n").exit_code == 0);
  const Outcome wrong = cli.check({"connect", "plainy", "--mechanism", "PLAIN"}, "wr0ng\n");
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.out + wrong.err, !Contains("wr0ng"));
  CHECK(cli.check({"connect", "plainy", "--mechanism", "PLAIN"}).exit_code == 1);
  CHECK(cli.check({"connect", "--mechanism", "NULL", "--address", "10.0.0.1"}).exit_code == 0);
  CHECK(cli.check({"connect", "--mechanism", "NULL", "--address", "10.0.0.2"}).exit_code == 2);
  CHECK(cli.check({"connect", "--mechanism", "GSSAPI", "x"}).exit_code == 64);
  CHECK(cli.check({"connect", "--mechanism", "NULL", "x"}).exit_code == 64);
  CHECK(cli.check({"connect"}).exit_code == 64);
}

TEST_CASE("check call: the message of the documentation") {
  CheckCli cli;
  CHECK_THAT(cli.check({"call", "AliceAgent", "TempAgent.set_temperature", R"({"temp": 70})"}).out,
             StartsWith("allowed: ") && Contains("/roles/setter"));
  const Outcome refused = cli.check({"call", "AgentB", "TempAgent.set_temperature"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.out,
             StartsWith("refused: missing_capability: method \"set_temperature\" requires capabilities "
                        "['CAP_SET_TEMP'], but capability list ['can_call_bar'] was provided\n"));
  CHECK(cli.check({"call", "AgentB", "TempAgent.get_temperature"}).out == "allowed: nothing is required\n");
  CHECK_THAT(cli.check({"call", "nobody", "TempAgent.get_temperature"}).out, StartsWith("refused: unknown"));
}

TEST_CASE("check call: arguments must satisfy the restrictions") {
  CheckCli cli;
  CHECK(cli.check({"call", "AgentB", "TempAgent.bar", R"({"x": 1})"}).exit_code == 0);
  CHECK(cli.check({"call", "AgentB", "TempAgent.bar", "{'x': 1.0}"}).exit_code == 0);
  const Outcome refused = cli.check({"call", "AgentB", "TempAgent.bar", R"({"x": 42})"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.out, Contains("User AgentB can call method bar only with x=1 but called with x=42"));
  CHECK_THAT(cli.check({"call", "AgentB", "TempAgent.bar"}).out, Contains("does not have a parameter x"));
}

TEST_CASE("check call: --required takes the place of the records") {
  CheckCli cli;
  CHECK(cli.check({"call", "AliceAgent", "X.y", "--required", "CAP_SET_TEMP", "can_publish_to_foo"})
            .exit_code == 0);
  CHECK(cli.check({"call", "AliceAgent", "X.y", "--required", "CAP_SET_TEMP", "other"}).exit_code == 2);
  CHECK(cli.check({"call", "AliceAgent", "X.y", "{}", "--required", ""}).exit_code == 0);
}

TEST_CASE("check call: what is no method or no object is wrong usage") {
  CheckCli cli;
  for (const char* method : {"method", ".method", "Agent.", ""}) {
    CHECK(cli.check({"call", "AgentB", method}).exit_code == 64);
  }
  CHECK(cli.check({"call", "AgentB", "a.b.c"}).exit_code == 0);
  for (const char* arguments : {"[1]", "5", "{", "{'x': 1, 'x': 2}", ""}) {
    const Outcome outcome = cli.check({"call", "AgentB", "TempAgent.bar", arguments});
    CHECK(outcome.exit_code == 64);
    CHECK_THAT(outcome.err, Contains("JSON-ARGUMENTS"));
  }
}

TEST_CASE("check publish and receive: by the rules of protected_topics.json") {
  CheckCli cli;
  const Outcome allowed = cli.check({"publish", "AliceAgent", "foo/bar"});
  CHECK(allowed.exit_code == 0);
  CHECK_THAT(allowed.out, Contains("/write-protect/0") && Contains("/allow/1"));
  const Outcome refused = cli.check({"publish", "AgentB", "foo"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.out,
             Contains("to publish to topic \"foo\" requires capabilities ['can_publish_to_foo'], but "
                      "capability list ['can_call_bar'] was provided"));
  CHECK(cli.check({"publish", "AgentB", "other"}).exit_code == 0);
  CHECK(cli.check({"receive", "AgentB", "foo"}).exit_code == 0);
  CHECK(cli.check({"receive", "AgentB", "secret/1"}).exit_code == 2);
}

TEST_CASE("check: --json prints the decision") {
  CheckCli cli;
  const Json refused = json(cli.check({"publish", "AgentB", "foo", "--json"}).out);
  CHECK(at(refused, "allowed") == Json(false));
  CHECK(at(refused, "reason") == Json("missing_capability"));
  CHECK(at(refused, "user_id") == Json("AgentB"));
  CHECK(at(refused, "source").is_array());
  const Json accepted = json(cli.check({"connect", kAlice, "--json"}).out);
  CHECK(at(accepted, "reason") == Json("accepted"));
  CHECK(at(accepted, "user_id") == Json("AliceAgent"));
}

TEST_CASE("check: a policy that cannot be loaded is a failure, not a refusal") {
  CheckCli cli;
  cli.home.write("protected_topics.json", "{");
  CHECK(cli.check({"publish", "AgentB", "foo"}).exit_code == 1);
  cli.home.write("protected_topics.json", "{}");
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "deny": [{"credentials": "bad"}]})");
  const Outcome deny = cli.check({"connect", kAlice});
  CHECK(deny.exit_code == 1);
  CHECK_THAT(deny.err, Contains("/deny/0"));
  cli.home.write("auth.json", "{");
  CHECK(cli.check({"connect", kAlice}).exit_code == 1);
  std::filesystem::remove(cli.home / "auth.json");
  const Outcome none = cli.check({"connect", kAlice});
  CHECK(none.exit_code == 1);
  CHECK(none.out.empty());
  CHECK_THAT(none.err, Contains("auth.json"));
}

TEST_CASE("check: decides as of now") {
  CheckCli cli;
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": ")" +
                                  std::string(kAlice) +
                                  R"(", "user_id": "a", "not_after": "2027-01-01T00:00:00Z"}]})");
  CHECK(cli.check({"connect", kAlice}).exit_code == 0);
  cli.now = *parse_timestamp("2027-01-01T00:00:00Z");
  CHECK_THAT(cli.check({"connect", kAlice}).out, StartsWith("refused: inactive"));
}

TEST_CASE("check --batch: one answer a line, in order") {
  CheckCli cli;
  const std::string key(kAlice);
  const Outcome outcome = cli.check(
      {"--batch", "-"},
      R"({"check":"connect","domain":"vip","address":"127.0.0.1","mechanism":"CURVE","credentials":[")" +
          key + "\"]}\n" + R"({"check":"connect","address":"10.0.0.9","credentials":[")" + key + "\"]}\n" +
          R"({"check":"connect","mechanism":"PLAIN","credentials":["plainy","pa55word"]})"
          "\n"
          R"({"check":"connect","mechanism":"NULL","address":"10.0.0.1","credentials":[]})"
          "\n"
          R"({"check":"connect","credentials":[]})"
          "\n"
          R"({"check":"call","user_id":"AliceAgent","callee":"TempAgent","method":"set_temperature","arguments":{"temp":70}})"
          "\n"
          R"({"check":"call","user_id":"AgentB","callee":"TempAgent","method":"set_temperature"})"
          "\n"
          R"({"check":"call","user_id":"AgentB","callee":"X","method":"y","arguments":{"x":1},"required":["can_call_bar"]})"
          "\n"
          R"({"check":"publish","user_id":"AliceAgent","topic":"foo"})"
          "\n"
          R"({"check":"receive","user_id":"AliceAgent","topic":"secret"})");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  std::istringstream lines(outcome.out);
  std::string reasons;
  for (std::string line; std::getline(lines, line);) reasons += at(json(line), "reason").as_string() + " ";
  CHECK(reasons ==
        "accepted unknown accepted accepted malformed allowed missing_capability allowed allowed "
        "missing_capability ");
  CHECK_THAT(
      outcome.out,
      StartsWith(
          R"({"allowed":true,"reason":"accepted","user_id":"AliceAgent","message":"","source":["/allow/1"]})"));
}

TEST_CASE("check --batch: a bad line is answered by its error, and the rest go on") {
  CheckCli cli;
  const std::string good = R"({"check":"publish","user_id":"AgentB","topic":"x"})";
  const std::vector<std::string> bad{
      "",
      "{",
      "[]",
      "5",
      "{}",
      R"({"check":"nonsense"})",
      R"({"check":5})",
      R"({"check":"publish","user_id":"a"})",
      R"({"check":"publish","user_id":"a","topic":1})",
      R"({"check":"publish","user_id":"a","topic":"t","more":1})",
      R"({"check":"call","user_id":"a","callee":"b","method":"m","arguments":[1]})",
      R"({"check":"call","user_id":"a","callee":"b","method":"m","required":"c"})",
      R"({"check":"call","user_id":"a","user_id":"b","callee":"b","method":"m"})",
      R"({"check":"connect","credentials":"x"})",
      "\xff",
      std::string(2'000'000, 'x')};
  std::string input;
  for (const std::string& line : bad) input += line + "\n";
  const Outcome outcome = cli.check({"--batch", "-"}, input + good + "\n");
  CHECK(outcome.exit_code == 1);
  std::istringstream lines(outcome.out);
  std::string line;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    REQUIRE(std::getline(lines, line));
    CHECK_THAT(at(json(line), "error").as_string(), StartsWith("line " + std::to_string(i + 1) + ":"));
  }
  REQUIRE(std::getline(lines, line));
  CHECK(at(json(line), "allowed") == Json(true));
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("check --batch: reads a file") {
  CheckCli cli;
  cli.home.write("questions", R"({"check":"publish","user_id":"AgentB","topic":"foo"})"
                              "\n");
  CHECK(cli.check({"--batch", (cli.home / "questions").string()}).exit_code == 0);
  CHECK(cli.check({"--batch", (cli.home / "none").string()}).exit_code == 1);
  CHECK(cli.check({"--batch", ""}).exit_code == 1);
  CHECK(cli.check({"--batch", "-"}).out.empty());
}

}  // namespace vipauth::test
