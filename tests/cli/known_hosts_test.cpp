#include <vipauth/curve_key.hpp>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

constexpr const char* kFirst = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
constexpr const char* kSecond = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";

std::string fingerprint(const char* key) { return CurveKey::parse(key)->fingerprint(); }

}  // namespace

TEST_CASE("known hosts: add, list and remove print what VOLTTRON prints") {
  Cli cli;
  const std::string path = (cli.home / "known_hosts").string();
  CHECK(cli.auth({"list-known-hosts"}).out == "No entries in " + path + "\n");
  CHECK_FALSE(cli.home.has("known_hosts"));
  const Outcome added = cli.auth({"add-known-host", "--host", "tcp://127.0.0.1:1", "--serverkey", kFirst});
  CHECK(added.exit_code == 0);
  CHECK(added.out == "server key written to " + path + "\n");
  CHECK(added.err.empty());
  CHECK(json(cli.home.read("known_hosts")) == Json(Json::Object{{"127.0.0.1:1", kFirst}}));
  CHECK(cli.auth({"list-known-hosts"}).out ==
        "HOST         CURVE KEY\n----         ---------\n127.0.0.1:1  " + std::string(kFirst) + "\n");
  const Outcome removed = cli.auth({"remove-known-host", "127.0.0.1:1"});
  CHECK(removed.exit_code == 0);
  CHECK(removed.out == "host \"127.0.0.1:1\" removed from " + path + "\n");
  CHECK(cli.auth({"list-known-hosts"}).out == "No entries in " + path + "\n");
}

TEST_CASE("list-known-hosts: sorted, and what is no key is shown and reported") {
  Cli cli;
  cli.home.write("known_hosts", R"({"@": ")" + std::string(kFirst) + R"(", "127.0.0.1:22916": ")" + kSecond +
                                    R"(", "host.example.com:22916": "not-a-key", "\u001b[2J": ")" + kFirst +
                                    "\"}");
  const Outcome outcome = cli.auth({"list-known-hosts"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out ==
        "HOST                    CURVE KEY\n"
        "----                    ---------\n"
        "\\x1b[2J                 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "127.0.0.1:22916         BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA\n"
        "@                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        "host.example.com:22916  not-a-key\n");
  CHECK_THAT(outcome.err, Contains("known_hosts: /host.example.com:22916"));
  const Json list = at(json(cli.auth({"list-known-hosts", "--json"}).out), "known_hosts");
  REQUIRE(list.as_array().size() == 4);
  CHECK(at(list.as_array()[1], "fingerprint") == Json(fingerprint(kSecond)));
  CHECK(list.as_array()[3].find("problem") != nullptr);
}

TEST_CASE("add-known-host: another key replaces the first, and both are named") {
  Cli cli;
  cli.auth({"add-known-host", "--host", "h:1", "--serverkey", kFirst});
  const Outcome same = cli.auth({"add-known-host", "--host", "h:1", "--serverkey", kFirst});
  CHECK(same.err.empty());
  const Outcome other = cli.auth({"add-known-host", "--host", "tcp://h:1", "--serverkey", kSecond});
  CHECK(other.exit_code == 0);
  CHECK_THAT(other.err, StartsWith("warning: ") && Contains(fingerprint(kFirst)) && Contains(kFirst) &&
                            Contains(fingerprint(kSecond)));
  CHECK(at(json(cli.home.read("known_hosts")), "h:1") == Json(kSecond));
  const Json document =
      json(cli.auth({"add-known-host", "--host", "h:1", "--serverkey", kFirst, "--json"}).out);
  CHECK(at(document, "replaced") == Json(kSecond));
  CHECK(at(document, "host") == Json("h:1"));
}

TEST_CASE("add-known-host: what is no key or no host is refused, and nothing written") {
  Cli cli;
  const auto refused = [&](const std::string& host, const std::string& key, const std::string& message) {
    const Outcome outcome = cli.auth({"add-known-host", "--host", host, "--serverkey", key});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains(message));
    CHECK_FALSE(cli.home.has("known_hosts"));
  };
  refused("h:1", "not-a-key", "--serverkey: not a CURVE key");
  refused("h:1", "", "--serverkey");
  refused("", kFirst, "--host");
  refused("[::1", kFirst, "brackets");
  CHECK(cli.auth({"add-known-host", "--host", "h"}).exit_code == 64);
  CHECK(cli.auth({"add-known-host", "--serverkey", kFirst}).exit_code == 64);
}

