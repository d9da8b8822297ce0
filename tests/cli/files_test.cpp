#include <unistd.h>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

constexpr const char* kQuestion = "Do you wish to undo? [y/N] ";
constexpr const char* kTime = "2026-11-21T21:30:00Z";

std::string roles(const Cli& cli) {
  std::string out;
  const Json file = cli.file();
  for (const Json::Member& role : at(file, "roles").as_object()) out += role.name;
  return out;
}

/// A home in which the roles a, b and c were added one after the other.
Cli& with_roles(Cli& cli) {
  for (const char* role : {"a", "b", "c"}) REQUIRE(cli.auth({"add-role", role, "cap"}).exit_code == 0);
  return cli;
}

}  // namespace

// ---- history ----

TEST_CASE("history: lists the edits, newest first") {
  Cli cli;
  CHECK(cli.auth({"history"}).out == "No history of " + (cli.home / "auth.json").string() + "\n");
  CHECK(json(cli.auth({"history", "--json"}).out) == json(R"({"history": []})"));
  REQUIRE(cli.auth({"add-role", "a", "cap"}).exit_code == 0);
  REQUIRE(cli.auth({"add", "--user_id", "u", "--credentials", kAgentA}).exit_code == 0);
  const Outcome outcome = cli.auth({"history", "auth"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("GENERATION TIME                 USER") &&
                              Contains(std::string("\n2          ") + kTime + ' ') &&
                              EndsWith(" auth add-role\n") && Contains(" auth add\n1 "));
  const Json document = json(cli.auth({"history", "--json"}).out);
  const Json& newest = at(document, "history").as_array().at(0);
  CHECK(at(newest, "generation") == Json(2));
  CHECK(at(newest, "time") == Json(kTime));
  CHECK(at(newest, "command") == Json("auth add"));
  CHECK_FALSE(at(newest, "user").as_string().empty());
  CHECK_THAT(cli.auth({"history", "topics"}).out, StartsWith("No history of "));
}

TEST_CASE("history: says which file others may change, and which note is damaged") {
  Cli cli;
  REQUIRE(cli.auth({"add-role", "a", "cap"}).exit_code == 0);
  REQUIRE(cli.auth({"add-role", "b", "cap"}).exit_code == 0);
  cli.home.set_mode("history/auth.json/2.note.json", 0602);
  const Outcome refused = cli.auth({"history"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("chmod go-w") && Contains("2.note.json"));
  const Outcome edited = cli.auth({"add-role", "c", "cap"});
  CHECK(edited.exit_code == 0);
  CHECK_THAT(edited.err, Contains("warning: old versions in the history cannot be removed"));
  cli.home.set_mode("history/auth.json/2.note.json", 0600);
  CHECK(at(json(cli.auth({"history", "--json"}).out), "history").as_array().size() == 3);

  cli.home.write("history/auth.json/2.note.json", "{");
  const Outcome damaged = cli.auth({"history", "--json"});
  CHECK(damaged.exit_code == 0);
  CHECK_THAT(damaged.err, Contains("warning: the note ") && Contains("2.note.json"));
  CHECK(at(json(damaged.out), "history").as_array().size() == 2);
}

TEST_CASE("history: holds no value of the command line") {
  Cli cli;
  REQUIRE(
      cli.auth({"add", "--mechanism", "PLAIN", "--user_id", "p", "--credentials", "pa55word"}).exit_code ==
      0);
  CHECK_THAT(cli.home.read("history/auth.json/1.note.json"), !Contains("pa55word") && !Contains("--"));
}

TEST_CASE("history: another word than auth and topics is wrong usage") {
  Cli cli;
  CHECK(cli.auth({"history", "keystore"}).exit_code == 64);
  CHECK_THAT(cli.auth({"history", "../auth"}).err, Contains("neither auth nor topics"));
}

TEST_CASE("history: text of a note cannot speak to the terminal") {
  Cli cli;
  with_roles(cli);
  cli.home.write("history/auth.json/2.note.json",
                 R"({"time": "2026-11-21T21:30:00Z", "user": "\u001b[1m", "command": "\u202e\n"})");
  const std::string out = cli.auth({"history"}).out;
  CHECK_THAT(out, Contains("\\x1b[1m") && Contains("\\u202e\\x0a") && !Contains("\x1b"));
  CHECK_THAT(cli.auth({"undo", "--to", "2"}).out, !Contains("\x1b"));
}

// ---- undo ----

TEST_CASE("undo: shows what it changes, asks, and goes back one") {
  for (const char* yes : {"y\n", "YES\n"}) {
    Cli cli;
    const Outcome outcome = with_roles(cli).auth({"undo"}, yes);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.out,
               StartsWith("This action will put back what was there before \"auth add-role\" of " +
                          std::string(kTime) + " by ") &&
                   Contains(":\n  remove role \"c\"\n" + std::string(kQuestion)) &&
                   EndsWith("went back to generation 3\n"));
    CHECK(roles(cli) == "ab");
  }
}

TEST_CASE("undo: anything but a yes undoes nothing") {
  for (const char* no : {"n\n", "\n", "", "maybe\n"}) {
    Cli cli;
    const Outcome outcome = with_roles(cli).auth({"undo"}, no);
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("nothing is undone"));
    CHECK(roles(cli) == "abc");
  }
}

TEST_CASE("undo: of an undo takes it back, and --to goes further") {
  Cli cli;
  with_roles(cli);
  CHECK(cli.auth({"undo", "--yes"}).exit_code == 0);
  CHECK(roles(cli) == "ab");
  CHECK_THAT(cli.auth({"undo", "--yes"}).out, Contains("\"auth undo\"") && Contains("  add role \"c\"\n"));
  CHECK(roles(cli) == "abc");
  CHECK(cli.auth({"undo", "--to", "2", "-y"}).exit_code == 0);
  CHECK(roles(cli) == "a");
  CHECK(cli.auth({"undo", "--to", "1", "-y"}).exit_code == 0);
  CHECK(roles(cli).empty());
}

TEST_CASE("undo: tells records, groups and what else differs") {
  Cli cli;
  cli.home.write("auth.json", R"({"allow": [{"credentials": "/a/", "user_id": "gone"},
    {"credentials": "/b/", "user_id": "changed"}, {"credentials": "/c/", "user_id": "same"}, 5],
    "deny": [{"credentials": "/d/"}], "groups": {"g": ["r"]}, "x": 1, "version": {"major": 1, "minor": 4}})");
  REQUIRE(cli.auth({"add-role", "r"}).exit_code == 0);
  cli.home.write("auth.json", R"({"allow": [{"credentials": "/c/", "user_id": "same"},
    {"credentials": "/b/", "user_id": "changed", "enabled": false}, {"credentials": "/e/", "user_id": "new"}],
    "deny": [], "groups": {"g": []}, "version": {"major": 1, "minor": 4}})");
  const Outcome outcome = cli.auth({"undo", "--yes", "--json"});
  CHECK(outcome.exit_code == 0);
  std::string changes;
  const Json document = json(outcome.out);
  for (const Json& change : at(document, "changes").as_array()) {
    const std::string& name = at(change, "name").as_string();
    changes += at(change, "change").as_string() + ' ' + at(change, "what").as_string() + ' ' +
               (name.size() == 36 ? "(derived)" : name) + '\n';
  }
  CHECK(changes ==
        "add deny record (derived)\n"
        "add allow record (not understood)\n"
        "change allow record changed\n"
        "add allow record gone\n"
        "remove allow record new\n"
        "change group g\n"
        "add member x\n");
  CHECK_THAT(outcome.err, Contains("  remove allow record \"new\"\n"));
}

