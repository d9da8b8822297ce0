#include <cstdlib>

#include "cli.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

class ExplainCli : public Cli {
 public:
  /// Each record as JSON without its credentials and braces; keys A, Alice and B in turn.
  explicit ExplainCli(const std::vector<std::string>& records, const std::string& rest = "") {
    write(records, rest);
  }

  void write(const std::vector<std::string>& records, const std::string& rest = "") const {
    const std::vector<std::string> keys{kAgentA, kAlice, kAgentB};
    std::string list;
    for (std::size_t i = 0; i < records.size(); ++i) {
      list +=
          (i == 0 ? "" : ",") + std::string("{\"credentials\": \"") + keys.at(i) + "\", " + records[i] + "}";
    }
    home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [)" + list + "]" + rest + "}");
  }

  Json check(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "check");
    arguments.emplace_back("--json");
    return json(auth(arguments).out);
  }

  std::vector<std::string> commands(std::vector<std::string> arguments) {
    return texts(check(std::move(arguments)), "grant");
  }

  static std::vector<std::string> texts(const Json& document, std::string_view name) {
    std::vector<std::string> out;
    for (const Json& item : at(document, name).as_array()) out.push_back(item.as_string());
    return out;
  }
};

using Texts = std::vector<std::string>;

const std::string kCallee =
    R"("identity": "T", "user_id": "t", "rpc_method_authorizations": {"m": ["C"], "n": ["C", "D"]})";

}  // namespace

TEST_CASE("check explains: a missing capability, and three ways to grant it") {
  ExplainCli cli({kCallee, R"("user_id": "u", "roles": ["mine"], "capabilities": ["have"])"},
                 R"(, "roles": {"mine": [], "giver": ["C"]})");
  const Json refused = cli.check({"call", "u", "T.m"});
  CHECK(ExplainCli::texts(refused, "missing") == Texts{"C"});
  CHECK(ExplainCli::texts(refused, "grant") == Texts{"vctl auth update 1 --capabilities have,C",
                                                     "vctl auth update 1 --roles mine,giver",
                                                     "vctl auth update-role mine C"});
  CHECK(ExplainCli::texts(refused, "explanation").front() ==
        "required by /allow/0/rpc_method_authorizations/m");
  const Outcome text = cli.auth({"check", "call", "u", "T.m"});
  CHECK_THAT(text.out, Contains("  missing: ['C']\n") &&
                           Contains("  to allow it: vctl auth update 1 --capabilities have,C\n"));
  // What the first command makes of the record is enough.
  cli.write({kCallee, R"("user_id": "u", "capabilities": ["have", "C"])"});
  const Json allowed = cli.check({"call", "u", "T.m"});
  CHECK(at(allowed, "allowed") == Json(true));
  CHECK(ExplainCli::texts(allowed, "grant").empty());
}

TEST_CASE("check explains: which record, role and group a permission comes from") {
  ExplainCli cli({kCallee, R"("user_id": "u", "groups": ["g"])", R"("user_id": "v", "roles": ["r"])"},
                 R"(, "groups": {"g": ["r"]}, "roles": {"r": ["C"]})");
  CHECK_THAT(cli.auth({"check", "call", "u", "T.m"}).out,
             Contains("  by /roles/r: role \"r\" of group \"g\", which record 1 has\n"));
  CHECK_THAT(cli.auth({"check", "call", "v", "T.m"}).out,
             Contains("  by /roles/r: role \"r\", which record 2 has\n"));
}

