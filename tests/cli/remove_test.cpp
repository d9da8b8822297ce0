#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

/// A home with the users a, b and c.
Cli& with_records(Cli& cli) {
  cli.home.write("auth.json",
                 R"({"version": {"major": 1, "minor": 4}, "allow": [{"credentials": "/a/", "user_id": "a"},
    {"credentials": "/b/", "user_id": "b"}, {"credentials": "bad", "user_id": "c"}]})");
  return cli;
}

std::string users(const Cli& cli) {
  const Json file = cli.file();
  std::string out;
  for (const Json& record : at(file, "allow").as_array()) out += at(record, "user_id").as_string();
  return out;
}

constexpr const char* kQuestion = "Do you wish to delete? [y/N] ";

}  // namespace

TEST_CASE("remove: shows the record, asks, and removes it after a yes") {
  for (const char* yes : {"y\n", "YES\n", " yes \n", "y"}) {
    Cli cli;
    const Outcome outcome = with_records(cli).auth({"remove", "1"}, yes);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.out, StartsWith("This action will delete the following:\n\nINDEX: 1\n{\n") &&
                                Contains("\"user_id\": \"b\"") &&
                                EndsWith("}\n" + std::string(kQuestion) + "removed entry at index [1]\n"));
    CHECK(users(cli) == "ac");
  }
}

TEST_CASE("remove: anything but a yes removes nothing") {
  for (const char* no : {"n\n", "N\n", "\n", "", "maybe\nno\n", "maybe\n"}) {
    Cli cli;
    const Outcome outcome = with_records(cli).auth({"remove", "1"}, no);
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("nothing is removed"));
    CHECK(users(cli) == "abc");
  }
}

TEST_CASE("remove: several at once, bad records too, and one given twice counts once") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth({"remove", "2", "0", "2"}, "y\n");
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, EndsWith("removed entries at indices [2, 0]\n"));
  CHECK(users(cli) == "b");
}

TEST_CASE("remove: --yes does not ask") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth({"remove", "0", "--yes"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, !Contains(kQuestion) && EndsWith("removed entry at index [0]\n"));
  CHECK(users(cli) == "bc");
}

TEST_CASE("remove: an index that is not there removes nothing") {
  for (const char* index : {"3", "99", "-1", "99999999999999999999999"}) {
    Cli cli;
    const Outcome outcome = with_records(cli).auth({"remove", "0", index, "--yes"});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK(outcome.err == "ERROR: invalid index " + std::string(index) + "\n");
    CHECK(users(cli) == "abc");
  }
  Cli empty;
  CHECK(empty.auth({"remove", "0"}).err == "ERROR: invalid index 0\n");
}

TEST_CASE("remove: an index that is no number is wrong usage") {
  Cli cli;
  for (const char* index : {"x", "1x", "1.0", "0x1", "+1", " 1"}) {
    const Outcome outcome = with_records(cli).auth({"remove", index, "--yes"});
    CHECK(outcome.exit_code == 64);
    CHECK_THAT(outcome.err, Contains("invalid int value: '" + std::string(index) + "'"));
  }
  CHECK(users(cli) == "abc");
}

TEST_CASE("remove: --json prints what was removed") {
  Cli cli;
  const Outcome outcome = with_records(cli).auth({"remove", "1", "--json"}, "y\n");
  CHECK(outcome.exit_code == 0);
  const Json removed = at(json(outcome.out), "removed").as_array().at(0);
  CHECK(at(removed, "index") == Json(1));
  CHECK(at(at(removed, "record"), "user_id") == Json("b"));
  CHECK_THAT(outcome.err, Contains(kQuestion));
}

TEST_CASE("remove: a password is not shown") {
  Cli cli;
  cli.home.write(
      "auth.json",
      R"({"version": {"major": 1, "minor": 4}, "allow": [{"mechanism": "PLAIN", "user_id": "p", "credentials": "pa55word"}]})");
  const Outcome outcome = cli.auth({"remove", "0", "--yes"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, !Contains("pa55word"));
}

}  // namespace vipauth::test
