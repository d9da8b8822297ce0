#include <vipauth/certificate_authority.hpp>
#include <vipauth/certificate_request.hpp>
#include <vipauth/csr_store.hpp>

#include "cli.hpp"
#include "support/catch.hpp"

namespace vipauth::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

/// A home "v1" with an authority, which agents of other platforms have asked.
class CertificateCli : public Cli {
 public:
  CertificateCli() {
    home.write("config", "[volttron]\ninstance-name = v1\n");
    REQUIRE(auth({"certs", "init"}).exit_code == 0);
  }

  CertificateAuthority authority() const {
    CertificateAuthority::Options options;
    options.clock = [this] { return now; };
    auto opened = CertificateAuthority::open(home / "certificates", "v1", options);
    REQUIRE(opened);
    return *std::move(opened);
  }

  void ask(const std::string& name) const {
    CsrStore store(authority(), {});
    const auto key = CertificateKey::generate();
    REQUIRE(store.request(CertificateRequest::create(*CommonName::parse(name), *key)->pem(), "10.0.0.2"));
  }

  std::string status(const std::string& name) {
    const Json listed = json(auth({"remote", "list", "--json"}).out);
    for (const Json& entry : at(listed, "remote").as_array()) {
      if (at(entry, "user_id") == Json(name) && at(entry, "kind") == Json("csr")) {
        return at(entry, "status").as_string();
      }
    }
    return "(missing)";
  }

  Json certificate(const std::string& name) {
    const Json listed = json(auth({"certs", "list", "--json"}).out);
    for (const Json& entry : at(listed, "certificates").as_array()) {
      if (at(entry, "name") == Json(name)) return entry;
    }
    return Json("(missing)");
  }
};

/// A home where somebody waits with ZeroMQ credentials.
void add_pending_credentials(const TempHome& home, const std::string& user_id) {
  home.write("pending.json",
             R"({"version": 1, "pending": [{"mechanism": "CURVE", "credentials": ")" + std::string(kAlice) +
                 R"(", "domain": "vip", "address": "10.0.0.1", "user_id": ")" + user_id + R"(",
                         "first_seen": "2026-11-21T21:00:00Z", "last_seen": "2026-11-21T21:00:00Z",
                         "retries": 1}], "decided": []})");
}

}  // namespace

TEST_CASE("certs: without an authority the way to one is told") {
  Cli cli;
  for (const char* verb : {"list", "crl"}) {
    const Outcome unnamed = cli.auth({"certs", verb});
    CHECK(unnamed.exit_code == 1);
    CHECK_THAT(unnamed.err, Contains("instance-name = NAME"));
  }
  cli.home.write("config", "[volttron]\ninstance-name = v1\n");
  const Outcome without = cli.auth({"certs", "list"});
  CHECK(without.exit_code == 1);
  CHECK_THAT(without.err, Contains("vctl auth certs init"));
  CHECK_FALSE(cli.home.has("certificates"));

  const Outcome made = cli.auth({"certs", "init"});
  CHECK(made.exit_code == 0);
  CHECK_THAT(made.out, Contains("v1-root-ca.crt"));
  const std::string root = cli.home.read("certificates/certs/v1-root-ca.crt");
  CHECK(cli.auth({"certs", "init"}).out == made.out);
  CHECK(cli.home.read("certificates/certs/v1-root-ca.crt") == root);
  CHECK(cli.auth({"certs", "list"}).exit_code == 0);

  cli.home.write("config", "[volttron]\ninstance-name = ../v1\n");
  CHECK(cli.auth({"certs", "init"}).exit_code == 1);
}

TEST_CASE("certs create: makes what an agent or a server here needs, and nothing of another instance") {
  CertificateCli cli;
  const Json agent = json(cli.auth({"certs", "create", "v1.admin", "--json"}).out);
  CHECK(std::filesystem::exists(at(agent, "certificate").as_string()));
  CHECK(
      (std::filesystem::status(at(agent, "key").as_string()).permissions() == std::filesystem::perms(0600)));
  CHECK(at(cli.certificate("v1.admin"), "purpose") == Json("client"));
  const std::string serial = at(cli.certificate("v1.admin"), "serial").as_string();

  CHECK(cli.auth({"certs", "create", "v1.broker", "--host", "localhost", "10.0.0.7"}).exit_code == 0);
  CHECK(at(cli.certificate("v1.broker"), "purpose") == Json("server"));
  CHECK(at(cli.certificate("v1.broker"), "hosts").as_array().size() == 2);

  CHECK(cli.auth({"certs", "create", "v1.admin"}).exit_code == 0);  // it is there
  CHECK(at(cli.certificate("v1.admin"), "serial") == Json(serial));
  CHECK_THAT(cli.auth({"certs", "create", "v2.admin"}).err,
             Contains("must begin with the name of this instance"));
  CHECK_THAT(cli.auth({"certs", "create", "../x"}).err, StartsWith("error: NAME: "));
  CHECK(cli.auth({"certs", "create", "v1.bad", "--host", "a b"}).exit_code == 1);
}

