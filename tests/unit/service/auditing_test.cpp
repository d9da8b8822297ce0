// What an AuthService writes to its audit log, and counts.

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include <vipauth/administration.hpp>
#include <vipauth/auth_metrics.hpp>
#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {

using Catch::Contains;

namespace {

constexpr const char* kPolicy = R"({"version": {"major": 1, "minor": 4}, "allow": [
  {"user_id": "alice", "credentials": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
  {"user_id": "bob", "mechanism": "PLAIN", "credentials": "the password of bob"},
  {"user_id": "callee", "identity": "callee", "credentials": "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA",
   "rpc_method_authorizations": {"bar": ["can_call_bar"]}}],
  "roles": {"caller": {"can_call_bar": {"x": 1}}}})";

class Audited {
 public:
  explicit Audited(std::optional<AuditLog::Options> audit = AuditLog::Options()) {
    home.write("auth.json", kPolicy);
    AuthService::Options options;
    options.watch = false;
    options.audit = std::move(audit);
    options.clock = [] { return kNow; };
    options.edit_note = {"root", "test"};
    options.log = book.sink();
    auto opened = AuthService::open(home.path(), options);
    REQUIRE(opened);
    service.emplace(*std::move(opened));
  }

  Session session(const std::string& user_id, const std::string& key) {
    return service->session({user_id, Mechanism::kCurve, key, "vip", "10.0.0.1"});
  }

  std::vector<Json> lines(std::string_view kind) {
    if (service) CHECK(service->flush());
    std::vector<Json> out;
    CHECK(AuditTrail(home / "audit").read([&](const Json& line) {
      if (*line.find("kind") == Json(kind)) out.push_back(line);
    }));
    return out;
  }

  std::string text() {
    std::string out;
    for (const char* kind : {"authentication", "refusal", "change", "policy", "start", "stop"}) {
      for (const Json& line : lines(kind)) out += line.dump() + "\n";
    }
    return out;
  }

  TempHome home;
  LogBook book;
  std::optional<AuthService> service;
};

bool holds(const Json& line, std::string_view name, const Json& value) {
  const Json* member = line.find(name);
  return member != nullptr && *member == value;
}

std::uint64_t refused_calls(const AuthService& service) {
  std::uint64_t out = 0;
  for (const AuthMetrics::Decisions& decisions : service.metrics().decisions) {
    if (decisions.kind == Question::Kind::kCall && !decisions.allowed) out += decisions.count;
  }
  return out;
}

}  // namespace

TEST_CASE("AuthService: audits every authentication") {
  Audited audited;
  const ZapAuthenticator zap = audited.service->zap_authenticator();
  CHECK(ask_curve(zap, kKeyA, "10.0.0.1").status_code == "200");
  CHECK(ask_curve(zap, kKeyB, "10.0.0.2").status_code == "300");
  CHECK(ask_plain(zap, "bob", "the password of bob").status_code == "200");
  CHECK(ask_plain(zap, "bob", "another password").status_code == "400");
  const auto lines = audited.lines("authentication");
  REQUIRE(lines.size() == 4);
  CHECK(holds(lines[0], "allowed", true));
  CHECK(holds(lines[0], "user_id", "alice"));
  CHECK(holds(lines[0], "credentials", kKeyA));
  CHECK(holds(lines[0], "address", "10.0.0.1"));
  CHECK(holds(lines[0], "domain", "vip"));
  CHECK(holds(lines[0], "mechanism", "CURVE"));
  CHECK(holds(lines[0], "reason", "accepted"));
  CHECK(holds(lines[1], "allowed", false));
  CHECK(holds(lines[1], "reason", "unknown"));
  CHECK(lines[1].find("user_id") == nullptr);
  CHECK(holds(lines[2], "user_id", "bob"));
  CHECK(holds(lines[3], "credentials", "bob"));
  CHECK(holds(lines[3], "allowed", false));
}