TEST_CASE("check explains: a restriction, and the narrowest grant that would do") {
  ExplainCli cli({kCallee, R"("user_id": "u", "capabilities": {"C": {"x": 1}})"});
  CHECK(cli.commands({"call", "u", "T.m", R"({"x": 42})"}) ==
        Texts{R"(vctl auth update 1 --capabilities '[{"C":{"x":1}},{"C":{"x":42}}]')"});
  CHECK(cli.commands({"call", "u", "T.n", R"({"x": 42})"}) ==
        Texts{R"(vctl auth update 1 --capabilities '[{"C":{"x":1}},"D",{"C":{"x":42}}]')"});
  // A value that has the form of a pattern or a template stands for itself alone.
  CHECK(cli.commands({"call", "u", "T.m", R"({"x": "/.*/"})"}) ==
        Texts{R"(vctl auth update 1 --capabilities '[{"C":{"x":1}},{"C":{"x":"/\\/\\.\\*\\//"}}]')"});
  CHECK_THAT(cli.commands({"call", "u", "T.m", R"({"x": "{user_id}"})"}).at(0), !Contains("{user_id}"));
  CHECK(cli.commands({"call", "u", "T.m", R"({"x": ["{user_id}"]})"}).empty());
  CHECK(cli.commands({"call", "u", "T.m"}).empty());  // the call has no such parameter
  cli.write(
      {kCallee, R"("user_id": "u", "capabilities": [{"C": {"x": 1}}, {"C": {"x": "/\\/\\.\\*\\//"}}])"});
  CHECK(at(cli.check({"call", "u", "T.m", R"({"x": "/.*/"})"}), "allowed") == Json(true));
  CHECK(at(cli.check({"call", "u", "T.m", R"({"x": "/a/"})"}), "allowed") == Json(false));
}

TEST_CASE("check explains: a topic") {
  ExplainCli cli({R"("user_id": "u", "capabilities": {"C": {"topic": "foo/a"}})"});
  cli.home.write(
      "protected_topics.json",
      R"({"write-protect": [{"topic": "foo", "capabilities": ["C"]}, {"topic": "foo/b", "capabilities": ["D"]}]})");
  const Json refused = cli.check({"publish", "u", "foo/b"});
  CHECK(ExplainCli::texts(refused, "missing") == Texts{"D"});
  CHECK(
      ExplainCli::texts(refused, "grant") ==
      Texts{R"(vctl auth update 0 --capabilities '[{"C":{"topic":"foo/a"}},"D",{"C":{"topic":"foo/b"}}]')"});
  CHECK_THAT(cli.auth({"check", "publish", "u", "foo/b"}).out,
             Contains("/write-protect/0: rule for topic \"foo\": requires ['C']\n"));
  cli.write(
      {R"("user_id": "u", "capabilities": [{"C": {"topic": "foo/a"}}, "D", {"C": {"topic": "foo/b"}}])"});
  CHECK(at(cli.check({"publish", "u", "foo/b"}), "allowed") == Json(true));
  CHECK(at(cli.check({"publish", "u", "foo/bc"}), "allowed") == Json(false));
}

TEST_CASE("check explains: users who are not known") {
  ExplainCli cli({kCallee, R"("user_id": "off", "enabled": false)",
                  R"("user_id": "old", "not_after": "2020-01-01T00:00:00Z")"});
  const Json off = cli.check({"call", "off", "T.m"});
  CHECK(ExplainCli::texts(off, "explanation").back() == "record 1 is disabled");
  CHECK(ExplainCli::texts(off, "grant") == Texts{"vctl auth update 1 --enabled"});
  const Json old = cli.check({"call", "old", "T.m"});
  CHECK(ExplainCli::texts(old, "explanation").back() == "record 2 is not valid since 2020-01-01T00:00:00Z");
  CHECK(ExplainCli::texts(old, "grant") == Texts{"vctl auth update 2 --not_after TIME"});
  CHECK(cli.commands({"publish", "nobody", "t"}) ==
        Texts{"vctl auth add --user_id nobody --credentials PUBLIC_KEY"});
}

TEST_CASE("check explains: a key from another place") {
  ExplainCli cli(
      {R"("user_id": "u", "address": "10.0.0.1")", R"("user_id": "v", "address": ["/10\\..*/", "a"])"});
  const Json refused = cli.check({"connect", kAgentA, "--address", "10.0.0.2"});
  CHECK(ExplainCli::texts(refused, "explanation") ==
        Texts{R"(record 0 accepts these credentials only with address "10.0.0.1")"});
  CHECK(ExplainCli::texts(refused, "grant") ==
        Texts{R"(vctl auth update 0 --address '/(10\.0\.0\.1|10\.0\.0\.2)/')"});
  CHECK(cli.commands({"connect", kAlice, "--address", "b"}) ==
        Texts{R"(vctl auth update 1 --address '/(10\..*|a|b)/')"});
}

TEST_CASE("check explains: strangers, denied keys and disabled ones") {
  ExplainCli cli({R"("user_id": "u", "enabled": false)"},
                 R"(, "deny": [{"user_id": "bad", "credentials": ")" + std::string(kAlice) + "\"}]");
  CHECK(cli.commands({"connect", kAgentB}) == Texts{"vctl auth add --credentials " + std::string(kAgentB)});
  CHECK(cli.commands({"connect", kAgentA}) == Texts{"vctl auth update 0 --enabled"});
  CHECK(cli.commands({"connect", kAlice}) == Texts{"vctl auth remote approve bad"});
  CHECK(cli.commands({"connect", "--mechanism", "NULL", "--address", "10.0.0.1"}) ==
        Texts{"vctl auth add --mechanism NULL --address 10.0.0.1 --domain vip"});
  CHECK(cli.commands({"connect", "short"}).empty());
}

TEST_CASE("check explains: a peer who waits for a decision") {
  ExplainCli cli({R"("user_id": "u")"});
  cli.home.write("pending.json",
                 R"({"version": 1, "decided": [], "pending": [{"mechanism": "CURVE", "credentials": ")" +
                     std::string(kAgentB) +
                     R"(", "domain": "vip", "address": "10.0.0.1", "user_id": "waiting",
    "first_seen": "2026-11-21T21:30:00Z", "last_seen": "2026-11-21T21:30:00Z", "retries": 1}]})");
  CHECK(cli.commands({"connect", kAgentB}) ==
        Texts{"vctl auth remote approve waiting", "vctl auth add --credentials " + std::string(kAgentB)});
  CHECK(cli.commands({"connect", kAlice}).size() == 1);
  cli.home.write("pending.json", "{");
  CHECK(cli.commands({"connect", kAgentB}).size() == 1);
  CHECK(cli.home.read("pending.json") == "{");
}

