#include <streambuf>
#include <utility>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

constexpr const char* kHead = "(For any field type \"clear\" to clear the value.)\n";

/// A home with the records alice (with everything), bob and one that is not understood.
Cli& with_records(Cli& cli) {
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [
    {"colour": "blue", "domain": "vip", "address": ["10.0.0.1", "10.0.0.2"], "user_id": "alice",
     "identity": "alice.agent", "capabilities": {"c": {"x": 1}}, "roles": ["r1", "r2"], "groups": [],
     "credentials": ")" + std::string(kAlice) +
                                  R"(", "comments": "a comment", "enabled": false,
     "rpc_method_authorizations": {"m": ["c"]}},
    {"user_id": "bob", "credentials": ")" +
                                  std::string(kAgentB) +
                                  R"("}, {"user_id": "carol", "credentials": "bad"}, "junk"],
    "roles": {"r1": [], "r2": []}})");
  return cli;
}

constexpr const char* kNoAnswers = "\n\n\n\n\n\n\n\n\n\n\n";

/// Answers, before the first of which somebody else changes a record.
class MeanwhileInput : public std::streambuf {
 public:
  MeanwhileInput(const Cli& cli, std::string answers) : cli_(cli), answers_(std::move(answers)) {}

 protected:
  int_type underflow() override {
    if (eback() != nullptr) return traits_type::eof();
    std::string text = cli_.home.read("auth.json");
    text.replace(text.find("a comment"), 9, "their own");
    cli_.home.replace("auth.json", text);
    setg(answers_.data(), answers_.data(), answers_.data() + answers_.size());
    return traits_type::to_int_type(answers_.front());
  }

 private:
  const Cli& cli_;
  std::string answers_;
};

}  // namespace

TEST_CASE("update: shows what there is, and no answer keeps it all") {
  Cli cli;
  with_records(cli);
  const std::string before = cli.home.read("auth.json");
  const Outcome outcome = cli.auth({"update", "0"}, kNoAnswers);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(
      outcome.out ==
      std::string(kHead) +
          "domain [vip]: address [10.0.0.1,10.0.0.2]: user_id [alice]: identity [alice.agent]: "
          "capabilities (delimit multiple entries with comma) [{'c': {'x': 1}}]: roles (delimit multiple "
          "entries with comma) [r1,r2]: groups (delimit multiple entries with comma) []: mechanism [CURVE]: "
          "credentials [" +
          kAlice + "]: comments [a comment]: enabled [False]: updated entry at index 0\n");
  CHECK(cli.home.read("auth.json") == before);
}

TEST_CASE("update: what a record leaves out is shown as what it means") {
  Cli cli;
  CHECK_THAT(with_records(cli).auth({"update", "1"}, kNoAnswers).out,
             Contains("capabilities (delimit multiple entries with comma) []: ") &&
                 Contains("mechanism [CURVE]: ") && Contains("enabled [True]: "));
}

TEST_CASE("update: answers change their fields, and nothing else") {
  Cli cli;
  const Outcome outcome =
      with_records(cli).auth({"update", "0"}, "\n\n\n\nc1, c2\nr1\n\n\n\nnew comment\ntrue\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, EndsWith("updated entry at index 0\n"));
  CHECK(cli.record(0).dump() ==
        json(R"({"colour": "blue", "domain": "vip", "address": ["10.0.0.1", "10.0.0.2"], "user_id": "alice",
     "identity": "alice.agent", "capabilities": ["c1", "c2"], "roles": ["r1"], "groups": [],
     "credentials": ")" +
             std::string(kAlice) + R"(", "comments": "new comment", "enabled": true,
     "rpc_method_authorizations": {"m": ["c"]}})")
            .dump());
}

TEST_CASE("update: clear clears after a yes, and is a text after a no") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth(
      {"update", "0"}, "clear\ny\nclear\n\n\nclear\ny\nclear\ny\nclear\ny\n\n\n\nclear\nn\nclear\ny\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("domain [vip]: Do you want to clear this field? [Y/n] address"));
  const Json record = cli.record(0);
  CHECK(at(record, "domain").is_null());
  CHECK(at(record, "address").is_null());
  CHECK(at(record, "identity").is_null());
  CHECK(at(record, "capabilities") == json("{}"));
  CHECK(at(record, "roles") == json("[]"));
  CHECK(at(record, "comments") == Json("clear"));
  CHECK(at(record, "enabled") == Json(true));
}

TEST_CASE("update: a bad answer is asked for again") {
  Cli cli;
  const Outcome outcome =
      with_records(cli).auth({"update", "1"}, "/(/\n\n\n\n\n\n\n\nbad\nCURVE\nshort\n\n\nmaybe\nfalse\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("domain []: domain []: ") &&
                              Contains("mechanism [CURVE]: mechanism [CURVE]: ") &&
                              Contains("enabled [True]: enabled [True]: "));
  CHECK_THAT(outcome.err, Contains("mechanism must be either") && Contains("Please enter True or False"));
  CHECK(at(cli.record(1), "enabled") == Json(false));
  CHECK(at(cli.record(1), "credentials") == Json(kAgentB));
}