TEST_CASE("AuthService: audits every refusal, and nothing that is allowed") {
  Audited audited;
  Session alice = audited.session("alice", kKeyA);
  const CallArguments nothing;
  CHECK_FALSE(alice.authorize_call({"callee", "bar", nothing}));
  CHECK(alice.authorize_call({"callee", "free", nothing}));
  CHECK_FALSE(alice.verify_sender("callee"));
  CHECK(alice.verify_sender("alice"));
  CHECK(alice.authorize_publish("topic"));
  CHECK_FALSE(alice.authorize_publish("bad\n"));
  CHECK_FALSE(audited.service->authorize_publish("nobody", "topic"));
  const auto lines = audited.lines("refusal");
  REQUIRE(lines.size() == 4);
  CHECK(holds(lines[0], "user_id", "alice"));
  CHECK(holds(lines[0], "question", "call"));
  CHECK(holds(lines[0], "callee", "callee"));
  CHECK(holds(lines[0], "subject", "bar"));
  CHECK(holds(lines[0], "reason", "missing_capability"));
  CHECK(holds(lines[0], "credentials", kKeyA));
  CHECK_FALSE(lines[0].find("message")->as_string().empty());
  CHECK(holds(lines[1], "question", "sender"));
  CHECK(holds(lines[1], "reason", "wrong_identity"));
  CHECK(holds(lines[2], "subject", "bad\n"));
  CHECK(holds(lines[3], "user_id", "nobody"));
}

TEST_CASE("AuthService: audits changes by anybody once, with who, before and after") {
  Audited audited;
  const AuthFile file(audited.home / "auth.json");
  const auto edited =
      file.edit([](Policy& policy) { return policy.update_allow(0, json("{'roles': ['caller']}")); },
                {.note = {"operator", "auth update"}, .clock = [] { return kNow; }});
  REQUIRE(edited);
  CHECK(edited->warnings.empty());
  REQUIRE(audited.service->reload());
  const auto changes = audited.lines("change");
  REQUIRE(changes.size() == 1);
  CHECK(holds(changes[0], "who", "operator"));
  CHECK(holds(changes[0], "command", "auth update"));
  CHECK(holds(changes[0], "file", "auth.json"));
  CHECK(*changes[0].find("after")->find("allow") == json("[{'user_id': 'alice', 'roles': ['caller']}]"));

  const auto policies = audited.lines("policy");
  REQUIRE(policies.size() == 2);  // at the start, and now
  CHECK(*policies[1].find("digest") == *changes[0].find("digest"));
  CHECK(holds(policies[1], "allowed", true));

  // By hand: no change line, but what was put in force shows.
  std::string text = audited.home.read("auth.json");
  text.replace(text.find("\"caller\""), 8, "\"other\"");
  audited.home.write("auth.json", text);
  REQUIRE(audited.service->reload());
  CHECK(audited.lines("change").size() == 1);
  const auto by_hand = audited.lines("policy");
  REQUIRE(by_hand.size() == 3);
  CHECK(*by_hand[2].find("digest") != *changes[0].find("digest"));
  CHECK(*by_hand[2].find("after")->find("allow") == json("[{'user_id': 'alice', 'roles': ['other']}]"));

  // The same again is nothing new; what is wrong is.
  REQUIRE(audited.service->reload());
  audited.home.write("auth.json", "{");
  CHECK_FALSE(audited.service->reload());
  CHECK_FALSE(audited.service->reload());
  const auto with_problem = audited.lines("policy");
  REQUIRE(with_problem.size() == 4);
  CHECK(holds(with_problem[3], "allowed", false));
}

TEST_CASE("AuthService: audits what administrators do about remote peers") {
  Audited audited;
  const ZapAuthenticator zap = audited.service->zap_authenticator();
  CHECK(ask_curve(zap, kKeyB, "10.0.0.2").status_code == "300");
  const auto pending = audited.service->get_pending_authorizations();
  REQUIRE(pending);
  REQUIRE(pending->size() == 1);
  REQUIRE(audited.service->delete_authorization(pending->front().user_id));
  const auto deleted = audited.lines("change");
  REQUIRE(deleted.size() == 1);
  CHECK(holds(deleted[0], "file", "pending.json"));
  CHECK(holds(deleted[0], "who", "root"));
  CHECK(holds(*deleted[0].find("before"), "credentials", kKeyB));

  CHECK(ask_curve(zap, kKeyB, "10.0.0.2").status_code == "300");
  const auto again = audited.service->get_pending_authorizations();
  REQUIRE(again);
  REQUIRE(audited.service->approve_authorization(again->front().user_id));
  const auto approved = audited.lines("change");
  REQUIRE(approved.size() == 2);
  CHECK(holds(approved[1], "file", "auth.json"));
  CHECK_THAT(approved[1].find("after")->dump(), Contains(kKeyB));
}

