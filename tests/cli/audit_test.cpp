#include <filesystem>

#include <vipauth/audit_trail.hpp>
#include <vipauth/auth_service.hpp>

#include "cli.hpp"
#include "support/asking.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

const std::string kFile = "audit/audit-00000000000000000001.jsonl";

/// A home whose edits are audited.
class AuditedCli : public Cli {
 public:
  AuditedCli() { home.make_folder("audit"); }

  void add(const std::string& user_id, const char* key) {
    const Outcome outcome = auth({"add", "--user_id", user_id, "--credentials", key});
    INFO(outcome.err);
    REQUIRE(outcome.exit_code == 0);
  }

  std::string head() { return at(json(auth({"--json", "audit", "verify"}).out), "head").as_string(); }
};

}  // namespace

TEST_CASE("audit verify: a whole log, and its head") {
  AuditedCli cli;
  cli.add("alice", kAlice);
  cli.add("bob", kAgentB);
  const Outcome outcome = cli.auth({"audit", "verify"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Contains("whole: 2 lines, from 1 to 2\nhead: 2:"));
  CHECK(outcome.err.empty());
  const Json document = json(cli.auth({"--json", "audit", "verify"}).out);
  CHECK(at(document, "whole") == Json(true));
  CHECK(at(document, "problems").as_array().empty());

  const std::string head = cli.head();
  CHECK(cli.auth({"audit", "verify", "--head", head}).exit_code == 0);
  cli.add("carol", kAgentA);
  CHECK(cli.auth({"audit", "verify", "--head", head}).exit_code == 0);
  CHECK(cli.auth({"audit", "verify", (cli.home / "audit").string(), "--head", head}).exit_code == 0);
}

TEST_CASE("audit verify: finds an edit, a gap and, by an anchor, a tail that was cut") {
  AuditedCli cli;
  cli.add("alice", kAlice);
  cli.add("bob", kAgentB);
  cli.add("carol", kAgentA);
  const std::string head = cli.head();
  std::string text = cli.home.read(kFile);
  const std::size_t second = text.find('\n') + 1;
  const std::size_t third = text.find('\n', second) + 1;

  SECTION("an edited line") {
    text.replace(text.find("bob"), 3, "eve");
    cli.home.write(kFile, text);
    const Outcome outcome = cli.auth({"audit", "verify"});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.out, Contains("NOT WHOLE"));
    CHECK_THAT(outcome.err, Contains(":2: the line was changed, or is none of the log"));
    const Outcome with_json = cli.auth({"--json", "audit", "verify"});
    CHECK(with_json.exit_code == 1);
    CHECK(at(json(with_json.out), "whole") == Json(false));
    CHECK(at(at(json(with_json.out), "problems").as_array().at(0), "line") == Json(2));
  }
  SECTION("a removed line") {
    cli.home.write(kFile, text.substr(0, second) + text.substr(third));
    const Outcome outcome = cli.auth({"audit", "verify"});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("missing"));
  }
  SECTION("a tail that was cut") {
    cli.home.write(kFile, text.substr(0, third));
    CHECK(cli.auth({"audit", "verify"}).exit_code == 0);
    const Outcome outcome = cli.auth({"audit", "verify", "--head", head});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("line 3, which was noted, is missing"));
  }
  SECTION("a line that was cut off is a warning") {
    cli.home.write(kFile, text.substr(0, third + 100));
    const Outcome outcome = cli.auth({"audit", "verify"});
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.err, Contains("warning: ") && Contains("a line was cut off"));
    cli.add("dave", "LmQjVPcFbNZZ3vMCeO10tPc5HjhXfdMrbhTcCNsRCXA");
    const Outcome later = cli.auth({"audit", "verify"});
    CHECK(later.exit_code == 0);
    CHECK_THAT(later.err, Contains("a line was cut off"));
  }
}

TEST_CASE("audit: no log, and an anchor that is none, are errors") {
  Cli cli;
  for (const char* verb : {"verify", "show"}) {
    const Outcome outcome = cli.auth({"audit", verb});
    CHECK(outcome.exit_code == 1);
    CHECK_THAT(outcome.err, Contains("there is no audit log") && Contains("mkdir -m 700"));
  }
  CHECK(cli.auth({"audit", "verify", "--head", "12"}).exit_code == 64);
  CHECK(cli.auth({"audit", "show", "--since", "yesterday"}).exit_code == 64);
  CHECK(cli.auth({"audit", "show", "--last", "0"}).exit_code == 64);
}

TEST_CASE("audit: each verb that edits adds a line with who, before and after, and one that asks adds none") {
  AuditedCli cli;
  cli.environment["SUDO_USER"] = "operator";
  cli.add("alice", kAlice);
  REQUIRE(cli.auth({"add-role", "r", "c"}).exit_code == 0);
  REQUIRE(cli.auth({"update", "0", "--roles", "r"}).exit_code == 0);
  REQUIRE(cli.auth({"topics", "add", "foo", "c"}).exit_code == 0);
  REQUIRE(cli.auth({"list"}).exit_code == 0);
  REQUIRE(cli.auth({"undo", "--yes"}).exit_code == 0);
  const Json lines = at(json(cli.auth({"--json", "audit", "show"}).out), "lines");
  REQUIRE(lines.as_array().size() == 5);
  const auto line = [&](std::size_t i) { return lines.as_array()[i]; };
  CHECK(at(line(0), "command") == Json("auth add"));
  CHECK(at(line(0), "file") == Json("auth.json"));
  CHECK_FALSE(at(line(0), "who").as_string().empty());
  CHECK_THAT(at(line(0), "after").dump(), Contains(kAlice));
  CHECK(at(line(1), "after") == json(R"({"roles": {"r": ["c"]}})"));
  CHECK(at(at(line(2), "before"), "allow") == json(R"([{"user_id": "alice", "roles": []}])"));
  CHECK(at(at(line(2), "after"), "allow") == json(R"([{"user_id": "alice", "roles": ["r"]}])"));
  CHECK(at(line(3), "file") == Json("protected_topics.json"));
  CHECK(at(line(4), "command") == Json("auth undo"));
  CHECK(at(line(4), "before") == at(line(2), "after"));
}