TEST_CASE("update: when the input ends nothing is written") {
  Cli cli;
  with_records(cli);
  const std::string before = cli.home.read("auth.json");
  for (const char* answers : {"", "other\n", "other\n\n\n\n\n\n\n\n\n\n", "clear\n"}) {
    const Outcome outcome = cli.auth({"update", "0"}, answers);
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("nothing is written"));
    CHECK(cli.home.read("auth.json") == before);
  }
}

TEST_CASE("update: what somebody else changed meanwhile is not lost") {
  Cli cli;
  with_records(cli);
  MeanwhileInput buffer(cli, "other\n\n\n\n\n\n\n\n\n\n\n");
  std::istream in(&buffer);
  std::ostringstream out;
  std::ostringstream err;
  vctl::Env env{in, out, err, [&](const std::string& name) -> std::optional<std::string> {
                  if (name != "VOLTTRON_HOME") return std::nullopt;
                  return cli.home.path().string();
                }};
  const std::vector<std::string> arguments{"auth", "update", "0"};
  CHECK(vctl::run(arguments, env) == 1);
  CHECK_THAT(err.str(), Contains("somebody has changed the records meanwhile"));
  CHECK(at(cli.record(0), "comments") == Json("their own"));
  CHECK(at(cli.record(0), "domain") == Json("vip"));
}

TEST_CASE("update: options change just their fields, and do not ask") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth({"update", "0", "--address", "/10[.].*/", "--user-id", "al",
                                                  "--capabilities", "", "--not-after", "2027-01-01T00:00:00Z",
                                                  "--enabled", "--clear", "domain, comments,rpc-x"});
  CHECK(outcome.exit_code == 64);
  const Outcome done =
      cli.auth({"update", "0", "--address", "/10[.].*/", "--user-id", "al", "--capabilities", "",
                "--not-after", "2027-01-01T00:00:00Z", "--enabled", "--clear", "domain, comments"});
  CHECK(done.exit_code == 0);
  CHECK(done.out == "updated entry at index 0\n");
  CHECK_THAT(done.err, Contains("not_before and not_after"));
  const Json record = cli.record(0);
  CHECK(at(record, "address") == Json("/10[.].*/"));
  CHECK(at(record, "user_id") == Json("al"));
  CHECK(at(record, "capabilities") == json("[]"));
  CHECK(at(record, "not_after") == Json("2027-01-01T00:00:00Z"));
  CHECK(at(record, "enabled") == Json(true));
  CHECK(at(record, "domain").is_null());
  CHECK(at(record, "comments").is_null());
  CHECK(at(record, "identity") == Json("alice.agent"));
  CHECK(at(record, "colour") == Json("blue"));
  CHECK(cli.auth({"update", "0", "--disabled"}).exit_code == 0);
  CHECK(at(cli.record(0), "enabled") == Json(false));
  CHECK(cli.auth({"update", "0", "--clear", "not-after"}).exit_code == 0);
  CHECK(cli.record(0).find("not_after") == nullptr);
}

TEST_CASE("update: an option that cannot be is refused, and named, and nothing is written") {
  Cli cli;
  with_records(cli);
  const std::string before = cli.home.read("auth.json");
  const auto refused = [&](std::vector<std::string> options, const std::string& message, int exit_code = 1) {
    options.insert(options.begin(), "update");
    const Outcome outcome = cli.auth(options);
    CHECK(outcome.exit_code == exit_code);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains(message));
    CHECK(cli.home.read("auth.json") == before);
  };
  refused({"0", "--credentials", "short"}, "--credentials: not a CURVE key");
  refused({"0", "--domain", ""}, "--domain: is empty: --clear domain clears it");
  refused({"0", "--clear", "credentials"}, "--clear credentials: ");
  refused({"0", "--mechanism", "curve"}, "--mechanism: ");
  refused({"0", "--user_id", "bob"}, "user_id bob is already in use at index [1]");
  refused({"1", "--credentials", kAlice, "--domain", "vip", "--address", "['10.0.0.1', '10.0.0.2']"},
          "entry matches domain, address and credentials at index [0]");
  refused({"2", "--comments", "x"}, "auth.json: /allow/2/credentials: ");
  refused({"3", "--comments", "x"}, "auth.json: /allow/3: a record must be an object");
  refused({"3"}, "auth.json: /allow/3: a record must be an object");
  refused({"99"}, "ERROR: invalid index 99\n");
  refused({"-1"}, "ERROR: invalid index -1\n");
  refused({"99", "--comments", "x"}, "ERROR: invalid index 99\n");
  refused({"x"}, "argument index: invalid int value: 'x'", 64);
  refused({}, "index is required", 64);
  refused({"0", "--enabled", "--disabled"}, "exclude each other", 64);
  refused({"0", "--clear", "colour"}, "there is no field \"colour\"", 64);
  refused({"0", "--clear", ""}, "needs the name of a field", 64);
  refused({"0", "--clear", "domain", "--domain", "x"}, "\"domain\" is given a value as well", 64);
  refused({"0", "--clear", "enabled", "--disabled"}, "\"enabled\" is given a value as well", 64);
}