TEST_CASE("AuthService: audits what an administrator tried in vain, and about whom") {
  Audited audited;
  audited.home.write(
      "auth.json",
      auth_file({user_record("approver", kKeyA, "{'capabilities':['approve_auth']}"),
                 user_record("limited", kKeyC, "{'capabilities':{'approve_auth':{'user_id':'x'}}}")}));
  REQUIRE(audited.service->reload());
  CHECK(ask_curve(audited.service->zap_authenticator(), kKeyB, "10.0.0.2").status_code == "300");
  const std::string stranger = audited.service->get_pending_authorizations()->at(0).user_id;
  Session approver = audited.session("approver", kKeyA);
  Approval approval;
  approval.capabilities = json("['admin']");
  CHECK_FALSE(Administration(*audited.service, approver).approve_authorization(stranger, approval));
  Session limited = audited.session("limited", kKeyC);
  CHECK_FALSE(Administration(*audited.service, limited).deny_authorization(stranger));
  const auto lines = audited.lines("refusal");
  REQUIRE(lines.size() == 2);
  for (const Json& line : lines) CHECK_THAT(line.find("message")->as_string(), Contains(stranger));
  CHECK_THAT(lines[0].find("message")->as_string(), Contains("does not hold 'admin'"));
}

TEST_CASE("AuthService: no secret is ever in the audit log") {
  Audited audited;
  const ZapAuthenticator zap = audited.service->zap_authenticator();
  static_cast<void>(ask_plain(zap, "bob", "the password of bob"));
  static_cast<void>(ask_plain(zap, "bob", "a wrong password"));
  Session bob = audited.service->session({"bob", Mechanism::kPlain, "a fingerprint", "vip", "10.0.0.1"});
  static_cast<void>(bob.authorize_publish("bad\n"));
  const AuthFile file(audited.home / "auth.json");
  const auto hash = hash_password("a new password");
  REQUIRE(hash);
  Json fields;
  fields.set("credentials", *hash);
  REQUIRE(file.edit([&](Policy& policy) { return policy.update_allow(1, fields); }));
  REQUIRE(audited.service->reload());
  REQUIRE(file.edit([&](Policy& policy) { return policy.remove_allow({1}); }));
  REQUIRE(audited.service->reload());
  const std::string text = audited.text();
  for (const std::string& secret : {std::string("the password of bob"), std::string("a wrong password"),
                                    std::string("a fingerprint"), std::string("argon2"), *hash}) {
    CAPTURE(secret);
    CHECK_THAT(text, !Contains(secret));
  }
  CHECK_THAT(text, Contains("(not shown)"));
}

TEST_CASE("AuthService: a refused argument is not in the audit log") {
  Audited audited;
  const AuthFile file(audited.home / "auth.json");
  REQUIRE(file.edit([](Policy& policy) { return policy.update_allow(0, json("{'roles': ['caller']}")); }));
  REQUIRE(audited.service->reload());
  Session alice = audited.session("alice", kKeyA);
  const CallArguments arguments(Json::Object{{"x", "a secret argument"}});
  const Decision decision = alice.authorize_call({"callee", "bar", arguments});
  CHECK(decision.reason() == Reason::kRestricted);
  const auto lines = audited.lines("refusal");
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0].dump(), !Contains("secret argument"));
  CHECK_THAT(lines[0].find("message")->as_string(), Contains("no grant accepts the arguments"));
}

TEST_CASE("AuthService: its start and its end are audited, and sessions that outlive it harm nothing") {
  Audited audited;
  Session alice = audited.session("alice", kKeyA);
  CHECK(audited.lines("start").size() == 1);
  CHECK(audited.lines("stop").empty());
  audited.service.reset();
  CHECK(audited.lines("stop").size() == 1);
  CHECK_FALSE(alice.verify_sender("callee"));
  CHECK(audited.lines("refusal").empty());
  CHECK(AuditTrail(audited.home / "audit").verify()->is_whole());
}

TEST_CASE("AuthService: a session that outlives it asks its clock no more, and tells no sink") {
  struct Sink final : AuditSink {
    void write(const AuditEvent& event) noexcept override { last = event.kind; }
    AuditEvent::Kind last = AuditEvent::Kind::kStart;
  };
  const TempHome home;
  home.write("auth.json", kPolicy);
  const auto sink = std::make_shared<Sink>();
  int asked = 0;
  AuthService::Options options;
  options.watch = false;
  options.audit_sinks = {sink};
  options.clock = [&asked] {
    ++asked;
    return kNow;
  };
  auto opened = AuthService::open(home.path(), options);
  REQUIRE(opened);
  std::optional<AuthService> service = *std::move(opened);
  Session alice = service->session({"alice", Mechanism::kCurve, kKeyA, "vip", "10.0.0.1"});
  CHECK_FALSE(alice.verify_sender("callee"));
  CHECK(sink->last == AuditEvent::Kind::kRefusal);
  service.reset();
  CHECK(sink->last == AuditEvent::Kind::kStop);
  const int before = asked;
  CHECK_FALSE(alice.verify_sender("callee"));
  CHECK(asked == before);
  CHECK(sink->last == AuditEvent::Kind::kStop);
}

