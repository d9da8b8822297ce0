#include <functional>
#include <set>

#include <vipauth/certificate_authority.hpp>

#include "cli.hpp"
#include "commands/commands.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

namespace {

struct Run {
  std::string command;                 ///< the words of the verb
  std::vector<std::string> arguments;  ///< of a call that does what it is to do
  std::string input = {};
};

/// Each verb once, in an order in which each finds what it needs.
std::vector<Run> runs(const Cli& cli) {
  const std::string before = (cli.home / "before.json").string();
  const std::string expected = (cli.home / "expected").string();
  return {
      {"keypair", {}},
      {"serverkey", {}},
      {"add", {"--credentials", kAgentA, "--user_id", "a", "--identity", "a"}},
      {"list", {}},
      {"update", {"0", "--comments", "x"}},
      {"add-role", {"r", "c"}},
      {"update-role", {"r", "d"}},
      {"list-roles", {}},
      {"add-group", {"g", "r"}},
      {"update-group", {"g", "other"}},
      {"list-groups", {}},
      {"rpc add", {"a.m", "c"}},
      {"rpc remove", {"a.m", "c"}},
      {"create", {"b"}},
      {"publickey", {}},
      {"rotate", {"b"}},
      {"add-known-host", {"--host", "tcp://127.0.0.1:1", "--serverkey", kAgentB}},
      {"list-known-hosts", {}},
      {"remove-known-host", {"127.0.0.1:1"}},
      {"topics add", {"foo", "c"}},
      {"topics list", {}},
      {"check connect", {kAgentA}},
      {"check call", {"a", "a.m"}},
      {"check publish", {"a", "foo"}},
      {"check receive", {"a", "foo"}},
      {"who-can call", {"a.m"}},
      {"who-can publish", {"foo"}},
      {"who-can receive", {"foo"}},
      {"what-can", {"a"}},
      {"lint", {}},
      {"graph", {}},
      {"diff", {before}},
      {"test", {expected}},
      {"topics remove", {"foo"}},
      {"remote list", {}},
      {"remote approve", {"stranger"}},
      {"remote deny", {"stranger"}},
      {"remote delete", {"stranger"}},
      {"certs init", {}},
      {"certs create", {"v1.operator"}},
      {"certs renew", {"v1.admin"}},
      {"certs crl", {}},
      {"certs list", {}},
      {"certs revoke", {"v1.admin"}},
      {"web-user add", {"alice"}, "correct horse battery\n"},
      {"web-user list", {}},
      {"web-user remove", {"alice"}},
      {"unfollow", {}},
      {"history", {}},
      {"audit verify", {}},
      {"audit show", {}},
      {"undo", {"--yes"}},
      {"remove-group", {"g"}},
      {"remove-role", {"r"}},
      {"remove", {"0", "--yes"}},
  };
}

/// Those that need a server, which tests with foreign programs start.
const std::set<std::string> kNeedServer{"csr request", "probe", "pull", "push", "remote sync", "serve"};

void prepare(const Cli& cli) {
  cli.home.write("config", "[volttron]\ninstance-name = v1\n");
  CertificateAuthority::Options options;
  options.clock = [now = cli.now] { return now; };
  auto authority = CertificateAuthority::open_or_create(cli.home / "certificates", "v1", options);
  REQUIRE(authority);
  REQUIRE(authority->client_certificate(*CommonName::parse("v1.admin")));
  REQUIRE(authority->revocation_list());
  cli.home.make_folder("audit");
  cli.home.write("before.json", R"({"version": {"major": 1, "minor": 4}})");
  cli.home.write("expected", R"({"check": "publish", "user_id": "a", "topic": "bar", "allowed": true})");
  cli.home.write("pending.json", R"({"version": 1, "pending": [{"mechanism": "CURVE", "credentials": ")" +
                                     std::string(kAlice) +
                                     R"(", "domain": "vip", "address": "10.0.0.1", "user_id": "stranger",
                         "first_seen": "2026-11-21T21:00:00Z", "last_seen": "2026-11-21T21:00:00Z",
                         "retries": 1}], "decided": []})");
}

const vctl::Command* find_command(const vctl::Command& from, const std::string& words) {
  const std::size_t space = words.find(' ');
  for (const vctl::Command& command : from.commands) {
    if (command.name != words.substr(0, space)) continue;
    return space == std::string::npos ? &command : find_command(command, words.substr(space + 1));
  }
  return nullptr;
}

void collect_verbs(const vctl::Command& command, const std::string& words, std::set<std::string>& out) {
  for (const vctl::Command& below : command.commands) {
    const std::string further = words.empty() ? below.name : words + " " + below.name;
    if (below.run && !below.is_complete) out.insert(further);
    collect_verbs(below, further, out);
  }
}

}  // namespace

TEST_CASE("json: every verb prints one document, in the shape that its help tells") {
  Cli cli;
  prepare(cli);
  vctl::CommonOptions options;
  const vctl::Command root = vctl::root_command(options);
  const vctl::Command* auth = find_command(root, "auth");
  REQUIRE(auth != nullptr);
  std::set<std::string> untried;
  collect_verbs(*auth, "", untried);
  for (const Run& run : runs(cli)) {
    INFO(run.command);
    std::vector<std::string> arguments{"--json"};
    std::istringstream words(run.command);
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
    const Outcome outcome = cli.auth(arguments, run.input);
    INFO(outcome.out << outcome.err);
    CHECK((outcome.exit_code == 0 || outcome.exit_code == 2));
    const auto document = Json::parse(outcome.out);
    REQUIRE(document);
    REQUIRE(document->is_object());
    const vctl::Command* command = find_command(*auth, run.command);
    REQUIRE(command != nullptr);
    for (const Json::Member& member : document->as_object()) {
      CHECK_THAT(command->json, Catch::Contains("\"" + member.name + "\""));
    }
    untried.erase(run.command);
  }
  CHECK(untried == kNeedServer);
}

TEST_CASE("json: an error of any verb is one document, too") {
  Cli cli;
  prepare(cli);
  for (const Run& run : runs(cli)) {
    if (run.command == "keypair") continue;  // needs no home
    INFO(run.command);
    std::vector<std::string> arguments{"--json", "--home", (cli.home / "none").string()};
    std::istringstream words(run.command);
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
    const Outcome outcome = cli.auth(arguments, run.input);
    CHECK(outcome.exit_code == 1);
    CHECK_FALSE(outcome.err.empty());
    const auto document = Json::parse(outcome.out);
    REQUIRE(document);
    CHECK(document->find("error") != nullptr);
  }
}

}  // namespace vipauth::test
