#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

class QuestionCli : public Cli {
 public:
  QuestionCli() {
    home.write(
        "auth.json",
        R"({"version": {"major": 1, "minor": 4}, "allow": [
      {"credentials": ")" +
            std::string(kAgentA) +
            R"(", "user_id": "temp", "identity": "TempAgent",
       "rpc_method_authorizations": {"set": ["CAP_SET"], "bar": ["can_bar"], "open": []}},
      {"credentials": ")" +
            kAlice +
            R"(", "user_id": "alice", "groups": ["admins"], "capabilities": ["can_foo"]},
      {"credentials": ")" +
            kAgentB +
            R"(", "user_id": "b", "capabilities": [{"can_bar": {"x": 1}}, {"can_bar": {"y": "/a.*/"}}]}],
      "groups": {"admins": ["setter"]}, "roles": {"setter": ["CAP_SET"]}})");
    home.write("protected_topics.json",
               R"({"write-protect": [{"topic": "foo", "capabilities": ["can_foo"]}],
                   "read-protect": [{"topic": "secret", "capabilities": "reader"}]})");
  }
};

std::vector<std::string> names_in(const Json& document, std::string_view list, std::string_view member) {
  std::vector<std::string> out;
  for (const Json& item : at(document, list).as_array()) out.push_back(at(item, member).as_string());
  return out;
}

const std::string kRed = "\x1b[31m";

}  // namespace

TEST_CASE("who-can call: those who hold what is required, with their restrictions") {
  QuestionCli cli;
  const Outcome outcome = cli.auth({"who-can", "call", "TempAgent.bar"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("requires ['can_bar']\n") &&
                              Contains("can_bar: x=1 or y matching /a.*/") &&
                              Contains("/allow/2/capabilities") && !Contains("alice"));
  CHECK_THAT(cli.auth({"who-can", "call", "TempAgent.set"}).out,
             Contains("alice") && Contains("/roles/setter"));
  CHECK_THAT(cli.auth({"who-can", "call", "TempAgent.open"}).out, StartsWith("nothing is required"));
}

TEST_CASE("who-can call: with arguments, those alone whom they are allowed") {
  QuestionCli cli;
  const auto users = [&](const char* arguments) {
    return names_in(json(cli.auth({"who-can", "call", "TempAgent.bar", arguments, "--json"}).out), "users",
                    "user_id");
  };
  CHECK(users("{'x': 1}") == std::vector<std::string>{"b"});
  CHECK(users("{'x': 2}").empty());
  CHECK_THAT(cli.auth({"who-can", "call", "TempAgent.bar", "{'x': 2}"}).out, EndsWith("nobody may\n"));
  CHECK(cli.auth({"who-can", "call", "TempAgent.bar", "[1]"}).exit_code == 64);
  CHECK(cli.auth({"who-can", "call", "bar"}).exit_code == 64);
}

TEST_CASE("who-can call: an identity of no record, and requirements that cannot be read") {
  QuestionCli cli;
  const Outcome nobody = cli.auth({"who-can", "call", "Other.m"});
  CHECK(nobody.exit_code == 0);
  CHECK_THAT(nobody.err, Contains("no record gives the identity \"Other\""));
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": ")" +
                                  std::string(kAlice) +
                                  R"(", "identity": "I", "rpc_method_authorizations": 5}]})");
  const Outcome unreadable = cli.auth({"who-can", "call", "I.m"});
  CHECK(unreadable.exit_code == 1);
  CHECK_THAT(unreadable.err, Contains("/allow/0/rpc_method_authorizations"));
}