TEST_CASE("certs: renew and revoke") {
  CertificateCli cli;
  REQUIRE(cli.authority().client_certificate(*CommonName::parse("v1.admin")));
  const Json first = cli.certificate("v1.admin");
  CHECK(at(first, "state") == Json("valid"));
  const Outcome renewed = cli.auth({"certs", "renew", "v1.admin"});
  CHECK(renewed.exit_code == 0);
  CHECK_THAT(renewed.out, StartsWith("renewed v1.admin until 2027-11-21"));
  const Json second = cli.certificate("v1.admin");
  CHECK(at(second, "serial") != at(first, "serial"));
  CHECK(at(second, "key_fingerprint") == at(first, "key_fingerprint"));
  REQUIRE(cli.auth({"certs", "renew", "v1.admin", "--new-key"}).exit_code == 0);
  CHECK(at(cli.certificate("v1.admin"), "key_fingerprint") != at(first, "key_fingerprint"));

  CHECK(cli.auth({"certs", "revoke", "v1.admin"}).out == "revoked v1.admin\n");
  CHECK(at(cli.certificate("v1.admin"), "state") == Json("revoked"));
  const Outcome again = cli.auth({"certs", "renew", "v1.admin"});
  CHECK(again.exit_code == 1);
  CHECK(at(cli.certificate("v1.admin"), "state") == Json("revoked"));
  CHECK_THAT(cli.auth({"certs", "crl", "--print"}).out, StartsWith("-----BEGIN X509 CRL-----"));

  CHECK(cli.auth({"certs", "revoke", "v1.nobody"}).exit_code == 1);
  CHECK(cli.auth({"certs", "renew", "../x"}).exit_code == 1);
}

TEST_CASE("certs revoke: of another platform's agent it points to remote deny") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  REQUIRE(cli.auth({"remote", "approve", "v1.v2.agent"}).exit_code == 0);
  const Outcome refused = cli.auth({"certs", "revoke", "v1.v2.agent"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("vctl auth remote deny v1.v2.agent"));
  CHECK(cli.status("v1.v2.agent") == "APPROVED");
}

TEST_CASE("remote: requests for certificates and credentials are decided alike") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  cli.ask("v1.v2.other");
  add_pending_credentials(cli.home, "stranger");
  REQUIRE(cli.auth({"remote", "approve", "v1.v2.other"}).exit_code == 0);
  CHECK(cli.auth({"remote", "list"}).out ==
        "USER_ID     ADDRESS  STATUS   CREDENTIALS\n"
        "stranger    10.0.0.1 PENDING  " +
            std::string(kAlice) +
            "\n"
            "v1.v2.agent 10.0.0.2 PENDING  -\n"
            "v1.v2.other 10.0.0.2 APPROVED -\n");
  CHECK(cli.auth({"remote", "list", "--status", "approved"}).out ==
        "USER_ID     ADDRESS  STATUS\nv1.v2.other 10.0.0.2 APPROVED\n");

  const Outcome approved = cli.auth({"remote", "approve", "v1.v2.agent"});
  CHECK(approved.exit_code == 0);
  CHECK_THAT(approved.out, StartsWith("approved v1.v2.agent (address 10.0.0.2, key "));
  const std::string serial = at(cli.certificate("v1.v2.agent"), "serial").as_string();
  REQUIRE(cli.auth({"remote", "approve", "v1.v2.agent"}).exit_code == 0);
  CHECK(at(cli.certificate("v1.v2.agent"), "serial") == Json(serial));  // once

  CHECK(cli.auth({"remote", "deny", "v1.v2.agent"}).exit_code == 0);
  CHECK(cli.status("v1.v2.agent") == "DENIED");
  CHECK(at(cli.certificate("v1.v2.agent"), "state") == Json("revoked"));
  CHECK(cli.auth({"remote", "delete", "v1.v2.agent"}).exit_code == 0);
  CHECK(cli.status("v1.v2.agent") == "(missing)");
  CHECK(cli.auth({"remote", "delete", "v1.v2.agent"}).exit_code == 1);

  CHECK(cli.auth({"remote", "approve", "stranger", "--user-id", "alice"}).exit_code == 0);
  CHECK(at(cli.record(0), "user_id") == Json("alice"));
}

