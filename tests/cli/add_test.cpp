#include <algorithm>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

constexpr const char* kAllPrompts =
    "domain []: address []: user_id []: identity []: capabilities (delimit multiple entries with comma) []: "
    "roles (delimit multiple entries with comma) []: groups (delimit multiple entries with comma) []: "
    "mechanism [CURVE]: credentials []: comments []: enabled [True]: ";

}  // namespace

TEST_CASE("add: options make a record, and the line that VOLTTRON prints") {
  Cli cli;
  const Outcome outcome = cli.auth({"add", "--user_id", "bob", "--credentials", kAgentA});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out == "added entry domain=None, address=None, mechanism='CURVE', credentials='" +
                           std::string(kAgentA) + "', user_id='bob'\n");
  const Json record = cli.record(0);
  CHECK(at(record, "user_id") == Json("bob"));
  CHECK(at(record, "credentials") == Json(kAgentA));
  CHECK(at(record, "enabled") == Json(true));
}

TEST_CASE("add: every option ends up in its field") {
  Cli cli;
  cli.auth({"add-role", "r1"});
  cli.auth({"add-role", "r2"});
  const Outcome outcome = cli.auth({"add",
                                    "--credentials",
                                    kAgentA,
                                    "--user_id",
                                    "bob",
                                    "--identity",
                                    "bob.agent",
                                    "--domain",
                                    "vip",
                                    "--address",
                                    "/10[.]0[.]0[.].*/",
                                    "--capabilities",
                                    "can_a, can_b",
                                    "--roles",
                                    "r1,r2",
                                    "--groups",
                                    "g1",
                                    "--comments",
                                    "a comment",
                                    "--disabled",
                                    "--mechanism",
                                    "CURVE",
                                    "--not-before",
                                    "2026-01-01T00:00:00Z",
                                    "--not_after",
                                    "2027-01-01T00:00:00Z"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err,
             Contains("group \"g1\" does not exist") && !Contains("role") && Contains("not_before"));
  const Json record = cli.record(0);
  CHECK(at(record, "domain") == Json("vip"));
  CHECK(at(record, "address") == Json("/10[.]0[.]0[.].*/"));
  CHECK(at(record, "identity") == Json("bob.agent"));
  CHECK(at(record, "capabilities") == json(R"(["can_a","can_b"])"));
  CHECK(at(record, "roles") == json(R"(["r1","r2"])"));
  CHECK(at(record, "groups") == json(R"(["g1"])"));
  CHECK(at(record, "comments") == Json("a comment"));
  CHECK(at(record, "enabled") == Json(false));
  CHECK(at(record, "not_before") == Json("2026-01-01T00:00:00Z"));
  CHECK(at(record, "not_after") == Json("2027-01-01T00:00:00Z"));
}

TEST_CASE("add: the command of the documentation makes the record of the documentation") {
  Cli cli;
  const Outcome outcome = cli.auth(
      {"add", "--capabilities", R"({"test1_cap2":{"x":1}})", "--user_id", "AgentB", "--credential", kAgentB});
  CHECK(outcome.exit_code == 0);
  const Json expected = json(R"({"domain": null, "user_id": "AgentB", "roles": [], "enabled": true,
    "mechanism": "CURVE", "capabilities": {"test1_cap2": {"x": 1}}, "groups": [], "address": null,
    "credentials": "vELQORgWOUcXo69DsSmHiCCLesJPa4-CtVfvoNHwIR0", "comments": null})");
  const Json record = cli.record(0);
  for (const Json::Member& member : expected.as_object()) {
    CAPTURE(member.name);
    CHECK(at(record, member.name) == member.value);
  }
}

TEST_CASE("add: names in other scripts are kept") {
  Cli cli;
  CHECK(cli.auth({"add", "--credentials", kAgentA, "--user_id", "hélène", "--comments", "é漢"}).out ==
        "added entry domain=None, address=None, mechanism='CURVE', credentials='" + std::string(kAgentA) +
            "', user_id='hélène'\n");
  CHECK(at(cli.record(0), "comments") == Json("é漢"));
}

TEST_CASE("add: a key may be given as Z85, and is kept as base64url") {
  Cli cli;
  const Json pair = json(cli.auth({"keypair", "--z85"}).out);
  CHECK(cli.auth({"add", "--credentials", at(pair, "public").as_string()}).exit_code == 0);
  CHECK(at(cli.record(0), "credentials").as_string().size() == 43);
}

TEST_CASE("add: a record without user_id gets one") {
  Cli cli;
  CHECK(cli.auth({"add", "--credentials", kAgentA}).exit_code == 0);
  CHECK(at(cli.record(0), "user_id").as_string().size() == 36);
}