TEST_CASE("who-can publish and receive: by every rule that covers the topic") {
  QuestionCli cli;
  CHECK_THAT(cli.auth({"who-can", "publish", "foo/bar"}).out, Contains("alice") && !Contains("temp"));
  CHECK_THAT(cli.auth({"who-can", "receive", "secret"}).out, EndsWith("nobody may\n"));
  CHECK_THAT(cli.auth({"who-can", "receive", "foo"}).out,
             StartsWith("nothing is required") && Contains("temp"));
  CHECK(cli.auth({"who-can", "publish", "a\nb"}).exit_code == 1);
  const Json document = json(cli.auth({"who-can", "publish", "foo", "--json"}).out);
  CHECK(names_in(document, "users", "user_id") == std::vector<std::string>{"alice"});
  CHECK(at(document, "requires") == Json(Json::Array{"can_foo"}));
}

TEST_CASE("what-can: grants, methods and protected topics of a user") {
  QuestionCli cli;
  const Outcome alice = cli.auth({"what-can", "alice"});
  CHECK(alice.exit_code == 0);
  CHECK_THAT(alice.out, Contains("CAP_SET") && Contains("/roles/setter") && Contains("TempAgent.set ") &&
                            Contains("foo ") && !Contains("TempAgent.bar"));
  const Json b = json(cli.auth({"what-can", "b", "--json"}).out);
  CHECK(names_in(b, "grants", "capability") == std::vector<std::string>{"can_bar", "can_bar"});
  CHECK(names_in(b, "methods", "method") == std::vector<std::string>{"bar", "open"});
  CHECK(at(b, "publish") == Json(Json::Array()));
  CHECK_THAT(cli.auth({"what-can", "temp"}).out, StartsWith("no capabilities\n"));
}

TEST_CASE("what-can: a user without an active record is an error") {
  QuestionCli cli;
  const Outcome outcome = cli.auth({"what-can", "nobody" + kRed});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("no active record") && !Contains(kRed));
}

TEST_CASE("diff: what two files decide differently") {
  QuestionCli cli;
  cli.home.write("old.json", cli.home.read("auth.json"));
  const std::string old = (cli.home / "old.json").string();
  CHECK(cli.auth({"diff", old}).out == "no difference\n");
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": ")" +
                     std::string(kAlice) +
                     R"(", "user_id": "alice", "roles": ["setter"]}], "roles": {"setter": ["CAP_SET"]}})");
  const Outcome changed = cli.auth({"diff", old});
  CHECK(changed.exit_code == 0);
  CHECK_THAT(changed.out, Contains("- user \"b\"\n") && Contains("- grant \"alice\": can_foo\n") &&
                              Contains("- grant \"b\": can_bar only with x=1\n") &&
                              Contains("- method TempAgent.set requires ['CAP_SET']\n") && !Contains("+ "));
  CHECK(cli.auth({"diff", old, "--exit-code"}).exit_code == 1);
  CHECK(cli.auth({"diff", old, old, "--exit-code"}).exit_code == 0);
  const Json document = json(cli.auth({"diff", old, (cli.home / "auth.json").string(), "--json"}).out);
  CHECK(at(document, "same") == Json(false));
  CHECK(at(at(document, "users"), "lost") == Json(Json::Array{"b", "temp"}));
}

TEST_CASE("diff: identity, times and the order of patterns") {
  Cli cli;
  const auto write = [&](const char* name, const std::string& records) {
    cli.home.write(name, R"({"version": {"major": 1, "minor": 4}, "allow": [)" + records + "]}");
  };
  const std::string all = R"({"credentials": "/.*/", "user_id": "all", "identity": ")";
  const std::string some = R"({"credentials": "/v.*/", "user_id": "some"})";
  const std::string old = (cli.home / "old.json").string();
  write("old.json", all + R"(a", "not_after": "2027-01-01T00:00:00Z"},)" + some);
  write("auth.json", all + R"(b"},)" + some);
  CHECK(cli.auth({"diff", old}).out ==
        "- let in \"all\" by CURVE /.*/, identity \"a\", until 2027-01-01T00:00:00Z\n"
        "+ let in \"all\" by CURVE /.*/, identity \"b\"\n");
  write("old.json", some + "," + all + R"(b"})");
  CHECK(cli.auth({"diff", old}).out ==
        "- first match of: \"some\" by CURVE /v.*/; \"all\" by CURVE /.*/, identity \"b\"\n"
        "+ first match of: \"all\" by CURVE /.*/, identity \"b\"; \"some\" by CURVE /v.*/\n");
  const Json document = json(cli.auth({"diff", old, "--json"}).out);
  CHECK(at(document, "same") == Json(false));
  CHECK(at(at(at(document, "orders").as_array().at(0), "after").as_array().at(0), "identity") == Json("b"));
}