TEST_CASE("update: a record that is not understood is mended") {
  Cli cli;
  CHECK(with_records(cli).auth({"update", "2", "--credentials", kAgentA}).exit_code == 0);
  CHECK(cli.auth({"check", "connect", kAgentA}).exit_code == 0);
  Cli asked;
  const Outcome outcome =
      with_records(asked).auth({"update", "2"}, "\n\n\n\n\n\n\n\n" + std::string(kAgentA) + "\n\n\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("credentials [(neither a key nor a pattern: not shown)]: "));
  CHECK(at(asked.record(2), "credentials") == Json(kAgentA));
}

TEST_CASE("update: warns about what has changed, not about what was there") {
  Cli cli;
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a", "roles": ["none"],
    "credentials": ")" +
                     std::string(kAgentA) + "\"}]}");
  CHECK(cli.auth({"update", "0", "--comments", "x"}).err.empty());
  CHECK_THAT(cli.auth({"update", "0", "--groups", "g"}).err, Contains("group \"g\"") && !Contains("role"));
  CHECK_THAT(cli.auth({"update", "0", "--address", "/10.*"}).err, Contains("'/10.*/'"));
}

TEST_CASE("update: a password is neither shown nor stored as it is") {
  Cli cli;
  cli.auth({"add", "--mechanism", "PLAIN", "--user_id", "p"}, "pa55word\n");
  cli.is_terminal = true;
  const Outcome kept = cli.auth({"update", "0"}, kNoAnswers);
  CHECK(kept.exit_code == 0);
  CHECK_THAT(kept.out, Contains("credentials [(password)]: ") && !Contains("argon2"));
  CHECK(cli.echo == std::vector<bool>{false, true});
  CHECK(cli.auth({"check", "connect", "p", "--mechanism", "PLAIN"}, "pa55word\n").exit_code == 0);

  const Outcome changed = cli.auth({"update", "0"}, "\n\n\n\n\n\n\n\nnew word\n\n\n");
  CHECK(changed.exit_code == 0);
  CHECK_THAT(changed.out + changed.err, !Contains("new word"));
  CHECK_THAT(at(cli.record(0), "credentials").as_string(), StartsWith("$argon2id$"));
  CHECK(cli.auth({"check", "connect", "p", "--mechanism", "PLAIN"}, "new word\n").exit_code == 0);
  CHECK(cli.auth({"check", "connect", "p", "--mechanism", "PLAIN"}, "pa55word\n").exit_code == 2);

  const Outcome option = cli.auth({"update", "0", "--credentials", "third"});
  CHECK(option.exit_code == 0);
  CHECK_THAT(option.err, Contains("list of processes") && !Contains("third"));
  CHECK(cli.auth({"check", "connect", "p", "--mechanism", "PLAIN"}, "third\n").exit_code == 0);
}

TEST_CASE("update: another mechanism asks for other credentials") {
  Cli cli;
  with_records(cli);
  const Outcome asked = cli.auth({"update", "1"}, "\n\n\n\n\n\n\nPLAIN\n\npa55word\n\n\n");
  CHECK(asked.exit_code == 0);
  CHECK_THAT(asked.out, Contains("credentials []: credentials []: "));
  CHECK_THAT(at(cli.record(1), "credentials").as_string(), StartsWith("$argon2id$"));
  CHECK(cli.auth({"update", "1", "--mechanism", "CURVE"}).exit_code == 1);
  CHECK(cli.auth({"update", "1", "--mechanism", "CURVE", "--credentials", kAgentB}).exit_code == 0);
  const Outcome password = cli.auth({"update", "1", "--mechanism", "PLAIN"}, "pa55word\n");
  CHECK(password.exit_code == 0);
  CHECK(password.out == "credentials []: updated entry at index 1\n");
  CHECK(cli.auth({"update", "1", "--mechanism", "NULL", "--address", "10.0.0.1"}).exit_code == 0);
  CHECK(at(cli.record(1), "credentials").is_null());
}

TEST_CASE("update: --json prints the record, and asks on the standard error") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth({"update", "0", "--json"}, kNoAnswers);
  CHECK(outcome.exit_code == 0);
  CHECK(at(json(outcome.out), "index") == Json(0));
  CHECK(at(at(json(outcome.out), "record"), "user_id") == Json("alice"));
  CHECK_THAT(outcome.err, StartsWith(kHead));
  CHECK(at(at(json(cli.auth({"update", "9", "--json"}).out), "error"), "message") == Json("invalid index 9"));
}

TEST_CASE("update: what a terminal would obey is not shown as it is") {
  Cli cli;
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "a\u001b[2J",
    "comments": "\u001b]0;x\u0007", "roles": ["a,b", "\u001b"], "credentials": "x\u001b"}]})");
  const Outcome outcome = cli.auth({"update", "0"}, kNoAnswers);
  CHECK(outcome.exit_code == 1);
  CHECK_THAT(outcome.out + outcome.err,
             !Contains("\x1b") && Contains("roles (delimit multiple entries with comma) "
                                           "[['a,b', '\\x1b']]: "));
}

}  // namespace vipauth::test
