#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::EndsWith;

namespace {

std::string allow(const std::string& members) {
  return R"({"version": {"major": 1, "minor": 4}, "allow": [{"user_id": "u", "credentials": ")" +
         std::string(kAlice) + "\"" + members + "}]}";
}

}  // namespace

TEST_CASE("lint: nothing to find") {
  Cli cli;
  CHECK(cli.auth({"lint"}).out == "nothing found\n");
  cli.home.write("auth.json", allow(""));
  const Outcome outcome = cli.auth({"lint", "--strict"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "nothing found\n");
}

TEST_CASE("lint: errors fail, warnings only when they are to") {
  Cli cli;
  cli.home.write("auth.json", allow(R"(, "roles": ["none"])"));
  const Outcome warning = cli.auth({"lint"});
  CHECK(warning.exit_code == 0);
  CHECK(warning.out ==
        "warning: auth.json: /allow/0/roles/0: there is no role \"none\": it grants nothing [unknown-role]\n"
        "  add the role, or take the name out: vctl auth add-role none CAPABILITY\n"
        "0 errors, 1 warning\n");
  CHECK(cli.auth({"lint", "--strict"}).exit_code == 1);
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": "short"}]})");
  const Outcome error = cli.auth({"lint"});
  CHECK(error.exit_code == 1);
  CHECK_THAT(error.out, Contains("error: auth.json: /allow/0/credentials: ") && Contains("[bad-key]\n") &&
                            EndsWith("1 error, 0 warnings\n"));
}

TEST_CASE("lint: looks at the topic rules, too") {
  Cli cli;
  cli.home.write("protected_topics.json", R"({"write-protect": [{"topic": "foo", "capabilities": []}]})");
  CHECK_THAT(cli.auth({"lint"}).out, Contains("protected_topics.json: /write-protect/0/capabilities: ") &&
                                         Contains("[no-requirement]"));
  cli.home.write("protected_topics.json", "");
  CHECK(cli.auth({"lint"}).exit_code == 1);
}

TEST_CASE("lint: prints names so that neither terminal nor shell obeys them") {
  Cli cli;
  cli.home.write(
      "auth.json",
      R"({"version": {"major": 1, "minor": 4}, "roles": {"$(reboot)\u001b[31m'": [], "--remove": []}})");
  const Outcome outcome = cli.auth({"lint"});
  CHECK_THAT(outcome.out, !Contains("\x1b") && Contains(R"($'$(reboot)\x1b'$'[31m\'')") &&
                              Contains("vctl auth remove-role -- --remove\n"));
}

TEST_CASE("lint: --json prints the findings") {
  Cli cli;
  cli.home.write("auth.json", allow(R"(, "not_after": "2020-01-01T00:00:00Z")"));
  const Json document = json(cli.auth({"lint", "--json"}).out);
  const Json& finding = at(document, "findings").as_array().at(0);
  CHECK(at(finding, "severity") == Json("warning"));
  CHECK(at(finding, "check") == Json("expired-record"));
  CHECK(at(finding, "file") == Json("auth.json"));
  CHECK(at(finding, "place") == Json("/allow/0/not_after"));
  CHECK(at(finding, "command") == Json("vctl auth remove 0"));
  cli.home.write("auth.json", "{}");
  CHECK(json(cli.auth({"lint", "--json"}).out) == Json(Json::Object{{"findings", Json::Array()}}));
}

}  // namespace vipauth::test
