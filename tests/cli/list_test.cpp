#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

TEST_CASE("list: no records, whether there is a file or not") {
  Cli cli;
  const std::string none = "No entries in " + (cli.home / "auth.json").string() + "\n";
  CHECK(cli.auth({"list"}).out == none);
  CHECK_FALSE(cli.home.has("auth.json"));
  cli.home.write("auth.json", "{}");
  CHECK(cli.auth({"list"}).out == none);
  CHECK(cli.auth({"list"}).exit_code == 0);
}

TEST_CASE("list: the shape of the documentation") {
  Cli cli;
  cli.home.write("auth.json", R"({"allow": [
    {"credentials": "k1C9-FPRAVjL-cH1iQqAJaCHUNVXaAlkVc7EqK0u9mI", "user_id": "platform", "capabilities": {},
     "comments": "Automatically added by platform on start"},
    {"address": null, "mechanism": "CURVE", "credentials": "5UD_GTk5dM2g4pk8d1-wM-BYgt4RAKiHf4SnT_YU6jY",
     "groups": ["g"], "roles": ["r"], "capabilities": {"edit_config_store": {"identity": "/.*/"}}, "extra": 1.50,
     "rpc_method_authorizations": {}, "comments": null, "user_id": "h\u2713", "identity": "x", "enabled": false,
     "domain": "vip"}], "version": {"major": 1, "minor": 4}})");
  const Outcome outcome = cli.auth({"list"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out == R"(
INDEX: 0
{
  "domain": null,
  "user_id": "platform",
  "roles": [],
  "enabled": true,
  "mechanism": "CURVE",
  "capabilities": [],
  "groups": [],
  "address": null,
  "credentials": "k1C9-FPRAVjL-cH1iQqAJaCHUNVXaAlkVc7EqK0u9mI",
  "comments": "Automatically added by platform on start"
}

INDEX: 1
{
  "domain": "vip",
  "user_id": "h\u2713",
  "roles": [
    "r"
  ],
  "enabled": false,
  "mechanism": "CURVE",
  "capabilities": {
    "edit_config_store": {
      "identity": "/.*/"
    }
  },
  "groups": [
    "g"
  ],
  "address": null,
  "credentials": "5UD_GTk5dM2g4pk8d1-wM-BYgt4RAKiHf4SnT_YU6jY",
  "comments": null,
  "identity": "x",
  "rpc_method_authorizations": {},
  "extra": 1.50
}
)");
}

TEST_CASE("list: a record without user_id shows the one that it is known by") {
  Cli cli;
  cli.home.write(
      "auth.json",
      R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": "/a/", "user_id": null}]})");
  const Json records = at(json(cli.auth({"list", "--json"}).out), "records");
  CHECK(at(at(records.as_array().at(0), "record"), "user_id").as_string().size() == 36);
}

TEST_CASE("list: records that are not understood are listed too, with the reason") {
  Cli cli;
  cli.home.write(
      "auth.json",
      R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": "/a/"}, {"credentials": "short", "enabled": 1}, 5]})");
  const Outcome outcome = cli.auth({"list"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("INDEX: 1\n{\n  \"enabled\": 1,\n  \"credentials\": \"(neither a key nor "
                                   "a pattern: not shown)\"\n}") &&
                              Contains("INDEX: 2\n5\n"));
  CHECK_THAT(outcome.err, Contains("auth.json: /allow/1/enabled: ") && Contains("auth.json: /allow/2: ") &&
                              !Contains("/allow/0"));
  const Json records = at(json(cli.auth({"list", "--json"}).out), "records");
  CHECK(records.as_array().at(0).find("problem") == nullptr);
  CHECK(records.as_array().at(1).find("problem") != nullptr);
}

TEST_CASE("list: a password is never shown, hashed or not, understood or not") {
  Cli cli;
  cli.home.write("auth.json", R"({"version": {"major": 1, "minor": 4}, "allow": [
    {"mechanism": "PLAIN", "user_id": "a", "credentials": "pa55word"},
    {"mechanism": "PLAIN", "user_id": "b", "credentials": "$argon2id$v=19$m=1,t=1,p=1$pa55word$pa55word"},
    {"mechanism": "plain", "user_id": "c", "credentials": "pa55word"},
    {"mechanism": 7, "user_id": "d", "credentials": ["pa55word"]},
    {"mechanism": "CURVE", "user_id": "e", "credentials": "$argon2id$pa55word"},
    {"credentials": "pa55word", "user_id": "g"}, {"mechanism": "NULL", "user_id": "f"}]})");
  for (const char* option : {"--debug", "--json"}) {
    const Outcome outcome = cli.auth({"list", option});
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.out, Contains("\"(password)\"") && !Contains("pa55word") && !Contains("argon2"));
    CHECK_THAT(outcome.err, !Contains("pa55word"));
  }
}

TEST_CASE("list: text of the file cannot command a terminal") {
  Cli cli;
  cli.home.write("auth.json",
                 "{\"allow\": [{\"credentials\": \"/a/\", \"user_id\": \"x\", \"comments\": "
                 "\"\\u001b[31m\\u202e\\u007f\", "
                 "\"\\u001b]0;\\u0007\": \"\\u009b\"}]}");
  const Outcome outcome = cli.auth({"list"});
  CHECK(outcome.exit_code == 0);
  for (const char c : outcome.out) CHECK((c == '\n' || (c >= ' ' && c < '\x7f')));
}

TEST_CASE("list: a file that cannot be read is an error with the place") {
  Cli cli;
  cli.home.write("auth.json", "{\n  \"allow\": [,]\n}");
  const Outcome outcome = cli.auth({"list"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("auth.json:2:13"));
}

}  // namespace vipauth::test
