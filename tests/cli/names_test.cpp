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

TEST_CASE("update-role: capabilities are added once, and taken away by --remove") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1", "c2"});
  const Outcome added = cli.auth({"update-role", "r1", "c9", "c2"});
  CHECK(added.exit_code == 0);
  CHECK(added.out == "updated role \"r1\"\n");
  CHECK(added.err.empty());
  CHECK(at(at(cli.file(), "roles"), "r1") == json(R"(["c1","c2","c9"])"));
  CHECK(cli.auth({"update-role", "r1", "c1", "--remove"}).err.empty());
  CHECK(cli.auth({"update-role", "--remove", "r1", "c2"}).exit_code == 0);
  CHECK(at(at(cli.file(), "roles"), "r1") == json(R"(["c9"])"));
}

TEST_CASE("update-role: what a role does not have cannot be taken away, and it says so") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1"});
  const std::string before = cli.home.read("auth.json");
  const Outcome outcome = cli.auth({"update-role", "r1", "nope", "--remove"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err == "warning: role \"r1\" has no capability \"nope\"\n");
  CHECK(cli.auth({"update-role", "r1"}).out == "updated role \"r1\"\n");
  CHECK(cli.home.read("auth.json") == before);
}

TEST_CASE("update-role: capabilities with restrictions are added as JSON, and removed by name") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1"});
  const Outcome added = cli.auth({"update-role", "r1", "{'c2': {'x': '/.*'}}"});
  CHECK(added.exit_code == 0);
  CHECK_THAT(added.err, Contains("'/.*/'"));
  CHECK(at(at(cli.file(), "roles"), "r1") == json(R"(["c1",{"c2":{"x":"/.*"}}])"));
  const std::string before = cli.home.read("auth.json");
  const Outcome refused = cli.auth({"update-role", "r1", "{'c2': {'x': '/.*'}}", "--remove"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("CAPABILITY: give the name"));
  CHECK(cli.home.read("auth.json") == before);
  CHECK(cli.auth({"update-role", "r1", "c2", "--remove"}).exit_code == 0);
  CHECK(at(at(cli.file(), "roles"), "r1") == json(R"(["c1"])"));
}

TEST_CASE("update-role and update-group: the names of the documentation work too") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1"});
  cli.auth({"add-group", "g1", "r1"});
  CHECK(cli.auth({"updated-role", "r1", "c2"}).out == "updated role \"r1\"\n");
  CHECK(cli.auth({"updated-group", "g1", "r1", "--remove"}).out == "updated group \"g1\"\n");
  CHECK(at(at(cli.file(), "groups"), "g1") == json("[]"));
}

TEST_CASE("roles and groups: what is not there is refused, and what is not understood is left alone") {
  Cli cli;
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "roles": {"bad": 5}, "groups": {"bad": 5}})");
  const std::string before = cli.home.read("auth.json");
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains(message));
    CHECK(cli.home.read("auth.json") == before);
  };
  refused({"update-role", "x", "c"}, "role \"x\" does not exist\n");
  refused({"update-role", "x", "c", "--remove"}, "role \"x\" does not exist\n");
  refused({"remove-role", "x"}, "role \"x\" does not exist\n");
  refused({"update-group", "x", "r"}, "group \"x\" does not exist\n");
  refused({"update-group", "x", "r", "--remove"}, "group \"x\" does not exist\n");
  refused({"remove-group", "x"}, "group \"x\" does not exist\n");
  refused({"add-group", "bad", "r"}, "group \"bad\" already exists\n");
  refused({"update-role", "bad", "c"}, "auth.json: /roles/bad: ");
  refused({"update-role", "bad", "c", "--remove"}, "auth.json: /roles/bad: ");
  refused({"update-group", "bad", "r"}, "auth.json: /groups/bad: ");
  refused({"update-group", "bad", "r", "--remove"}, "auth.json: /groups/bad: ");
  refused({"add-group", "g", ""}, "a role must have a name");
}

TEST_CASE("roles and groups: without a name it is wrong usage") {
  Cli cli;
  for (const char* verb :
       {"add-role", "update-role", "remove-role", "add-group", "update-group", "remove-group"}) {
    CHECK(cli.auth({verb}).exit_code == 64);
  }
  CHECK(cli.auth({"add-group", " "}).exit_code == 64);
}

TEST_CASE("remove-role: says who still names it") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1"});
  cli.auth({"add-role", "r2", "c1"});
  cli.auth({"add-group", "g1", "r1"});
  cli.auth({"add", "--user_id", "bob", "--credentials", kAgentA, "--roles", "r1", "--groups", "g1"});
  const Outcome unused = cli.auth({"remove-role", "r2"});
  CHECK(unused.out == "removed role \"r2\"\n");
  CHECK(unused.err.empty());
  const Outcome used = cli.auth({"remove-role", "r1"});
  CHECK(used.exit_code == 0);
  CHECK(
      used.err ==
      "warning: role \"r1\" is still named by users ['bob'] and groups ['g1']: it grants nothing any more\n");
  CHECK_THAT(cli.auth({"remove-group", "g1"}).err, Contains("group \"g1\" is still named by users ['bob']"));
  CHECK(at(cli.record(0), "roles") == json(R"(["r1"])"));
}

TEST_CASE("add-group: roles that do not exist warn") {
  Cli cli;
  cli.auth({"add-role", "r1", "c1"});
  const Outcome outcome = cli.auth({"add-group", "g1", "r1", "r2", "r2"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "added group \"g1\"\n");
  CHECK(outcome.err == "warning: role \"r2\" does not exist: it grants nothing yet\n");
  CHECK_THAT(cli.auth({"update-group", "g1", "r3"}).err, Contains("role \"r3\" does not exist"));
  CHECK(at(at(cli.file(), "groups"), "g1") == json(R"(["r1","r2","r3"])"));
}

TEST_CASE("list-groups: a table, and what is not understood") {
  Cli cli;
  CHECK(cli.auth({"list-groups"}).out == "GROUPS ROLES\n------ -----\n");
  cli.home.write("auth.json", R"({"groups": {"zed": ["r1", "r2"], "bad": 5, "none": null}})");
  const Outcome outcome = cli.auth({"list-groups"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "GROUPS ROLES\n------ -----\nbad    5\nnone   []\nzed    ['r1', 'r2']\n");
  CHECK_THAT(outcome.err, Contains("/groups/bad") && Contains("the group is not understood"));
}

TEST_CASE("roles and groups: --json") {
  Cli cli;
  const auto printed = [&](std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    return json(cli.auth(arguments).out).dump();
  };
  CHECK(printed({"add-role", "r", "a"}) == R"({"role":"r","capabilities":["a"]})");
  CHECK(printed({"update-role", "r", "b"}) == R"({"role":"r","capabilities":["a","b"]})");
  CHECK(printed({"add-group", "g", "r"}) == R"({"group":"g","roles":["r"]})");
  CHECK(printed({"update-group", "g", "r", "--remove"}) == R"({"group":"g","roles":[]})");
  CHECK(printed({"list-groups"}) == R"({"groups":{"g":[]}})");
  CHECK(printed({"remove-group", "g"}) == R"({"removed":{"group":"g","roles":[]}})");
  CHECK(printed({"remove-role", "r"}) == R"({"removed":{"role":"r","capabilities":["a","b"]}})");
  CHECK(at(json(cli.auth({"remove-role", "r", "--json"}).out), "error").is_object());
}

}  // namespace vipauth::test