TEST_CASE("remote approve: a request for a certificate takes no options of credentials") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  for (const std::vector<std::string>& option : std::vector<std::vector<std::string>>{{"--identity", "x"},
                                                                                      {"--user-id", "x"},
                                                                                      {"--roles", "x"},
                                                                                      {"--groups", "x"},
                                                                                      {"--capabilities", "x"},
                                                                                      {"--any-address"}}) {
    std::vector<std::string> arguments{"remote", "approve", "v1.v2.agent"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    const Outcome refused = cli.auth(arguments);
    CHECK(refused.exit_code == 64);
    CHECK_THAT(refused.err, Contains(option.front()));
  }
  CHECK(cli.status("v1.v2.agent") == "PENDING");
}

TEST_CASE("remote approve: the fingerprint says for which key alone") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  const std::string other(64, '0');
  const Outcome refused = cli.auth({"remote", "approve", "v1.v2.agent", "--fingerprint", other});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("another key"));
  CHECK(cli.status("v1.v2.agent") == "PENDING");
  const std::size_t at = refused.err.find("another key, ") + std::string("another key, ").size();
  const std::string right = refused.err.substr(at, 95);
  CHECK(cli.auth({"remote", "approve", "v1.v2.agent", "--fingerprint", right}).exit_code == 0);
  CHECK(cli.status("v1.v2.agent") == "APPROVED");
  add_pending_credentials(cli.home, "stranger");
  CHECK(cli.auth({"remote", "approve", "stranger", "--fingerprint", right}).exit_code == 64);
}

TEST_CASE("remote: a name of both kinds is decided by its kind alone") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  add_pending_credentials(cli.home, "v1.v2.agent");
  const Outcome refused = cli.auth({"remote", "deny", "v1.v2.agent"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("--kind"));
  CHECK(cli.status("v1.v2.agent") == "PENDING");
  CHECK_FALSE(cli.home.has("auth.json"));

  CHECK(cli.auth({"remote", "deny", "v1.v2.agent", "--kind", "csr"}).exit_code == 0);
  CHECK(cli.status("v1.v2.agent") == "DENIED");
  CHECK_FALSE(cli.home.has("auth.json"));
  CHECK(cli.auth({"remote", "deny", "v1.v2.agent", "--kind", "credentials"}).exit_code == 0);
  CHECK(cli.home.has("auth.json"));
  CHECK(cli.auth({"remote", "deny", "v1.v2.agent", "--kind", "x"}).exit_code == 64);
}

TEST_CASE("remote: a decision holds where the broker cannot be told, and says what to type") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  CHECK_THAT(cli.auth({"remote", "sync"}).err, Contains("rmq-management-url"));
  cli.home.write("config",
                 "[volttron]\ninstance-name = v1\nrmq-management-url = http://localhost:1\n"
                 "rmq-management-user = u\nrmq-management-password-file = none\n");
  const Outcome approved = cli.auth({"remote", "approve", "v1.v2.agent"});
  CHECK(approved.exit_code == 1);
  CHECK_THAT(approved.out, StartsWith("approved v1.v2.agent"));
  CHECK_THAT(approved.err, Contains("the decision holds") && Contains("vctl auth remote sync"));
  CHECK(cli.status("v1.v2.agent") == "APPROVED");
  const Outcome denied = cli.auth({"remote", "deny", "v1.v2.agent"});
  CHECK(denied.exit_code == 1);
  CHECK(cli.status("v1.v2.agent") == "DENIED");
  CHECK(at(cli.certificate("v1.v2.agent"), "state") == Json("revoked"));
  CHECK(cli.auth({"remote", "sync"}).exit_code == 1);
}

