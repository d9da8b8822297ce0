#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

TEST_CASE("command line: help is a result, of each command") {
  Cli cli;
  for (const std::vector<std::string>& command : {std::vector<std::string>{},
                                                  {"auth"},
                                                  {"auth", "add"},
                                                  {"auth", "remote"},
                                                  {"auth", "remote", "list"},
                                                  {"auth", "check"},
                                                  {"auth", "check", "call"}}) {
    for (const char* option : {"-h", "--help"}) {
      auto arguments = command;
      arguments.emplace_back(option);
      const Outcome outcome = cli.run(arguments);
      CHECK(outcome.exit_code == 0);
      CHECK_THAT(outcome.out, Contains("--vip-address"));
      CHECK(outcome.err.empty());
    }
  }
  CHECK_THAT(cli.run({"auth", "-h"}).out, Contains("add new authentication record"));
  CHECK_THAT(cli.run({"auth", "add", "-h"}).out, Contains("--capabilities") && Contains("--json"));
}

TEST_CASE("command line: the version is a result") {
  Cli cli;
  CHECK_THAT(cli.run({"--version"}).out, StartsWith("vctl "));
  CHECK(cli.run({"--version"}).exit_code == 0);
  CHECK_THAT(cli.run({"auth", "list", "--version"}).out, StartsWith("vctl "));
}

TEST_CASE("command line: no verb is wrong usage, with the help on the standard error") {
  Cli cli;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"auth"}, {"auth", "remote"}, {"auth", "check"}}) {
    const Outcome outcome = cli.run(arguments);
    CHECK(outcome.exit_code == 64);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("--help"));
  }
}

TEST_CASE("command line: what is not known is wrong usage, and named") {
  Cli cli;
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& message) {
    const Outcome outcome = cli.run(arguments);
    CHECK(outcome.exit_code == 64);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, StartsWith("error: ") && Contains(message));
    CHECK_FALSE(cli.home.has("auth.json"));
  };
  refused({"nonsense"}, "no command \"nonsense\"");
  refused({"auth", "nonsense"}, "no command \"nonsense\"");
  refused({"auth", "remote", "nonsense"}, "no command \"nonsense\"");
  refused({"auth", "list", "extra"}, "unexpected argument \"extra\"");
  refused({"auth", "list", "--nonsense"}, "unexpected argument \"--nonsense\"");
  refused({"auth", "remove"}, "indices");
  refused({"auth", "add-role"}, "ROLE");
  refused({"auth", "remote", "approve"}, "USER_ID");
  refused({"auth", "check", "call", "user"}, "IDENTITY.METHOD");
  refused({"auth", "add", "--user_id"}, "--user_id");
  refused({"auth", "add", "--user_id", "a", "--user_id", "b"}, "--user_id");
  refused({"auth", "list", "\xff"}, "not UTF-8");
  refused({"auth", "check", "--batch", "-", "connect", kAgentA}, "--batch");
}

TEST_CASE("command line: global options stand before and after auth and after the verb") {
  Cli cli;
  TempHome other;
  const std::string dir = other.path().string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--home", dir, "auth", "list"},
        {"auth", "--home", dir, "list"},
        {"auth", "list", "--home", dir},
        {"auth", "list", "--home=" + dir},
        {"-t", "5", "--debug", "auth", "-c", "file", "--msgdebug", "x", "list", "--home", dir, "-t", "2.5"},
        {"auth", "remote", "--home", dir, "list"}}) {
    const Outcome outcome = cli.run(arguments);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.empty());
    if (arguments.back() != "list" || arguments[1] != "remote") {
      CHECK_THAT(outcome.out, Contains("No entries in " + dir) || Contains("No remote"));
    }
  }
}

TEST_CASE("command line: the last home given counts") {
  Cli cli;
  TempHome other;
  const Outcome outcome = cli.run({"auth", "list", "--home", "/nowhere", "--home", other.path().string()});
  CHECK_THAT(outcome.out, Contains(other.path().string()));
}

TEST_CASE("command line: a timeout that is no time is wrong usage") {
  Cli cli;
  for (const char* seconds : {"-1", "x", "", "nan", "inf", "1e300", "5s"}) {
    CHECK(cli.run({"auth", "list", "-t", seconds}).exit_code == 64);
  }
  CHECK(cli.run({"auth", "list", "-t", "0"}).exit_code == 0);
}

TEST_CASE("command line: --vip-address takes an address, and does not fall back on files") {
  Cli cli;
  CHECK(cli.run({"auth", "--vip-address", "nonsense://", "list"}).exit_code == 64);
  CHECK(cli.run({"auth", "--vip-address", "", "list"}).exit_code == 64);
  const Outcome unknown = cli.run({"auth", "--vip-address", "tcp://127.0.0.1:1", "add-role", "R", "x"});
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, Contains("--vip-address"));
  CHECK_FALSE(cli.home.has("auth.json"));
}