TEST_CASE("undo: names the fields that change, and no value of them") {
  Cli cli;
  const auto write = [&](const std::string& eve, const std::string& mallory) {
    cli.home.write("auth.json",
                   R"({"version": {"major": 1, "minor": 4}, "allow": [)" + eve + "," + mallory + "]}");
  };
  const std::string plain = R"({"user_id": "mallory", "mechanism": "PLAIN", "credentials": ")";
  write(R"({"user_id": "eve", "credentials": "/e/"})", plain + R"(first-word"})");
  REQUIRE(cli.auth({"add-role", "r"}).exit_code == 0);
  write(R"({"user_id": "eve", "credentials": "/e/", "enabled": false, "address": "10.0.0.1",
            "not_after": "2026-01-01T00:00:00Z", "roles": null})",
        plain + R"(second-word", "enabled": true})");
  const Outcome asked = cli.auth({"undo"}, "n\n");
  CHECK_THAT(asked.out, Contains("  change allow record \"eve\": address, enabled, not_after\n") &&
                            Contains("  change allow record \"mallory\": credentials\n") &&
                            !Contains("-word"));
  const Json document = json(cli.auth({"undo", "--yes", "--json"}).out);
  CHECK(at(at(document, "changes").as_array().at(0), "fields") ==
        Json(Json::Array{"address", "enabled", "not_after"}));
}