TEST_CASE("add: a pattern for credentials, and NULL without any, are accepted") {
  Cli cli;
  CHECK(cli.auth({"add", "--credentials", "/.*/", "--user_id", "everyone"}).exit_code == 0);
  const Outcome null =
      cli.auth({"add", "--mechanism", "NULL", "--user_id", "nully", "--address", "10.0.0.1"});
  CHECK(null.exit_code == 0);
  CHECK_THAT(null.out, Contains("mechanism='NULL', credentials=None, user_id='nully'"));
}

TEST_CASE("add: what is taken is refused, and nothing is written") {
  Cli cli;
  REQUIRE(cli.auth({"add", "--credentials", kAgentA, "--user_id", "alice"}).exit_code == 0);
  const std::string before = cli.home.read("auth.json");
  const Outcome user = cli.auth({"add", "--credentials", kAgentB, "--user_id", "alice"});
  CHECK(user.exit_code == 1);
  CHECK(user.out.empty());
  CHECK(user.err == "error: user_id alice is already in use at index [0]\n");
  const Outcome key = cli.auth({"add", "--credentials", kAgentA, "--user_id", "other"});
  CHECK(key.exit_code == 1);
  CHECK(key.err == "error: entry matches domain, address and credentials at index [0]\n");
  CHECK(cli.home.read("auth.json") == before);
}

TEST_CASE("add: an option that cannot be is refused, and named") {
  Cli cli;
  const auto refused = [&](const std::vector<std::string>& options, const std::string& message) {
    std::vector<std::string> arguments{"add"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, StartsWith("error: " + message));
    CHECK_FALSE(cli.home.has("auth.json"));
  };
  refused({"--credentials", "short"}, "--credentials: not a CURVE key");
  refused({"--credentials", "/(/"}, "--credentials: ");
  refused({"--user_id", "nokey"}, "--credentials: credentials are required for mechanism CURVE");
  refused({"--mechanism", "curve", "--credentials", kAgentA}, "--mechanism: mechanism must be either");
  refused({"--mechanism", "NULL", "--credentials", "x"}, "--credentials: mechanism NULL has no credentials");
  refused({"--credentials", kAgentA, "--capabilities", "{'a': 1}"}, "--capabilities: ");
  refused({"--credentials", kAgentA, "--capabilities", "{'a': }"}, "--capabilities:1:7: ");
  refused({"--credentials", kAgentA, "--domain", "/[/"}, "--domain: ");
  refused({"--credentials", kAgentA, "--roles", "['a', 1]"}, "--roles: ");
  refused({"--credentials", kAgentA, "--user_id", std::string(256, 'u')}, "--user_id: ");
  refused({"--credentials", kAgentA, "--user_id", "a\x1b"}, "--user_id: ");
  refused({"--credentials", kAgentA, "--not-after", "tomorrow"}, "--not_after: not a time");
}

TEST_CASE("add: half a regular expression warns, and names what was meant") {
  Cli cli;
  const Outcome restriction =
      cli.auth({"add", "--capabilities", "{'test1_cap2':{'x':'/.*'}}", "--credentials", kAgentB});
  CHECK(restriction.exit_code == 0);
  CHECK_THAT(restriction.err, StartsWith("warning: ") && Contains("\"x\"") && Contains("'/.*/'"));
  CHECK(at(cli.record(0), "capabilities") == json(R"({"test1_cap2":{"x":"/.*"}})"));

  const Outcome address =
      cli.auth({"add", "--address", "/192.168.*", "--domain", "vip.*/", "--credentials", kAgentA});
  CHECK(address.exit_code == 0);
  CHECK_THAT(address.err,
             Contains("address '/192.168.*'") && Contains("'/192.168.*/'") && Contains("'/vip.*/'"));

  const Outcome credentials = cli.auth({"add", "--credentials", "/.*"});
  CHECK(credentials.exit_code == 1);
  CHECK_THAT(credentials.err, Contains("'/.*/'"));
}

TEST_CASE("add: a whole regular expression, and plain text, do not warn") {
  Cli cli;
  CHECK(cli.auth({"add", "--capabilities", "{'a':{'x':'/.*/','y':'/foo/bar','z':'devices/'}}", "--address",
                  "10.0.0.1", "--credentials", kAgentB})
            .err.empty());
}