TEST_CASE("diff: topics, of folders and of files") {
  QuestionCli cli;
  const TempHome other;
  CHECK_THAT(cli.auth({"diff", other.path().string()}).out,
             Contains("+ write-protect \"foo\": requires ['can_foo']\n") && Contains("+ user \"alice\"\n"));
  other.write("topics.json", "{}");
  const std::string topics = (cli.home / "protected_topics.json").string();
  CHECK(cli.auth({"diff", "--topics", topics, (other / "topics.json").string()}).out ==
        "- write-protect \"foo\": requires ['can_foo']\n- read-protect \"secret\": requires ['reader']\n");
  CHECK(cli.auth({"diff", "--topics", topics}).out == "no difference\n");
}

TEST_CASE("diff: a file that is not there or not good is an error") {
  QuestionCli cli;
  CHECK(cli.auth({"diff", (cli.home / "none.json").string()}).exit_code == 1);
  cli.home.write("bad.json", "{");
  CHECK(cli.auth({"diff", (cli.home / "bad.json").string()}).exit_code == 1);
  cli.home.write("bad.json", R"({"deny": [5]})");
  const Outcome deny = cli.auth({"diff", (cli.home / "bad.json").string()});
  CHECK(deny.exit_code == 1);
  CHECK(deny.out.empty());
  CHECK_THAT(deny.err, Contains("/deny/0"));
}

TEST_CASE("graph: users, groups, roles and capabilities in a fixed order") {
  QuestionCli cli;
  const Outcome dot = cli.auth({"graph"});
  CHECK(dot.exit_code == 0);
  CHECK_THAT(dot.out, StartsWith("digraph auth {\n") && EndsWith("}\n") &&
                          Contains("u0 [label=\"alice\", shape=box]") && Contains("u0 -> g0;\n") &&
                          Contains("g0 -> r0;\n") && Contains("r0 -> c0;\n") &&
                          Contains("u1 -> c1 [label=\"x=1\"];\n"));
  CHECK(cli.auth({"graph", "--format", "dot"}).out == dot.out);
  CHECK_THAT(cli.auth({"graph", "--format", "mermaid"}).out,
             StartsWith("flowchart LR\n") && Contains("u0[\"alice\"]\n") && Contains("u0 --> g0\n") &&
                 Contains("u1 -->|\"x=1\"| c1\n"));
  CHECK(cli.auth({"graph", "--format", "svg"}).exit_code == 64);
  CHECK(at(json(cli.auth({"graph", "--json"}).out), "graph") == Json(dot.out));
}

TEST_CASE("graph: no name breaks out of its quotes") {
  QuestionCli cli;
  const std::string hostile = R"(\"]; evil [label=\"x\\)";
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": ")" +
                                  std::string(kAlice) + R"(", "user_id": "u", "roles": [")" + hostile +
                                  R"(", "a\u001b\n\u0022]\nclick u0 <b>"]}]})");
  const std::string dot = cli.auth({"graph"}).out;
  CHECK_THAT(dot, Contains(R"(r1 [label="a\\x1b\\x0a\"]\\x0aclick u0 <b>")") &&
                      Contains(R"(label="\"]; evil [label=\"x\\", shape=hexagon, style=dashed];)"));
  const std::string mermaid = cli.auth({"graph", "--format", "mermaid"}).out;
  CHECK_THAT(mermaid,
             Contains("#34;#93;") && Contains("#60;b#62;") && !Contains("<b>") && !Contains("\nclick"));
}