TEST_CASE("undo: of records of one user, those of one key are compared") {
  Cli cli;
  REQUIRE(cli.auth({"create", "a"}).exit_code == 0);
  REQUIRE(cli.auth({"rotate", "a"}).exit_code == 0);
  CHECK_THAT(cli.auth({"undo"}, "n\n").out, Contains("  change allow record \"a\": not_after\n"
                                                     "  remove allow record \"a\"\n"));
}

TEST_CASE("undo: what lets more in comes first, and is never cut") {
  Cli cli;
  std::string before;
  std::string after;
  for (int i = 0; i < 60; ++i) {
    const std::string name = std::to_string(100 + i);
    before += R"({"user_id": "on)" + name + R"(", "credentials": "/a)" + name + R"(/"},)";
    after += R"({"user_id": "on)" + name + R"(", "credentials": "/a)" + name + R"(/", "enabled": false},)";
    after += R"({"user_id": "new)" + name + R"(", "credentials": "/b)" + name + R"(/"},)";
  }
  const auto file = [](std::string records, const std::string& deny) {
    records.pop_back();
    return R"({"version": {"major": 1, "minor": 4}, "allow": [)" + records + R"(], "deny": [)" + deny + "]}";
  };
  cli.home.write("auth.json", file(before, ""));
  REQUIRE(cli.auth({"add-role", "r"}).exit_code == 0);
  cli.home.write("auth.json", file(after, R"({"user_id": "thief", "credentials": "/t/"})"));
  const std::string out = cli.auth({"undo"}, "n\n").out;
  CHECK_THAT(out, Contains(":\n  remove deny record \"thief\"\n  change allow record \"on100\": enabled\n"));
  CHECK_THAT(out, Contains("\"on159\": enabled\n  remove allow record \"new100\"\n"));
  CHECK_THAT(out, Contains("\"new149\"\n  and 10 more\n"));
}

TEST_CASE("undo: nothing to undo, and a generation that is not there") {
  Cli cli;
  CHECK_THAT(cli.auth({"undo", "--yes"}).err, Contains("nothing to undo"));
  CHECK(cli.auth({"undo", "--yes"}).exit_code == 1);
  with_roles(cli);
  CHECK_THAT(cli.auth({"undo", "--to", "9", "--yes"}).err, Contains("no generation 9"));
  for (const char* number : {"x", "", "-1", "1x"})
    CHECK(cli.auth({"undo", "--to", number, "-y"}).exit_code == 64);
  CHECK(roles(cli) == "abc");
}

TEST_CASE("undo: a file that cannot be read is not written over") {
  Cli cli;
  with_roles(cli).home.write("auth.json", "{ broken");
  CHECK(cli.auth({"undo", "--yes"}).exit_code == 1);
  CHECK(cli.home.read("auth.json") == "{ broken");
}

TEST_CASE("undo: who became root by sudo is named") {
  Cli cli;
  cli.environment["SUDO_USER"] = "operator";
  with_roles(cli);
  const Json document = json(cli.auth({"history", "--json"}).out);
  const bool is_named = at(at(document, "history").as_array()[0], "user") == Json("operator");
  CHECK(is_named == (::geteuid() == 0));
}

// ---- topics ----