TEST_CASE("add-known-host: a key in Z85, or with a hyphen in front, is stored in its one form") {
  Cli cli;
  const std::string hyphen = "-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  REQUIRE(CurveKey::parse(hyphen));
  CHECK(cli.auth({"add-known-host", "--host", "h:1", "--serverkey", hyphen}).exit_code == 0);
  CHECK(at(json(cli.home.read("known_hosts")), "h:1") == Json(hyphen));
  const std::string z85 = CurveKey::parse(kSecond)->to_z85();
  CHECK(cli.auth({"add-known-host", "--host", "h:2", "--serverkey", z85}).exit_code == 0);
  CHECK(at(json(cli.home.read("known_hosts")), "h:2") == Json(kSecond));
}

TEST_CASE("remove-known-host: takes VIP addresses, and refuses what is not there") {
  Cli cli;
  cli.auth({"add-known-host", "--host", "h:1", "--serverkey", kFirst});
  const std::string before = cli.home.read("known_hosts");
  const Outcome missing = cli.auth({"remove-known-host", "missing"});
  CHECK(missing.exit_code == 1);
  CHECK_THAT(missing.err, Contains("there is no host \"missing\""));
  CHECK(cli.home.read("known_hosts") == before);
  CHECK(cli.auth({"remove-known-host"}).exit_code == 64);
  CHECK(at(json(cli.auth({"remove-known-host", "tcp://h:1?ipv6=1", "--json"}).out), "removed") ==
        Json(Json::Array{"h:1"}));
}

TEST_CASE("known hosts: a file that cannot be read is left as it is") {
  Cli cli;
  cli.home.write("known_hosts", "{\"h:1\": ");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"list-known-hosts"},
        {"add-known-host", "--host", "h:1", "--serverkey", kFirst},
        {"remove-known-host", "h:1"}}) {
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("known_hosts:1:"));
    CHECK(cli.home.read("known_hosts") == "{\"h:1\": ");
  }
}

TEST_CASE("add --add-known-host: address and credentials go to known_hosts, too") {
  Cli cli;
  const std::string path = (cli.home / "known_hosts").string();
  const Outcome outcome = cli.auth({"add", "--credentials", kAgentA, "--user_id", "remote", "--address",
                                    "tcp://127.0.0.1:22999", "--add-known-host"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("server key written to " + path + "\nadded entry "));
  CHECK_THAT(outcome.err, Contains("compared with the IP address"));
  CHECK(json(cli.home.read("known_hosts")) == Json(Json::Object{{"127.0.0.1:22999", kAgentA}}));
  CHECK(at(cli.record(0), "address") == Json("tcp://127.0.0.1:22999"));
}

TEST_CASE("add --add-known-host: what cannot be a known host leaves both files as they were") {
  Cli cli;
  const auto refused = [&](std::vector<std::string> arguments, int exit_code, const std::string& message) {
    arguments.insert(arguments.begin(), {"add", "--add-known-host"});
    const Outcome outcome = cli.auth(arguments);
    CHECK(outcome.exit_code == exit_code);
    CHECK_THAT(outcome.err, Contains(message));
    CHECK_FALSE(cli.home.has("known_hosts"));
    CHECK_FALSE(cli.home.has("auth.json"));
  };
  refused({"--credentials", kAgentA}, 64, "--address");
  refused({"--credentials", kAgentA, "--address", "/10\\..*/"}, 1, "--address");
  refused({"--credentials", "/.*/", "--address", "h:1"}, 1, "--credentials");
  refused({"--mechanism", "NULL", "--address", "h:1"}, 1, "--credentials");
}

TEST_CASE("add --add-known-host: a record that cannot be added, or a file that cannot be read, stops both") {
  Cli cli;
  REQUIRE(cli.auth({"add", "--credentials", kAgentA, "--user_id", "a"}).exit_code == 0);
  const std::string before = cli.home.read("auth.json");
  CHECK(cli.auth({"add", "--credentials", kAgentB, "--user_id", "a", "--address", "h:1", "--add-known-host"})
            .exit_code == 1);
  CHECK_FALSE(cli.home.has("known_hosts"));
  cli.home.write("known_hosts", "{");
  CHECK(cli.auth({"add", "--credentials", kAgentB, "--user_id", "b", "--address", "h:1", "--add-known-host"})
            .exit_code == 1);
  CHECK(cli.home.read("auth.json") == before);
  CHECK(cli.home.read("known_hosts") == "{");
}

}  // namespace vipauth::test