TEST_CASE("AuthService: an audit log that was asked for and cannot be written is an error") {
  const TempHome home;
  home.write("audit", "a file");
  AuthService::Options options;
  options.watch = false;
  options.audit.emplace();
  CHECK_FALSE(AuthService::open(home.path(), options));
  options.audit.reset();
  CHECK(AuthService::open(home.path(), options));
}

TEST_CASE("AuthService: without an audit log nothing is made, and a sink of the embedder is told the same") {
  struct Sink final : AuditSink {
    void write(const AuditEvent& event) noexcept override {
      const std::lock_guard lock(mutex);
      kinds.push_back(event.kind);
    }
    std::mutex mutex;
    std::vector<AuditEvent::Kind> kinds;
  };
  const TempHome home;
  home.write("auth.json", kPolicy);
  const auto sink = std::make_shared<Sink>();
  AuthService::Options options;
  options.watch = false;
  options.audit_sinks = {sink};
  {
    auto service = AuthService::open(home.path(), options);
    REQUIRE(service);
    static_cast<void>(ask_curve(service->zap_authenticator(), kKeyA));
    CHECK_FALSE(service->metrics().audit);
  }
  CHECK_FALSE(home.has("audit"));
  CHECK(sink->kinds == std::vector<AuditEvent::Kind>{AuditEvent::Kind::kStart, AuditEvent::Kind::kPolicy,
                                                     AuditEvent::Kind::kAuthentication,
                                                     AuditEvent::Kind::kStop});
}

TEST_CASE("AuthFile: an edit stands where its audit cannot be written, with a warning") {
  const TempHome home;
  home.write("auth.json", kPolicy);
  home.write("audit", "a file");
  const auto edited =
      AuthFile(home / "auth.json").edit([](Policy& policy) { return policy.remove_allow({0}); });
  REQUIRE(edited);
  CHECK(edited->written);
  REQUIRE(edited->warnings.size() == 1);
  CHECK_THAT(edited->warnings[0], Contains("this change is not in the audit log"));
}

TEST_CASE("AuthMetrics: count by mechanism, question and reason") {
  Audited audited;
  const ZapAuthenticator zap = audited.service->zap_authenticator();
  for (int i = 0; i < 3; ++i) static_cast<void>(ask_curve(zap, kKeyA));
  static_cast<void>(ask_curve(zap, kKeyB));
  Session alice = audited.session("alice", kKeyA);
  CHECK(alice.authorize_publish("topic"));
  CHECK_FALSE(alice.authorize_call({"callee", "bar", CallArguments()}));
  audited.home.write("auth.json", "{");
  CHECK_FALSE(audited.service->reload());
  REQUIRE(audited.service->flush());

  const AuthMetrics metrics = audited.service->metrics();
  const auto authentications = [&](Mechanism mechanism, Reason reason) -> std::uint64_t {
    for (const auto& row : metrics.authentications) {
      if (row.mechanism == mechanism && row.reason == reason) return row.count;
    }
    return 999;
  };
  CHECK(authentications(Mechanism::kCurve, Reason::kAccepted) == 3);
  CHECK(authentications(Mechanism::kCurve, Reason::kUnknown) == 1);
  CHECK(authentications(Mechanism::kPlain, Reason::kDenied) == 0);
  CHECK(metrics.reloads == 1);
  CHECK(metrics.failed_reloads == 1);
  CHECK_FALSE(metrics.is_in_force);
  CHECK(metrics.allow_records == 3);
  CHECK(metrics.pending == 1);
  REQUIRE(metrics.audit);
  CHECK(metrics.audit->written >= 5);
  CHECK(metrics.audit->dropped == 0);

  const std::string text = to_prometheus(metrics);
  for (const char* line : {
           "# TYPE vipauth_authentications_total counter\n",
           "vipauth_authentications_total{mechanism=\"CURVE\",outcome=\"allowed\",reason=\"accepted\"} 3\n",
           "vipauth_authentications_total{mechanism=\"CURVE\",outcome=\"refused\",reason=\"unknown\"} 1\n",
           "vipauth_decisions_total{question=\"publish\",outcome=\"allowed\",reason=\"unprotected\"} 1\n",
           "vipauth_decisions_total{question=\"call\",outcome=\"refused\",reason=\"missing_capability\"} 1\n",
           "vipauth_policy_reloads_total{result=\"failed\"} 1\n",
           "vipauth_policy_in_force 0\n",
           "vipauth_pending_requests 1\n",
           "vipauth_audit_dropped_total 0\n",
       }) {
    CAPTURE(line);
    CHECK_THAT(text, Contains(line));
  }
  CHECK_THAT(text, !Contains(kKeyA) && !Contains("alice") && !Contains("127.0.0.1"));
}