TEST_CASE("audit: known hosts and a new server key are audited, and no secret key") {
  AuditedCli cli;
  REQUIRE(cli.auth({"serverkey"}).exit_code == 0);
  REQUIRE(cli.auth({"add-known-host", "--host", "tcp://127.0.0.1:1", "--serverkey", kAgentB}).exit_code == 0);
  REQUIRE(cli.auth({"add-known-host", "--host", "tcp://127.0.0.1:1", "--serverkey", kAgentB}).exit_code == 0);
  REQUIRE(cli.auth({"add-known-host", "--host", "tcp://127.0.0.1:1", "--serverkey", kAgentA}).exit_code == 0);
  REQUIRE(cli.auth({"remove-known-host", "127.0.0.1:1"}).exit_code == 0);
  REQUIRE(cli.auth({"rotate", "server"}).exit_code == 0);
  REQUIRE(cli.auth({"rotate", "server", "--activate"}).exit_code == 0);
  const Json shown = json(cli.auth({"--json", "audit", "show"}).out);
  const Json::Array& lines = at(shown, "lines").as_array();
  REQUIRE(lines.size() == 4);  // the second addition changes nothing
  CHECK(at(lines[0], "after") == json(R"({"127.0.0.1:1": ")" + std::string(kAgentB) + "\"}"));
  CHECK(at(lines[1], "before") == at(lines[0], "after"));
  CHECK(at(lines[2], "command") == Json("auth remove-known-host"));
  CHECK(at(lines[3], "file") == Json("keystore"));
  CHECK(at(at(lines[3], "before"), "public") == at(json(cli.home.read("keystore.bak")), "public"));
  CHECK(at(at(lines[3], "after"), "public") == at(json(cli.home.read("keystore")), "public"));
  for (const char* store : {"keystore", "keystore.bak"}) {
    CHECK_THAT(shown.dump(), !Contains(at(json(cli.home.read(store)), "secret").as_string()));
  }
}

TEST_CASE("audit: a home without the folder is not audited") {
  Cli cli;
  REQUIRE(cli.auth({"add", "--user_id", "alice", "--credentials", kAlice}).exit_code == 0);
  CHECK_FALSE(cli.home.has("audit"));
}

TEST_CASE("audit: a folder that others could change is refused with a warning, and the edit stands") {
  AuditedCli cli;
  cli.home.set_mode("audit", 0777);
  const Outcome outcome = cli.auth({"add", "--user_id", "alice", "--credentials", kAlice});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.err, Contains("this change is not in the audit log"));
  CHECK(cli.file().find("allow")->as_array().size() == 1);
}

TEST_CASE("audit show: what is asked for, by user, time, outcome and kind") {
  AuditedCli cli;
  cli.add("alice", kAlice);
  {
    AuthService::Options options;
    options.watch = false;
    options.audit.emplace();
    options.clock = [&] { return cli.now + std::chrono::hours(1); };
    auto service = AuthService::open(cli.home.path(), options);
    REQUIRE(service);
    const ZapAuthenticator zap = service->zap_authenticator();
    static_cast<void>(ask_curve(zap, kAlice));
    static_cast<void>(ask_curve(zap, kAgentB, "10.0.0.9"));
    Session alice = service->session({"alice", Mechanism::kCurve, kAlice, "vip", "127.0.0.1"});
    CHECK_FALSE(alice.authorize_publish("\x1b[2J\n    faked"));
  }
  const auto count = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--json", "audit", "show"});
    return at(json(cli.auth(arguments).out), "lines").as_array().size();
  };
  CHECK(count({}) == 7);  // change, start, policy, two authentications, refusal, stop
  CHECK(count({"--user", "alice"}) == 2);
  CHECK(count({"--user", kAgentB}) == 1);
  CHECK(count({"--user", "nobody"}) == 0);
  CHECK(count({"--refused"}) == 2);
  CHECK(count({"--refused", "--user", "alice"}) == 1);
  CHECK(count({"--kind", "authentication"}) == 2);
  CHECK(count({"--since", "2026-11-21T22:00:00Z"}) == 6);
  CHECK(count({"--since", "2026-11-21T22:31:00Z"}) == 0);
  cli.now += std::chrono::hours(2);
  CHECK(count({"--since", "90m"}) == 6);
  CHECK(count({"--since", "1d"}) == 7);
  CHECK(count({"--last", "2"}) == 2);
  CHECK_THAT(cli.auth({"audit", "show", "--last", "2"}).err, Contains("5 earlier lines are not shown"));

  const Outcome shown = cli.auth({"audit", "show"});
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out, Contains("2026-11-21T22:30:00Z #5 authentication REFUSED CURVE " +
                                 std::string(kAgentB) + " from 10.0.0.9, domain vip [unknown]\n"));
  CHECK_THAT(shown.out, Contains("#4 authentication accepted alice (CURVE "));
  CHECK_THAT(shown.out,
             Contains("refusal REFUSED alice (CURVE ") && Contains("publish \\x1b[2J\\x0a    faked"));
  CHECK_THAT(shown.out, Contains("\n  + {\"allow\":[{"));
  CHECK(shown.out.find('\x1b') == std::string::npos);
  CHECK_THAT(cli.auth({"audit", "show", "--user", "nobody"}).out, Contains("No such lines"));
}

}  // namespace vipauth::test