TEST_CASE("add: a password is stored as a hash, and never shown") {
  Cli cli;
  const Outcome outcome =
      cli.auth({"add", "--mechanism", "PLAIN", "--credentials", "pa55word", "--user_id", "plainy"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out,
             Contains("credentials='(hashed)'") && !Contains("pa55word") && !Contains("$argon2"));
  CHECK_THAT(outcome.err, Contains("list of processes") && !Contains("pa55word"));
  CHECK_THAT(at(cli.record(0), "credentials").as_string(), StartsWith("$argon2id$"));
  CHECK(cli.auth({"check", "connect", "plainy", "--mechanism", "PLAIN"}, "pa55word\n").exit_code == 0);
  CHECK(cli.auth({"check", "connect", "plainy", "--mechanism", "PLAIN"}, "other\n").exit_code == 2);
}

TEST_CASE("add: a password that is left out is asked for, without echo") {
  Cli cli;
  cli.is_terminal = true;
  const Outcome outcome = cli.auth({"add", "--mechanism", "PLAIN", "--user_id", "plainy"}, "\npa55word\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("credentials []: \ncredentials []: \nadded entry "));
  CHECK_THAT(outcome.err, Contains("required") && !Contains("pa55word"));
  CHECK(cli.echo == std::vector<bool>{false, true, false, true});
  CHECK(cli.auth({"add", "--mechanism", "PLAIN", "--user_id", "another"}, "").exit_code == 1);
}

TEST_CASE("add: --json prints the record, without a password") {
  Cli cli;
  const Json document = json(cli.auth({"add", "--json", "--credentials", kAgentA, "--user_id", "a"}).out);
  CHECK(at(document, "index") == Json(0));
  CHECK(at(at(document, "record"), "credentials") == Json(kAgentA));
  const Outcome plain = cli.auth({"--json", "add", "--mechanism", "PLAIN", "--user_id", "p"}, "pa55word\n");
  CHECK(at(at(json(plain.out), "record"), "credentials") == Json("(password)"));
  CHECK_THAT(plain.err, Contains("credentials []: "));
}

TEST_CASE("add: without options it asks, in VOLTTRON's order") {
  Cli cli;
  const Outcome outcome = cli.auth({"add"}, "vip\n127.0.0.1\nivan\nivan.agent\ncap1,cap2\n\n\n\n" +
                                                std::string(kAgentA) + "\ninteractive\n\n");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out == kAllPrompts +
                           std::string("added entry domain='vip', address='127.0.0.1', mechanism='CURVE', "
                                       "credentials='") +
                           kAgentA + "', user_id='ivan'\n");
  const Json record = cli.record(0);
  CHECK(at(record, "identity") == Json("ivan.agent"));
  CHECK(at(record, "capabilities") == json(R"(["cap1","cap2"])"));
  CHECK(at(record, "comments") == Json("interactive"));
  CHECK(at(record, "enabled") == Json(true));
}

TEST_CASE("add: the session of the documentation works as typed") {
  Cli cli;
  const Outcome outcome =
      cli.auth({"add"}, "\n\n\n\n{'test1_cap2':{'x':'/.*/'}}\n\n\n\n" + std::string(kAgentB) + "\n\n\n");
  CHECK(outcome.exit_code == 0);
  CHECK(at(cli.record(0), "capabilities") == json(R"({"test1_cap2":{"x":"/.*/"}})"));
}

TEST_CASE("add: a bad answer says why, and is asked again") {
  Cli cli;
  const Outcome outcome = cli.auth({"add"}, "/(/\n\n\nivy\n\n{'a'}\n\n\n\nbad\nCURVE\nshort\n\n" +
                                                std::string(kAgentB) + "\n\nmaybe\nFALSE\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("domain []: domain []: address []: "));
  CHECK_THAT(outcome.out,
             Contains("mechanism [CURVE]: mechanism [CURVE]: credentials []: credentials []: credentials []: "
                      "comments []: enabled [True]: enabled [True]: added entry"));
  CHECK_THAT(outcome.err, Contains("mechanism must be either \"NULL\", \"PLAIN\" or \"CURVE\"\n") &&
                              Contains("not a CURVE key") && Contains("required for mechanism CURVE") &&
                              Contains("Please enter True or False\n"));
  CHECK(at(cli.record(0), "enabled") == Json(false));
}

TEST_CASE("add: answers lose the space around them") {
  Cli cli;
  CHECK(cli.auth({"add"}, "  spaced  \n\nkim\n\n a , b ,,c \n\n\n\n" + std::string(kAgentA) + "\r\n\n\n")
            .exit_code == 0);
  CHECK(at(cli.record(0), "domain") == Json("spaced"));
  CHECK(at(cli.record(0), "capabilities") == json(R"(["a","b","c"])"));
}

TEST_CASE("add: the end of input writes nothing") {
  Cli cli;
  const std::string answers = "\n\nu\n\n\n\n\n\n" + std::string(kAgentA) + "\n\nTrue\n";
  for (std::size_t end = 0; end < answers.size(); end += answers[end] == '\n' ? 1U : 7U) {
    if (std::count(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(end), '\n') == 10) break;
    const Outcome outcome = cli.auth({"add"}, answers.substr(0, end));
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("nothing is written"));
    CHECK_FALSE(cli.home.has("auth.json"));
  }
  CHECK(cli.auth({"add"}, answers).exit_code == 0);
}

TEST_CASE("add: clear is asked about, and may be meant as text") {
  Cli cli;
  const std::string rest = "\n\n\n\n\n" + std::string(kAgentA) + "\n\n\n";
  const Outcome meant = cli.auth({"add"}, "\n\nclear\nmaybe\nn\n" + rest);
  CHECK(meant.exit_code == 0);
  CHECK_THAT(meant.out,
             Contains("user_id []: Do you want to clear this field? [Y/n] Do you want to clear this field? "
                      "[Y/n] identity []: "));
  CHECK_THAT(meant.err, Contains("Please respond with 'yes' or 'no'\n"));
  CHECK(at(cli.record(0), "user_id") == Json("clear"));

  const std::string other = "\n\n\n\n\n" + std::string(kAgentB) + "\n\n\n";
  CHECK(cli.auth({"add"}, "\n\nclear\ny\n" + other).exit_code == 0);
  CHECK(at(cli.record(1), "user_id").as_string().size() == 36);
  CHECK(cli.auth({"add"}, "\n\nclear\n").exit_code == 1);
}

TEST_CASE("add: an asked password is not shown, a key is") {
  Cli cli;
  cli.is_terminal = true;
  const Outcome outcome = cli.auth({"add"}, "\n\np\n\n\n\n\nPLAIN\npa55word\n\n\n");
  CHECK(outcome.exit_code == 0);
  CHECK(cli.echo == std::vector<bool>{false, true});
  CHECK_THAT(outcome.out + outcome.err, !Contains("pa55word") && !Contains("$argon2"));
  CHECK_THAT(at(cli.record(0), "credentials").as_string(), StartsWith("$argon2id$"));
}

TEST_CASE("add: an answer that is not text is asked again") {
  Cli cli;
  const Outcome outcome = cli.auth(
      {"add"}, "\xff\n" + std::string(70000, 'x') + "\n\n\nu\n\n\n\n\n\n" + std::string(kAgentA) + "\n\n\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("not UTF-8") && Contains("longer than"));
  CHECK(at(cli.record(0), "domain").is_null());
}

TEST_CASE("add: a file that cannot be read is left as it is") {
  Cli cli;
  for (const char* content : {"{\"allow\": [", "not json", "[]", R"({"allow": {}})",
                              R"({"allow": [], "version": {"major": 2, "minor": 0}})", "\xff\xfe"}) {
    cli.home.write("auth.json", content);
    const Outcome outcome = cli.auth({"add", "--credentials", kAgentA});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("auth.json"));
    CHECK(cli.home.read("auth.json") == content);
  }
}

TEST_CASE("add: waits for whoever edits the file, as long as --timeout says") {
  Cli cli;
  cli.auth({"add-role", "r"});
  const int lock = open((cli.home / "auth.json.lock").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(flock(lock, LOCK_EX) == 0);
  const Outcome outcome = cli.auth({"add", "--credentials", kAgentA, "-t", "0.05"});
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.err, Contains("another process"));
  CHECK(at(cli.file(), "allow") == Json(Json::Array()));
  close(lock);
  CHECK(cli.auth({"add", "--credentials", kAgentA, "-t", "0.05"}).exit_code == 0);
}

TEST_CASE("add: what the file held before survives") {
  Cli cli;
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "ours": 1.50, "allow": [
    {"credentials": "bad", "extra": [1]}], "deny": [{"credentials": "/x/"}], "roles": {"r": "c"}})");
  CHECK(cli.auth({"add", "--credentials", kAgentA}).exit_code == 0);
  CHECK(at(cli.file(), "ours").as_number().digits == "1.50");
  CHECK(cli.record(0) == json(R"({"credentials": "bad", "extra": [1]})"));
  CHECK(at(cli.file(), "deny") == json(R"([{"credentials": "/x/"}])"));
  CHECK(at(cli.file(), "roles") == json(R"({"r": "c"})"));
}

TEST_CASE("add: comments in the file are kept beside it, and that is said") {
  Cli cli;
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": []} // nobody)");
  const Outcome outcome = cli.auth({"add", "--credentials", kAgentA});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("auth.json.commented.bak"));
  CHECK_THAT(cli.home.read("auth.json.commented.bak"), Contains("// nobody"));
}

}  // namespace vipauth::test