TEST_CASE("graph: records that are not active are not drawn, and nothing is a graph too") {
  Cli cli;
  CHECK(cli.auth({"graph"}).out == "digraph auth {\n  rankdir=LR;\n}\n");
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": ")" +
                                  std::string(kAlice) + R"(", "user_id": "u", "enabled": false}]})");
  CHECK_THAT(cli.auth({"graph"}).out, !Contains("u0"));
}

TEST_CASE("test: all as expected") {
  QuestionCli cli;
  cli.home.write(
      "expected",
      "# who may what\n\n// here\n"
      R"({"check":"publish","user_id":"alice","topic":"foo","allowed":true})"
      "\n"
      R"({"check":"publish","user_id":"b","topic":"foo","allowed":false,"reason":"missing_capability"})"
      "\n"
      R"({"check":"connect","credentials":[")" +
          std::string(kAlice) + R"("],"allowed":true,"user_id":"alice"})" + "\n");
  const Outcome outcome = cli.auth({"test", (cli.home / "expected").string()});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "3 passed, 0 failed\n");
}

TEST_CASE("test: each difference with its line, what was expected and what came") {
  QuestionCli cli;
  const std::string lines =
      R"({"check":"publish","user_id":"b","topic":"foo","allowed":true})"
      "\n"
      R"({"check":"publish","user_id":"b","topic":"foo","allowed":false,"reason":"restricted"})"
      "\n"
      R"({"check":"connect","credentials":[")" +
      std::string(kAlice) + R"("],"allowed":true,"user_id":"b"})" + "\n" +
      R"({"check":"publish","user_id":"b","topic":"other","allowed":true})";
  const Outcome outcome = cli.auth({"test", "-"}, lines);
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.out,
             StartsWith("line 1: expected allowed\n  came refused: missing_capability: ") &&
                 Contains("line 2: expected refused: restricted\n") &&
                 Contains("line 3: expected allowed as user_id b\n  came allowed: accepted as user_id "
                          "alice (by /allow/1)\n") &&
                 EndsWith("1 passed, 3 failed\n"));
  const Json document = json(cli.auth({"test", "-", "--json"}, lines).out);
  CHECK(at(document, "passed") == Json(1));
  const Json& first = at(document, "failed").as_array().at(0);
  CHECK(at(first, "line") == Json(1));
  CHECK(at(at(first, "came"), "allowed") == Json(false));
}

TEST_CASE("test: a line that cannot be read fails, and so does a file without any") {
  QuestionCli cli;
  const std::string good = R"({"check":"publish","user_id":"b","topic":"other","allowed":true})";
  for (const std::string bad : {"{", "[]", "{}", R"({"check":"publish","user_id":"b","topic":"x"})",
                                R"({"check":"publish","user_id":"b","topic":"x","allowed":1})",
                                R"({"check":"publish","user_id":"b","topic":"x","allowed":true,"reason":5})",
                                R"({"check":"publish","user_id":"b","topic":"x","allowed":true,"more":5})"}) {
    const Outcome outcome = cli.auth({"test", "-"}, good + "\n" + bad + "\n" + good + "\n");
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.out, StartsWith("line 2") && EndsWith("2 passed, 1 failed\n"));
  }
  CHECK(cli.auth({"test", "-"}, "# nothing\n").exit_code == 1);
  CHECK(cli.auth({"test", (cli.home / "none").string()}).exit_code == 1);
  CHECK(cli.auth({"test"}).exit_code == 64);
}

TEST_CASE("questions: a file that cannot be read is an error for each of them, and nothing is written") {
  QuestionCli cli;
  cli.home.write("auth.json", "{");
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"lint"},
                                               {"who-can", "call", "a.b"},
                                               {"who-can", "publish", "t"},
                                               {"what-can", "u"},
                                               {"graph"},
                                               {"diff", cli.home.path().string()},
                                               {"test", "-"}}) {
    const Outcome outcome = cli.auth(verb);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("auth.json:1:2"));
  }
  CHECK(cli.home.read("auth.json") == "{");
}

}  // namespace vipauth::test