TEST_CASE("remote: credentials are decided where requests for certificates cannot be read") {
  CertificateCli cli;
  cli.ask("v1.v2.agent");
  add_pending_credentials(cli.home, "stranger");
  cli.home.write("config", "[volttron]\n");
  const Outcome listed = cli.auth({"remote", "list"});
  CHECK(listed.exit_code == 1);
  CHECK_THAT(listed.out, Contains("stranger"));
  CHECK_THAT(listed.err, Contains("instance-name = NAME"));
  CHECK_THAT(cli.auth({"remote", "deny", "v1.v2.agent"}).err, Contains("instance-name = NAME"));
  CHECK(cli.auth({"remote", "deny", "stranger"}).exit_code == 0);
  CHECK(cli.auth({"lint"}).exit_code == 0);
}

TEST_CASE("remote: a home without certificates is listed as before") {
  Cli cli;
  add_pending_credentials(cli.home, "stranger");
  CHECK(cli.auth({"remote", "list"}).out ==
        "USER_ID  ADDRESS  STATUS  CREDENTIALS\nstranger 10.0.0.1 PENDING " + std::string(kAlice) + "\n");
  CHECK_THAT(cli.auth({"remote", "list", "--json"}).out, !Contains("kind"));
  CHECK(cli.auth({"remote", "deny", "stranger", "--kind", "csr"}).exit_code == 1);
  CHECK(cli.auth({"remote", "deny", "stranger"}).exit_code == 0);
}

TEST_CASE("lint: reports certificates near their end, and what is wrong with keys and the revocation list") {
  CertificateCli cli;
  REQUIRE(cli.authority().client_certificate(*CommonName::parse("v1.admin")));
  REQUIRE(cli.auth({"certs", "crl"}).exit_code == 0);
  CHECK(cli.auth({"lint"}).out == "nothing found\n");

  cli.home.set_mode("certificates/private/v1.admin.pem", 0644);
  const Outcome open = cli.auth({"lint"});
  CHECK(open.exit_code == 1);
  CHECK_THAT(open.out, Contains("certificates/private/v1.admin.pem") && Contains("[key-file-modes]"));
  cli.home.set_mode("certificates/private/v1.admin.pem", 0600);

  cli.now += std::chrono::days(25);
  CHECK_THAT(cli.auth({"lint"}).out, Contains("[revocation-list-old]") && Contains("vctl auth certs crl"));
  cli.now += std::chrono::days(10);
  CHECK(cli.auth({"lint"}).exit_code == 1);
  REQUIRE(cli.auth({"certs", "crl"}).exit_code == 0);
  CHECK(cli.auth({"lint"}).out == "nothing found\n");

  cli.now += std::chrono::days(310);
  REQUIRE(cli.auth({"certs", "crl"}).exit_code == 0);
  const Outcome ending = cli.auth({"lint"});
  CHECK(ending.exit_code == 0);
  CHECK_THAT(ending.out, Contains("[certificate-ending]") && Contains("vctl auth certs renew v1.admin"));
  cli.now += std::chrono::days(25);
  CHECK_THAT(cli.auth({"lint"}).out, Contains("[certificate-expired]"));
  REQUIRE(cli.auth({"certs", "renew", "v1.admin"}).exit_code == 0);
  REQUIRE(cli.auth({"certs", "crl"}).exit_code == 0);
  CHECK(cli.auth({"lint"}).out == "nothing found\n");
}

TEST_CASE("certs: warns where what is done is not audited, and lint tells of requests in doubt") {
  CertificateCli cli;
  cli.home.make_folder("audit");
  cli.home.set_mode("audit", 0777);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"certs", "create", "v1.broker", "--host", "localhost"},
        {"certs", "renew", "v1.broker"},
        {"certs", "revoke", "v1.broker"}}) {
    INFO(words[1]);
    const Outcome outcome = cli.auth(words);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.err, Contains("this change is not in the audit log"));
  }
  cli.home.write("certificates/pending_csr/v1.v2.x.json", "damaged");
  const Outcome lint = cli.auth({"lint"});
  CHECK(lint.exit_code == 0);
  CHECK_THAT(lint.out, StartsWith("warning: certificates/pending_csr: v1.v2.x.json"));
}

