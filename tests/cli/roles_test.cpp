#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

TEST_CASE("list-roles: the table of the documentation") {
  Cli cli;
  CHECK(cli.auth({"add-role", "TEMP_READER", "READ_BUILDING_A_TEMP", "READ_BUILDLING_B_TEMP"}).out ==
        "added role \"TEMP_READER\"\n");
  CHECK(cli.auth({"add-role", "BUILDING_A_ADMIN", "READ_BUILDING_A_TEMP", "SET_BUILDING_A_TEMP"}).exit_code ==
        0);
  const Outcome outcome = cli.auth({"list-roles"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "ROLE             CAPABILITIES\n"
        "----             ------------\n"
        "BUILDING_A_ADMIN ['READ_BUILDING_A_TEMP', 'SET_BUILDING_A_TEMP']\n"
        "TEMP_READER      ['READ_BUILDING_A_TEMP', 'READ_BUILDLING_B_TEMP']\n");
  CHECK(cli.auth({"list-roles", "--json"}).out ==
        json(R"({"roles": {"BUILDING_A_ADMIN": ["READ_BUILDING_A_TEMP", "SET_BUILDING_A_TEMP"],
                           "TEMP_READER": ["READ_BUILDING_A_TEMP", "READ_BUILDLING_B_TEMP"]}})")
                .dump_pretty() +
            "\n");
}

TEST_CASE("list-roles: none") {
  Cli cli;
  CHECK(cli.auth({"list-roles"}).out == "ROLE CAPABILITIES\n---- ------------\n");
}

TEST_CASE("list-roles: every form that the file may hold") {
  Cli cli;
  cli.home.write("auth.json", R"({"roles": {"text": "one", "map": {"a": {"x": 1}, "b": null}, "none": null,
                                            "mixed": ["n", {"a": {"x": "/.*/"}}], "bad": 5, "e\u001b[1m": []}})");
  const Outcome outcome = cli.auth({"list-roles"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out,
             Contains("text     ['one']\n") && Contains("map      {'a': {'x': 1}, 'b': None}\n") &&
                 Contains("none     []\n") && Contains("mixed    ['n', {'a': {'x': '/.*/'}}]\n") &&
                 Contains("bad      5\n") && Contains("e\\x1b[1m []\n"));
  CHECK_THAT(outcome.err, Contains("/roles/bad"));
}

TEST_CASE("add-role: a name that is taken is refused") {
  Cli cli;
  REQUIRE(cli.auth({"add-role", "r1", "c1", "c2"}).exit_code == 0);
  const Outcome outcome = cli.auth({"add-role", "r1", "c3"});
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("role \"r1\" already exists\n"));
  CHECK(at(at(cli.file(), "roles"), "r1") == json(R"(["c1","c2"])"));
}

TEST_CASE("add-role: each argument is one capability, JSON has restrictions") {
  Cli cli;
  CHECK(cli.auth({"add-role", "long name 漢", "a,b", "é"}).out == "added role \"long name 漢\"\n");
  CHECK(cli.auth({"add-role", "empty"}).exit_code == 0);
  CHECK(cli.auth({"add-role", "twice", "x", "x", "y"}).exit_code == 0);
  CHECK(cli.auth({"add-role", "json", "{'edit_config_store': {'identity': '{identity}'}}"}).exit_code == 0);
  const Json roles = at(cli.file(), "roles");
  CHECK(at(roles, "long name 漢") == json(R"(["a,b","é"])"));
  CHECK(at(roles, "empty") == json("[]"));
  CHECK(at(roles, "twice") == json(R"(["x","y"])"));
  CHECK(at(roles, "json") == json(R"({"edit_config_store": {"identity": "{identity}"}})"));
}

TEST_CASE("add-role: JSON that no capability is, is refused") {
  Cli cli;
  CHECK(cli.auth({"add-role", "r", "{'a': 1}"}).exit_code == 1);
  CHECK(cli.auth({"add-role", "r", "{'a'"}).exit_code == 1);
  CHECK_THAT(cli.auth({"add-role", "r", "{'a'"}).err, Contains("CAPABILITY:1:"));
  CHECK_FALSE(cli.home.has("auth.json"));
}

TEST_CASE("add-role: half a regular expression warns") {
  Cli cli;
  const Outcome outcome = cli.auth({"add-role", "r", "{'a': {'x': '/.*'}}"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("'/.*/'"));
}

}  // namespace vipauth::test