TEST_CASE("topics: rules are added, listed and removed") {
  Cli cli;
  CHECK(cli.auth({"topics", "list"}).out ==
        "No protected topics in " + (cli.home / "protected_topics.json").string() + "\n");
  CHECK(cli.auth({"topics", "add", "foo", "can_publish_to_foo"}).out ==
        "added topic \"foo\": to publish requires ['can_publish_to_foo']\n");
  CHECK(cli.auth({"topics", "add", "--read", "/secret.*/", "a", "b"}).out ==
        "added topic \"/secret.*/\": to receive requires ['a', 'b']\n");
  CHECK(cli.auth({"topics", "list"}).out ==
        "PROTECTS TOPIC      CAPABILITIES\n"
        "-------- -----      ------------\n"
        "publish  foo        ['can_publish_to_foo']\n"
        "receive  /secret.*/ ['a', 'b']\n");
  const Json file = json(R"({"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]}],
                             "read-protect": [{"topic": "/secret.*/", "capabilities": ["a", "b"]}]})");
  CHECK(json(cli.auth({"topics", "list", "--json"}).out) == file);
  CHECK(json(cli.home.read("protected_topics.json")) == file);

  CHECK(cli.auth({"topics", "remove", "/secret.*/"}).exit_code == 1);  // is in the other list
  CHECK(cli.auth({"topics", "remove", "/secret.*/", "--read"}).out ==
        "removed topic \"/secret.*/\": to receive required ['a', 'b']\n");
  CHECK(
      json(cli.auth({"topics", "remove", "foo", "--json"}).out) ==
      json(
          R"({"removed": [{"list": "write-protect", "topic": "foo", "capabilities": ["can_publish_to_foo"]}]})"));
  CHECK_THAT(cli.auth({"topics", "remove", "foo"}).err, Contains("topic \"foo\" is not in the list"));
}

TEST_CASE("topics add: --json prints the rule") {
  Cli cli;
  CHECK(json(cli.auth({"topics", "add", "t", "c", "--json"}).out) ==
        json(R"({"added": {"list": "write-protect", "topic": "t", "capabilities": ["c"]}})"));
}

TEST_CASE("topics add: a topic that is there is refused, and says what protects it") {
  Cli cli;
  REQUIRE(cli.auth({"topics", "add", "foo", "a"}).exit_code == 0);
  const std::string before = cli.home.read("protected_topics.json");
  const Outcome outcome = cli.auth({"topics", "add", "foo", "b"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.err == "error: topic \"foo\" is already protected by [\"a\"]\n");
  CHECK(cli.home.read("protected_topics.json") == before);
}

TEST_CASE("topics add: a rule that requires nothing must be meant") {
  Cli cli;
  CHECK(cli.auth({"topics", "add", "foo"}).exit_code == 64);
  CHECK_THAT(cli.auth({"topics", "add", "foo"}).err, Contains("--requires-nothing"));
  CHECK(cli.auth({"topics", "add", "foo", "c", "--requires-nothing"}).exit_code == 64);
  CHECK_FALSE(cli.home.has("protected_topics.json"));
  CHECK(cli.auth({"topics", "add", "foo", "--requires-nothing"}).exit_code == 0);
  CHECK_THAT(cli.auth({"topics", "list"}).out, Contains("foo   []\n"));
}

TEST_CASE("topics add: what is no topic, and what is perhaps not meant") {
  Cli cli;
  for (const char* topic : {"", "/(/", "a\nb"}) CHECK(cli.auth({"topics", "add", topic, "c"}).exit_code == 1);
  CHECK(cli.auth({"topics", "add", "t", ""}).exit_code == 1);
  CHECK_FALSE(cli.home.has("protected_topics.json"));
  const Outcome half = cli.auth({"topics", "add", "/devices/.*", "c"});
  CHECK(half.exit_code == 0);
  CHECK_THAT(half.err, Contains("'/devices/.*/'"));
  CHECK(cli.auth({"topics", "add", "/devices/a", "c"}).err.empty());
}

TEST_CASE("topics: a file that cannot be read is left as it is") {
  Cli cli;
  for (const char* bad : {"", "{", R"({"write-protect": [{"topic": "x"}]})"}) {
    cli.home.write("protected_topics.json", bad);
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"list"}, {"add", "t", "c"}, {"remove", "x"}}) {
      std::vector<std::string> arguments{"topics"};
      arguments.insert(arguments.end(), verb.begin(), verb.end());
      CHECK(cli.auth(arguments).exit_code == 1);
    }
    CHECK(cli.home.read("protected_topics.json") == bad);
  }
}