TEST_CASE("web-user: adds, lists, and removes who may log in") {
  Cli cli;
  CHECK(cli.auth({"web-user", "list"}).out == "No web users\n");
  const Outcome added = cli.auth({"web-user", "add", "alice"}, "correct horse battery\n");
  CHECK(added.exit_code == 0);
  CHECK(added.out == "added alice (groups admin)\n");
  CHECK_THAT(cli.home.read("web-users.json"), !Contains("correct horse"));
  CHECK(cli.auth({"web-user", "list"}).out == "NAME  GROUPS\nalice admin\n");

  const std::string before = cli.home.read("web-users.json");
  for (const std::string& input : {std::string(), std::string("\n"), std::string("short\n")}) {
    CHECK(cli.auth({"web-user", "add", "bob"}, input).exit_code == 1);
  }
  CHECK(cli.auth({"web-user", "add", "alice"}, "another password\n").exit_code == 1);
  CHECK(cli.auth({"web-user", "add", "../bob"}, "another password\n").exit_code == 1);
  CHECK(cli.auth({"web-user", "add", "bob", "secret"}).exit_code == 64);
  CHECK(cli.home.read("web-users.json") == before);
  CHECK(cli.auth({"web-user", "add", "alice", "--replace"}, "another password\n").exit_code == 0);
  CHECK(cli.home.read("web-users.json") != before);

  CHECK(cli.auth({"web-user", "remove", "bob"}).exit_code == 1);
  CHECK(cli.auth({"web-user", "remove", "alice"}).out == "removed alice\n");
  CHECK(cli.auth({"web-user", "list"}).out == "No web users\n");
}

TEST_CASE("web-user: warns where the audit log cannot be written") {
  Cli cli;
  CHECK(cli.auth({"web-user", "add", "alice"}, "correct horse battery\n").err.empty());
  cli.home.make_folder("audit");
  cli.home.set_mode("audit", 0777);
  const Outcome added = cli.auth({"web-user", "add", "bob"}, "correct horse battery\n");
  CHECK(added.exit_code == 0);
  CHECK_THAT(added.err, Contains("this change is not in the audit log"));
  const Outcome removed = cli.auth({"web-user", "remove", "bob"});
  CHECK(removed.exit_code == 0);
  CHECK_THAT(removed.err, Contains("this change is not in the audit log"));
  CHECK(cli.auth({"web-user", "list"}).out == "NAME  GROUPS\nalice admin\n");
}

TEST_CASE("web-user add: at a terminal the password is asked for twice and not shown") {
  Cli cli;
  cli.is_terminal = true;
  const Outcome differ = cli.auth({"web-user", "add", "alice"}, "correct horse\nanother horse\n");
  CHECK(differ.exit_code == 1);
  CHECK_THAT(differ.err, Contains("two passwords"));
  CHECK_FALSE(cli.home.has("web-users.json"));
  CHECK(cli.echo == std::vector<bool>{false, true, false, true});
  CHECK(cli.auth({"web-user", "add", "alice"}, "correct horse\ncorrect horse\n").exit_code == 0);
  CHECK_THAT(differ.out + differ.err, !Contains("horse"));
}

TEST_CASE("csr request: wrong usage") {
  Cli cli;
  CHECK(cli.auth({"csr", "request", "https://localhost:1"}).exit_code == 64);
  CHECK(cli.auth({"csr", "request", "https://localhost:1", "--ca", "x", "--fingerprint", "y"}).exit_code ==
        64);
  const std::string fingerprint(64, 'a');
  const Outcome unnamed = cli.auth({"csr", "request", "https://localhost:1", "--fingerprint", fingerprint});
  CHECK(unnamed.exit_code == 1);
  CHECK_THAT(unnamed.err, Contains("--instance NAME"));
  const Outcome clear =
      cli.auth({"csr", "request", "http://localhost:1", "--fingerprint", fingerprint, "--instance", "v2"});
  CHECK(clear.exit_code == 1);
  CHECK_THAT(clear.err, Contains("https only"));
  CHECK_FALSE(cli.home.has("certificates"));
}

TEST_CASE("serve: says what the configuration lacks") {
  Cli cli;
  CHECK_THAT(cli.auth({"serve"}).err, Contains("instance-name"));
  cli.home.write("config", "[volttron]\ninstance-name = v1\n");
  CHECK_THAT(cli.auth({"serve"}).err, Contains("bind-web-address"));
  cli.home.write("config", "[volttron]\ninstance-name = v1\nbind-web-address = http://127.0.0.1:0\n");
  const Outcome clear = cli.auth({"serve"});
  CHECK(clear.exit_code == 1);
  CHECK_THAT(clear.err, Contains("https"));
}

}  // namespace vipauth::test