TEST_CASE("command line: an empty value is never the next argument") {
  Cli cli;
  for (const std::string option : {"--domain", "--address", "--user_id", "--identity", "--mechanism"}) {
    const Outcome outcome = cli.auth({"add", option, "", "--credentials", kAgentA});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains(option + ": is empty"));
    CHECK_THAT(cli.auth({"add", option + "=", "--credentials", kAgentA}).err,
               Contains(option + ": is empty"));
  }
  CHECK_FALSE(cli.home.has("auth.json"));
  CHECK(cli.run({"auth", "list", "--home", ""}).exit_code == 64);

  const Outcome honoured =
      cli.auth({"add", "--credentials", kAgentA, "--roles", "", "--comments", "", "--groups="});
  CHECK(honoured.exit_code == 0);
  CHECK(at(cli.record(0), "roles") == Json(Json::Array()));
  CHECK(at(cli.record(0), "comments").is_null());
}

TEST_CASE("command line: an empty positional argument is not skipped") {
  Cli cli;
  CHECK(cli.auth({"add-role", "", "CAP"}).exit_code == 64);
  CHECK_THAT(cli.auth({"add-role", "r", "", "CAP"}).err, Contains("must have a name"));
  CHECK(cli.auth({"remove", ""}).exit_code == 64);
}

TEST_CASE("command line: credentials may begin with a hyphen") {
  Cli cli;
  const std::string key = "-" + std::string(kAgentA).substr(1);
  const std::string key_of_two = "--" + std::string(kAgentB).substr(2);
  CHECK(cli.auth({"add", "--credentials", key, "--user_id", "a"}).exit_code == 0);
  CHECK(cli.auth({"add", "--credential=" + key_of_two, "--user-id", "b"}).exit_code == 0);
  CHECK(at(cli.record(0), "credentials") == Json(key));
  CHECK(at(cli.record(1), "credentials") == Json(key_of_two));
  CHECK(cli.auth({"check", "connect", key}).exit_code == 0);
  CHECK(cli.auth({"check", "connect", "--", key_of_two}).exit_code == 0);
}

TEST_CASE("command line: an argument of a verb is never another command") {
  Cli cli;
  CHECK(cli.auth({"add-role", "list", "remove", "add", "remote", "auth", "++"}).exit_code == 0);
  CHECK(*cli.file().find("roles")->find("list") == json(R"(["remove","add","remote","auth","++"])"));
  CHECK(cli.auth({"add-role", "bracket", R"(["a","b"])"}).exit_code == 0);
  CHECK(*cli.file().find("roles")->find("bracket") == json(R"(["a","b"])"));
}

TEST_CASE("command line: the home is --home, else VOLTTRON_HOME, else ~/.volttron") {
  Cli cli;
  TempHome user;
  user.make_folder(".volttron");
  cli.environment = {{"HOME", user.path().string()}};
  CHECK_THAT(cli.auth({"list"}).out, Contains((user / ".volttron").string()));
  cli.environment["VOLTTRON_HOME"] = "";
  CHECK_THAT(cli.auth({"list"}).out, Contains((user / ".volttron").string()));
  cli.environment["VOLTTRON_HOME"] = "~";
  CHECK_THAT(cli.auth({"list"}).out, Contains(user.path().string() + "/auth.json"));
  CHECK_THAT(cli.auth({"list", "--home=~/.volttron"}).out, Contains((user / ".volttron").string()));

  cli.environment = {};
  CHECK(cli.auth({"list"}).exit_code == 1);
  CHECK_THAT(cli.auth({"list"}).err, Contains("--home"));
}

TEST_CASE("command line: a home that is not there says what to do") {
  Cli cli;
  cli.environment["VOLTTRON_HOME"] = (cli.home / "none").string();
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"list"},
                                                    {"add", "--credentials", kAgentA},
                                                    {"remove", "0"},
                                                    {"add-role", "r"},
                                                    {"list-roles"},
                                                    {"serverkey"},
                                                    {"remote", "list"},
                                                    {"check", "connect", kAgentA}}) {
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("mkdir") && Contains("none"));
  }
  CHECK(cli.auth({"keypair"}).exit_code == 0);  // needs none
}

TEST_CASE("command line: --debug shows code and place of an error") {
  Cli cli;
  cli.home.write("auth.json", "{ nonsense");
  CHECK_THAT(cli.auth({"list"}).err, !Contains("code:"));
  CHECK_THAT(cli.auth({"list", "--debug"}).err, Contains("code: parse_error") && Contains("location: "));
}

TEST_CASE("command line: with --json an error is a document, too") {
  Cli cli;
  const Outcome outcome = cli.auth({"--json", "remove", "9", "--yes"});
  CHECK(outcome.exit_code == 1);
  CHECK(at(at(json(outcome.out), "error"), "message") == Json("invalid index 9"));
  CHECK_THAT(outcome.err, Contains("ERROR: invalid index 9"));
}

TEST_CASE("command line: output that cannot be written is a failure") {
  Cli cli;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  vctl::Env env{in, out, err, [](const std::string&) { return std::optional<std::string>(); }};
  CHECK(vctl::run(std::vector<std::string>{"auth", "keypair"}, env) == 1);
  CHECK_THAT(err.str(), Contains("could not be written"));
}

}  // namespace vipauth::test