TEST_CASE("undo: of topic rules") {
  Cli cli;
  REQUIRE(cli.auth({"topics", "add", "foo", "c"}).exit_code == 0);
  REQUIRE(cli.auth({"topics", "remove", "foo"}).exit_code == 0);
  CHECK_THAT(cli.auth({"history", "topics"}).out, Contains("auth topics remove\n1 "));
  CHECK_THAT(cli.auth({"undo"}, "y\n").err, Contains("nothing to undo"));  // auth.json has none
  CHECK_THAT(cli.auth({"undo", "--topics"}, "y\n").out, Contains("  add write-protect rule \"foo\"\n"));
  CHECK_THAT(cli.auth({"topics", "list"}).out, Contains("publish  foo"));
}

// ---- strict modes ----

TEST_CASE("strict modes: every verb refuses a file that others may change, with the chmod to type") {
  Cli cli;
  with_roles(cli);
  REQUIRE(cli.auth({"serverkey"}).exit_code == 0);
  REQUIRE(cli.auth({"topics", "add", "t", "c"}).exit_code == 0);
  for (const char* name : {"auth.json", "keystore", "protected_topics.json"}) cli.home.set_mode(name, 0666);
  const std::string before = cli.home.read("auth.json");
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"list"},
                                               {"add-role", "d", "c"},
                                               {"list-roles"},
                                               {"undo", "--yes"},
                                               {"check", "connect", kAgentA},
                                               {"topics", "list"},
                                               {"topics", "add", "u", "c"},
                                               {"serverkey"}}) {
    const Outcome outcome = cli.auth(verb);
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("chmod "));
  }
  CHECK(cli.home.read("auth.json") == before);
  CHECK_THAT(cli.auth({"serverkey"}).err, Contains("chmod 600 \"" + (cli.home / "keystore").string() + "\""));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--no-strict-modes", "auth", "list-roles"},
        {"auth", "--no-strict-modes", "topics", "list"},
        {"auth", "serverkey", "--no-strict-modes"},
        {"auth", "remote", "list", "--no-strict-modes"},
        {"auth", "add-role", "d", "--no-strict-modes"}}) {
    CHECK(cli.run(arguments).exit_code == 0);
  }
  for (const char* name : {"auth.json", "keystore"}) cli.home.set_mode(name, 0600);
  CHECK(cli.auth({"list-roles"}).exit_code == 0);
  CHECK(cli.auth({"serverkey"}).exit_code == 0);
}

TEST_CASE("strict modes: a home that others may write is refused, sticky or not") {
  for (const unsigned mode : {0777U, 01777U, 0707U}) {
    Cli cli;
    cli.home.set_mode(".", mode);
    const Outcome outcome = cli.auth({"add-role", "a", "c"});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("chmod go-w \"" + cli.home.path().string() + "\""));
    CHECK_FALSE(cli.home.has("auth.json"));
    CHECK(cli.auth({"add-role", "a", "c", "--no-strict-modes"}).exit_code == 0);
  }
}

TEST_CASE("an old version: is listed without writing, and written with its original kept") {
  Cli cli;
  const std::string old = R"({"allow": [{"credentials": "CURVE:)" + std::string(kAgentA) +
                          R"(", "user_id": "a"}, {"credentials": "/.*/"}]})";
  cli.home.write("auth.json", old);
  CHECK(cli.auth({"list"}).exit_code == 0);
  CHECK(cli.auth({"check", "connect", kAgentA}).exit_code == 0);
  CHECK(cli.auth({"check", "connect", kAgentB}).exit_code == 2);
  CHECK(cli.home.read("auth.json") == old);
  const Outcome outcome = cli.auth({"add-role", "r", "c"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("auth.json.0.0.bak") && Contains("/allow/1/credentials"));
  CHECK(cli.home.read("auth.json.0.0.bak") == old);
  CHECK(cli.auth({"check", "connect", kAgentA}).exit_code == 0);
  CHECK(cli.auth({"check", "connect", kAgentB}).exit_code == 2);
}

}  // namespace vipauth::test