TEST_CASE("AuthMetrics: what many threads decide at once is counted once each") {
  Audited audited;
  const ZapAuthenticator zap = audited.service->zap_authenticator();
  constexpr int kThreads = 8;
  constexpr int kTimes = 500;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      Session alice = audited.service->session({"alice", Mechanism::kCurve, kKeyA, "vip", "10.0.0.1"});
      for (int i = 0; i < kTimes; ++i) {
        static_cast<void>(ask_curve(zap, kKeyA));
        static_cast<void>(alice.authorize_publish("topic"));
        static_cast<void>(alice.verify_sender("callee"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const AuthMetrics metrics = audited.service->metrics();
  std::uint64_t let_in = 0;
  std::uint64_t allowed = 0;
  std::uint64_t refused = 0;
  for (const auto& row : metrics.authentications) let_in += row.count;
  for (const auto& row : metrics.decisions) (row.allowed ? allowed : refused) += row.count;
  CHECK(let_in == std::uint64_t{kThreads} * kTimes);
  CHECK(allowed == std::uint64_t{kThreads} * kTimes);
  CHECK(refused == std::uint64_t{kThreads} * kTimes);
}

TEST_CASE("to_prometheus: each metric has its HELP and TYPE before its samples, once") {
  AuthMetrics metrics;
  metrics.audit = AuthMetrics::Audit{};
  metrics.pending = 0;
  metrics.authentications.push_back({Mechanism::kCurve, true, Reason::kAccepted, 7});
  const std::string text = to_prometheus(metrics);
  std::istringstream lines(text);
  std::string help;
  std::string type;
  std::vector<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    std::string name;
    words >> first >> second >> name;
    if (first == "#" && second == "HELP") {
      help = name;
      CHECK(std::count(seen.begin(), seen.end(), name) == 0);
      seen.push_back(name);
    } else if (first == "#") {
      CHECK(second == "TYPE");
      CHECK(name == help);
      type = name;
    } else {
      CHECK(first.substr(0, first.find('{')) == type);
    }
  }
  CHECK(seen.size() == 10);
  CHECK(text.back() == '\n');
}

TEST_CASE("AuthService: audits what an administrator tried in vain, and did") {
  Audited audited;
  audited.home.write("auth.json",
                     auth_file({user_record("approver", kKeyA, "{'capabilities':['approve_auth']}")}));
  REQUIRE(audited.service->reload());
  CHECK(ask_curve(audited.service->zap_authenticator(), kKeyB, "10.0.0.2").status_code == "300");
  auto pending = audited.service->get_pending_authorizations();
  REQUIRE(pending);
  REQUIRE(pending->size() == 1);
  Session approver = audited.session("approver", kKeyA);
  Administration administration(*audited.service, approver);
  CHECK(refused_calls(*audited.service) == 0);
  Approval approval;
  approval.identity = "control";
  CHECK_FALSE(administration.approve_authorization(pending->front().user_id, approval));
  CHECK(refused_calls(*audited.service) == 1);
  const auto refusals = audited.lines("refusal");
  REQUIRE(refusals.size() == 1);
  CHECK(holds(refusals[0], "user_id", "approver"));
  CHECK(holds(refusals[0], "callee", "platform.auth"));
  CHECK(holds(refusals[0], "subject", "approve_authorization"));
  CHECK(holds(refusals[0], "reason", to_string(Reason::kRestricted)));
  CHECK(holds(refusals[0], "message",
              "about user '" + pending->front().user_id + "': 'control' is a name of the platform"));

  CHECK(audited.lines("change").empty());
  REQUIRE(administration.delete_authorization(pending->front().user_id));
  const auto deleted = audited.lines("change");
  REQUIRE(deleted.size() == 1);
  CHECK(holds(deleted[0], "file", "pending.json"));
  CHECK(holds(deleted[0], "who", "peer:approver"));
  CHECK(holds(deleted[0], "command", "delete_authorization"));

  CHECK(ask_curve(audited.service->zap_authenticator(), kKeyB, "10.0.0.2").status_code == "300");
  pending = audited.service->get_pending_authorizations();
  REQUIRE(pending);
  approval.identity = "free.agent";
  CHECK(administration.approve_authorization(pending->front().user_id, approval));
  CHECK(audited.lines("refusal").size() == 1);
}

}  // namespace vipauth::test
