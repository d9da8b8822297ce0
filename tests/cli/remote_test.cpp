#include <vipauth/pending_store.hpp>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

/// A home where strangers have asked.
class RemoteCli : public Cli {
 public:
  /// \return the user_id by which the request is known
  std::string ask(const std::string& credentials, const std::string& address = "127.0.0.1") {
    PendingStore store(home / "pending.json", PendingStore::Limits());
    store.note(Mechanism::kCurve, credentials, "vip", address, now);
    REQUIRE(store.flush());
    const auto state = store.load();
    REQUIRE(state);
    for (const PendingRequest& request : state->pending) {
      if (request.credentials == credentials) return request.user_id;
    }
    return "";
  }

  Outcome remote(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "remote");
    return auth(arguments);
  }

  int connects(const std::string& credentials, const std::string& address = "127.0.0.1") {
    return auth({"check", "connect", credentials, "--address", address}).exit_code;
  }
};

}  // namespace

TEST_CASE("remote list: nobody") {
  RemoteCli cli;
  CHECK(cli.remote({"list"}).out == "No remote certificates or credentials\n");
  CHECK(cli.remote({"list", "--status", "pending"}).out == "No pending remote certificates or credentials\n");
  CHECK(cli.remote({"list", "--status", "APPROVED"}).out ==
        "No approved remote certificates or credentials\n");
  CHECK(cli.remote({"list", "--status", "denied"}).out == "No denied remote certificates or credentials\n");
  CHECK(at(json(cli.remote({"list", "--json"}).out), "remote") == Json(Json::Array()));
}

TEST_CASE("remote list: a status that is none is wrong usage") {
  RemoteCli cli;
  for (const char* status : {"bogus", ""}) {
    const Outcome outcome = cli.remote({"list", "--status", status});
    CHECK(outcome.exit_code == 64);
    CHECK_THAT(outcome.err, Contains("Please use 'approved', 'denied', 'pending'"));
  }
}

TEST_CASE("remote: a peer from pending to approved, denied and forgotten") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA, "192.168.56.101");
  CHECK(cli.remote({"list"}).out ==
        "USER_ID                              ADDRESS        STATUS  CREDENTIALS\n" + user +
            " 192.168.56.101 PENDING " + kAgentA + "\n");
  const Json item = at(json(cli.remote({"list", "--json"}).out), "remote").as_array().at(0);
  CHECK(at(item, "credentials") == Json(kAgentA));
  CHECK(at(item, "retries") == Json(1));
  CHECK(at(item, "first_seen") == Json("2026-11-21T21:30:00Z"));

  const Outcome approved = cli.remote({"approve", user});
  CHECK(approved.exit_code == 0);
  CHECK(approved.out == "approved " + user + " (address 192.168.56.101, key " + kAgentA + ")\n");
  CHECK(cli.connects(kAgentA, "192.168.56.101") == 0);
  CHECK(cli.connects(kAgentA, "192.168.56.102") == 2);
  CHECK_THAT(cli.remote({"list", "--status", "approved"}).out, Contains(user) && Contains("APPROVED"));
  CHECK_THAT(cli.remote({"list", "--status", "pending"}).out, Contains("No pending"));

  const Outcome denied = cli.remote({"deny", user});
  CHECK(denied.exit_code == 0);
  CHECK_THAT(denied.out, StartsWith("denied " + user));
  CHECK(cli.connects(kAgentA, "192.168.56.101") == 2);
  CHECK_THAT(cli.remote({"list"}).out, Contains("DENIED"));

  CHECK(cli.remote({"approve", user}).exit_code == 0);
  CHECK(cli.connects(kAgentA, "192.168.56.101") == 0);

  const Outcome deleted = cli.remote({"delete", user});
  CHECK(deleted.exit_code == 0);
  CHECK_THAT(deleted.out, StartsWith("deleted " + user));
  CHECK(cli.connects(kAgentA, "192.168.56.101") == 2);
  CHECK(cli.remote({"list"}).out == "No remote certificates or credentials\n");
}

TEST_CASE("remote approve: sets what the administrator says") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA);
  const Outcome outcome =
      cli.remote({"approve", user, "--user-id", "alice", "--identity", "alice.agent", "--roles", "r1,r2",
                  "--groups", "g1", "--capabilities", "{'c': {'x': '/.*'}}", "--any-address"});
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, StartsWith("approved " + user + " as alice"));
  CHECK_THAT(outcome.err, Contains("role \"r1\" does not exist") && Contains("group \"g1\" does not exist") &&
                              Contains("'/.*/'"));
  const Json record = cli.record(0);
  CHECK(at(record, "user_id") == Json("alice"));
  CHECK(at(record, "identity") == Json("alice.agent"));
  CHECK(at(record, "roles") == json(R"(["r1","r2"])"));
  CHECK(at(record, "groups") == json(R"(["g1"])"));
  CHECK(at(record, "capabilities") == json(R"({"c":{"x":"/.*"}})"));
  CHECK(cli.connects(kAgentA, "10.9.8.7") == 0);
}

TEST_CASE("remote approve: what cannot be is refused, and the peer stays pending") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA);
  REQUIRE(cli.auth({"add", "--credentials", kAgentB, "--user_id", "taken"}).exit_code == 0);
  CHECK_THAT(cli.remote({"approve", user, "--user-id", "taken"}).err,
             Contains("user_id taken is already in use"));
  CHECK_THAT(cli.remote({"approve", user, "--user-id", ""}).err, Contains("--user-id: is empty"));
  CHECK_THAT(cli.remote({"approve", user, "--capabilities", "{'c': 1}"}).err, Contains("--capabilities"));
  CHECK_THAT(cli.remote({"approve", user, "--identity", "a\x01"}).err, Contains("--identity"));
  CHECK_THAT(cli.remote({"list", "--status", "pending"}).out, Contains(user));
  CHECK(cli.connects(kAgentA) == 2);
}

TEST_CASE("remote: a name that does not exist is an error") {
  RemoteCli cli;
  cli.ask(kAgentA);
  for (const char* verb : {"approve", "deny", "delete"}) {
    const Outcome outcome = cli.remote({verb, "nobody"});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, StartsWith("error: ") && Contains("nobody"));
  }
}

TEST_CASE(
    "remote deny: a stranger who waits is kept out, from everywhere, whatever pattern would let it in") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA);
  CHECK(cli.remote({"deny", user}).exit_code == 0);
  REQUIRE(cli.auth({"add", "--credentials", "/.*/", "--user_id", "everyone"}).exit_code == 0);
  CHECK(cli.connects(kAgentA) == 2);
  CHECK(cli.connects(kAgentA, "10.9.8.7") == 2);
  CHECK(cli.connects(kAgentB) == 0);
}

TEST_CASE("remote: with --json the peer is a document") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA);
  CHECK(at(at(json(cli.remote({"--json", "approve", user}).out), "approved"), "status") == Json("APPROVED"));
  CHECK(at(at(json(cli.remote({"deny", user, "--json"}).out), "denied"), "status") == Json("DENIED"));
}

TEST_CASE("remote: a broken auth.json is an error, and left as it is") {
  RemoteCli cli;
  const std::string user = cli.ask(kAgentA);
  cli.home.write("auth.json", "{");
  CHECK(cli.remote({"approve", user}).exit_code == 1);
  CHECK(cli.remote({"deny", user}).exit_code == 1);
  CHECK(cli.home.read("auth.json") == "{");
}

}  // namespace vipauth::test