TEST_CASE("check explains: names that a shell or a list would misread") {
  ExplainCli cli(
      {R"("identity": "T", "user_id": "t", "rpc_method_authorizations": {"m": ["a,b", "--remove"]})",
       R"("user_id": "u", "roles": ["it's"])"},
      R"(, "roles": {"it's": []})");
  CHECK(cli.commands({"call", "u", "T.m"}) ==
        Texts{R"(vctl auth update 1 --capabilities '["a,b","--remove"]')",
              R"(vctl auth update-role -- 'it'\''s' a,b --remove)"});
}

TEST_CASE("check --batch: answers have no explanations") {
  ExplainCli cli({kCallee, R"("user_id": "u")"});
  const Outcome outcome =
      cli.auth({"check", "--batch", "-"}, R"({"check":"call","user_id":"u","callee":"T","method":"m"})");
  CHECK_THAT(outcome.out, !Contains("grant") && !Contains("explanation"));
}

TEST_CASE("check explains: what a command grants is what is missing, whatever its name looks like") {
  const std::vector<std::string> names{
      R"({"admin":null})", "{'admin':null}", "\tadmin", "[x", "{x", " ", "[]", "{}", "a,b", "'q'", "-x",
      "$(reboot)"};
  for (const std::string& name : names) {
    INFO(name);
    const std::string callee = R"("identity": "T", "user_id": "t", "rpc_method_authorizations": {"m": )" +
                               Json(Json::Array{name}).dump() + "}";
    const std::vector<std::string> records{callee, R"("user_id": "b", "roles": ["R"])"};
    const std::string roles = R"(, "roles": {"R": []})";
    ExplainCli cli(records, roles);
    const Texts commands = cli.commands({"call", "b", "T.m"});
    CHECK(commands.size() == 2);
    for (const std::string& command : commands) {
      INFO(command);
      cli.write(records, roles);
      const std::string program = std::string(VCTL_PATH) + " --home " + cli.home.path().string();
      REQUIRE(command.starts_with("vctl "));
      cli.home.write("run.bash", program + command.substr(4) + " > /dev/null 2>&1\n");
      const std::string shell = "bash " + (cli.home / "run.bash").string();
      CHECK(std::system(shell.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
      CHECK(cli.auth({"check", "call", "b", "T.m"}).exit_code == 0);
      const Json grants = at(json(cli.auth({"what-can", "b", "--json"}).out), "grants");
      REQUIRE(grants.as_array().size() == 1);
      CHECK(at(grants.as_array().front(), "capability") == Json(name));
    }
  }
}

TEST_CASE("check explains: no command lets in more than who asked") {
  const std::string deny = R"(, "deny": [{"user_id": "bob", "credentials": ")" + std::string(kAgentA) +
                           R"("}, {"user_id": "bob", "credentials": ")" + kAgentB + R"("}])";
  ExplainCli namesakes({}, deny);
  CHECK(namesakes.commands({"connect", kAgentA}).empty());
  ExplainCli alone({}, R"(, "deny": [{"user_id": "bob", "credentials": ")" + std::string(kAgentA) + R"("}])");
  CHECK(alone.commands({"connect", kAgentA}) == Texts{"vctl auth remote approve bob"});
  for (const std::string address : {"/.*/", "[\"/.*/\"]"}) {
    CHECK(alone.commands({"connect", "--mechanism", "NULL", "--address", address}).empty());
  }
  CHECK(alone.commands({"connect", "--mechanism", "NULL", "--address", "10.0.0.1", "--domain", "other"}) ==
        Texts{"vctl auth add --mechanism NULL --address 10.0.0.1 --domain other"});
}

}  // namespace vipauth::test
