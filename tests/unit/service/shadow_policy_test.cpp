#include <vipauth/shadow_policy.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <vipauth/administration.hpp>
#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

using namespace vipauth;
using namespace vipauth::test;
using namespace std::chrono_literals;

namespace {

const std::string kVersion = R"("version": {"major": 1, "minor": 4})";

std::string record(const std::string& user_id, const std::string& key, const std::string& more = "") {
  return R"({"user_id": ")" + user_id + R"(", "credentials": ")" + key + "\"" +
         (more.empty() ? "" : ", " + more) + "}";
}

std::string allowing(const std::string& records) {
  return "{\"allow\": [" + records + "], " + kVersion + "}";
}

const std::string kCap = R"("capabilities": ["CAP"])";
const std::string kCallee =
    record("callee", kKeyC, R"("identity": "agent.c", "rpc_method_authorizations": {"m": ["CAP"]})");

/// A service with a live policy and, once asked for, a candidate beside it.
struct Shadowed {
  explicit Shadowed(const std::string& live, AuthService::Options options = still()) {
    home.write("auth.json", live);
    home.make_folder("next");
    options.clock = [this] { return Timestamp(std::chrono::milliseconds(now.load())); };
    service.emplace(std::move(*AuthService::open(home.path(), std::move(options))));
  }

  static AuthService::Options still() {
    AuthService::Options options;
    options.watch = false;
    return options;
  }

  void set(const std::string& candidate) {
    home.write("next/auth.json", candidate);
    const auto set = service->set_shadow_policy(home / "next/auth.json");
    INFO((set ? "" : set.error().to_string()));
    REQUIRE(set);
  }

  std::string status(const std::string& key) const {
    return ask_curve(service->zap_authenticator(), key).status_code;
  }
  Session session(const std::string& user_id, const std::string& key) const {
    return service->session({user_id, Mechanism::kCurve, key, "vip", "127.0.0.1"});
  }
  ShadowReport report() const { return service->shadow_report().value(); }

  std::atomic<std::int64_t> now = kNow.time_since_epoch().count();
  TempHome home;
  std::optional<AuthService> service;
};

}  // namespace

TEST_CASE("ShadowPolicy: there is none unless set, and none when cleared") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  CHECK_FALSE(shadowed.service->shadow_report());
  shadowed.set(allowing(record("a", kKeyA)));
  CHECK(shadowed.report().auth_file == shadowed.home / "next/auth.json");
  CHECK(shadowed.report().since == kNow);
  shadowed.service->clear_shadow_policy();
  CHECK_FALSE(shadowed.service->shadow_report());
  CHECK(shadowed.status(kKeyA) == "200");
}

TEST_CASE("ShadowPolicy: a candidate that cannot be loaded is an error and changes nothing") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  const auto set = [&](const std::string& topics = "") {
    return shadowed.service->set_shadow_policy(shadowed.home / "next/auth.json",
                                               topics.empty() ? "" : shadowed.home / topics);
  };
  CHECK(set().error().code == ErrorCode::kNotFound);
  CHECK_FALSE(shadowed.service->shadow_report());
  shadowed.set(allowing(record("a", kKeyA)));
  CHECK(shadowed.status(kKeyA) == "200");

  shadowed.home.write("next/auth.json", "{");
  CHECK(set().error().location == "auth.json:1:2");
  shadowed.home.write("next/auth.json", R"({"deny": [{"credentials": "/(/"}], )" + kVersion + "}");
  CHECK(set().error().location == "auth.json: /deny/0/credentials");
  shadowed.home.write("next/auth.json", allowing(""));
  CHECK(set("next/topics.json").error().code == ErrorCode::kNotFound);
  shadowed.home.write("next/topics.json", "[]");
  CHECK_FALSE(set("next/topics.json"));
  shadowed.home.set_mode("next/auth.json", 0666);
  CHECK(set().error().code == ErrorCode::kPermissionDenied);
  CHECK(shadowed.report().authentications.agreed == 1);  // the one before is still there
}

TEST_CASE("ShadowPolicy: authentications are compared, and none is decided by it") {
  Shadowed shadowed(allowing(record("a", kKeyA) + ", " + record("b", kKeyB)));
  shadowed.set(allowing(record("a", kKeyA) + ", " + record("c", kKeyC)));
  CHECK(shadowed.status(kKeyA) == "200");
  CHECK(shadowed.status(kKeyB) == "200");
  CHECK(shadowed.status(kKeyB) == "200");
  CHECK(shadowed.status(kKeyC) == "300");
  const ShadowReport report = shadowed.report();
  CHECK(report.authentications.agreed == 1);
  CHECK(report.authentications.only_live_allows == 2);
  CHECK(report.authentications.only_candidate_allows == 1);
  CHECK(report.disagreed() == 3);
  REQUIRE(report.samples.size() == 2);
  const ShadowSample& b = report.samples[0];
  CHECK(b.kind == "authentication");
  CHECK(b.user_id == "b");
  CHECK(b.subject == kKeyB);
  CHECK(b.address == "127.0.0.1");
  CHECK(b.live_allows);
  CHECK(b.candidate_reason == Reason::kUnknown);
  CHECK(b.candidate_message.find("no record accepts this key") == 0);
  CHECK(b.count == 2);
  const ShadowSample& c = report.samples[1];
  CHECK(c.user_id == "c");
  CHECK_FALSE(c.live_allows);
  CHECK(c.candidate_allows);
  CHECK(c.candidate_source == std::vector<std::string>{"/allow/1"});
}

TEST_CASE("ShadowPolicy: the same key as another user is a disagreement, of its sessions too") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  shadowed.set(allowing(record("renamed", kKeyA)));
  CHECK(shadowed.status(kKeyA) == "200");
  CHECK(shadowed.session("a", kKeyA).authorize_publish("topic").allowed());
  const ShadowReport report = shadowed.report();
  CHECK(report.authentications.other_user == 1);
  CHECK(report.publishes.only_live_allows == 1);
  REQUIRE(report.samples.size() == 2);
  CHECK(report.samples[0].candidate_message == "the peer would be the user 'renamed'");
  CHECK(report.samples[0].candidate_allows);
  CHECK(report.samples[1].candidate_reason == Reason::kRevoked);
}

TEST_CASE("ShadowPolicy: each kind of question to a session is compared") {
  Shadowed shadowed(allowing(record("a", kKeyA, kCap + R"(, "identity": "agent.a")") + ", " +
                             record("b", kKeyB) + ", " + kCallee));
  shadowed.home.write("next/topics.json",
                      R"({"write-protect": [{"topic": "guarded", "capabilities": "CAP"}],
                          "read-protect": [{"topic": "secret", "capabilities": "CAP"}]})");
  shadowed.home.write("next/auth.json", allowing(record("a", kKeyA, R"("identity": "other.a")") + ", " +
                                                 record("b", kKeyB, kCap) + ", " + kCallee));
  REQUIRE(shadowed.service->set_shadow_policy(shadowed.home / "next/auth.json",
                                              shadowed.home / "next/topics.json"));
  Session a = shadowed.session("a", kKeyA);
  Session b = shadowed.session("b", kKeyB);
  const CallArguments none;
  CHECK(a.verify_sender("agent.a").allowed());
  CHECK_FALSE(b.verify_sender("agent.a").allowed());
  CHECK(a.authorize_call({"agent.c", "m", none}).allowed());
  CHECK_FALSE(b.authorize_call({"agent.c", "m", none}).allowed());
  CHECK(a.authorize_call({"agent.c", "free", none}).allowed());
  CHECK(a.authorize_publish("guarded").allowed());
  CHECK(b.authorize_publish("guarded").allowed());
  CHECK(a.authorize_receive("secret").allowed());
  CHECK(a.authorize_receive("open").allowed());
  const ShadowReport report = shadowed.report();
  CHECK(report.senders.only_live_allows == 1);
  CHECK(report.senders.only_candidate_allows == 1);
  CHECK(report.calls.only_live_allows == 1);
  CHECK(report.calls.only_candidate_allows == 1);
  CHECK(report.calls.agreed == 1);
  CHECK(report.publishes.only_live_allows == 1);
  CHECK(report.publishes.agreed == 1);
  CHECK(report.receives.only_live_allows == 1);
  CHECK(report.receives.agreed == 1);
  bool has_call = false;
  for (const ShadowSample& sample : report.samples) {
    if (sample.kind != "call" || sample.user_id != "a") continue;
    has_call = true;
    CHECK(sample.callee == "agent.c");
    CHECK(sample.subject == "m");
    CHECK(sample.live_reason == Reason::kAllowed);
    CHECK(sample.candidate_reason == Reason::kMissingCapability);
  }
  CHECK(has_call);
}

TEST_CASE("ShadowPolicy: without topic rules of its own it goes by the live ones, as they are by now") {
  Shadowed shadowed(allowing(record("a", kKeyA, kCap)));
  shadowed.set(allowing(record("a", kKeyA)));
  Session a = shadowed.session("a", kKeyA);
  CHECK(a.authorize_publish("guarded").allowed());
  CHECK(shadowed.report().publishes.agreed == 1);
  shadowed.home.write("protected_topics.json",
                      R"({"write-protect": [{"topic": "guarded", "capabilities": "CAP"}]})");
  REQUIRE(shadowed.service->reload());
  CHECK(a.authorize_publish("guarded").allowed());
  CHECK(shadowed.report().publishes.only_live_allows == 1);
}

TEST_CASE("ShadowPolicy: a PLAIN peer is compared by its stored password, which nobody hashes again") {
  const std::string plain = R"({"user_id": "p", "mechanism": "PLAIN", "credentials": "pw"})";
  const std::string changed = R"({"user_id": "p", "mechanism": "PLAIN", "credentials": "other"})";
  Shadowed shadowed(allowing(plain));
  shadowed.set(allowing(plain));
  CHECK(ask_plain(shadowed.service->zap_authenticator(), "p", "pw").status_code == "200");
  CHECK(ask_plain(shadowed.service->zap_authenticator(), "p", "wrong").status_code == "400");
  CHECK(shadowed.report().authentications.agreed == 1);
  CHECK(shadowed.report().authentications.skipped == 1);
  shadowed.set(allowing(changed));
  CHECK(ask_plain(shadowed.service->zap_authenticator(), "p", "pw").status_code == "200");
  CHECK(shadowed.report().authentications.only_live_allows == 1);
  CHECK(shadowed.report().samples.at(0).subject == "p");
}

TEST_CASE("ShadowPolicy: before a live policy is loaded nothing is compared") {
  Shadowed shadowed("{");
  shadowed.set(allowing(record("a", kKeyA)));
  CHECK(shadowed.status(kKeyA) == "300");
  CHECK(shadowed.report().authentications.skipped == 1);
  CHECK(shadowed.report().disagreed() == 0);
}

TEST_CASE("ShadowPolicy: a session that the live policy has revoked may stand under the candidate") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  Session a = shadowed.session("a", kKeyA);
  shadowed.set(allowing(record("a", kKeyA)));
  CHECK(a.authorize_publish("topic").allowed());
  shadowed.home.write("auth.json", allowing(""));
  REQUIRE(shadowed.service->reload());
  CHECK_FALSE(a.authorize_publish("topic").allowed());
  CHECK(shadowed.report().publishes.agreed == 1);
  CHECK(shadowed.report().publishes.only_candidate_allows == 1);
  CHECK(shadowed.report().samples.at(0).live_reason == Reason::kRevoked);
}

TEST_CASE("ShadowPolicy: samples are the newest distinct ones, few and short") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  shadowed.set(allowing(""));
  Session a = shadowed.session("a", kKeyA);
  for (int i = 0; i < 250; ++i) CHECK(a.authorize_publish("topic/" + std::to_string(i)).allowed());
  CHECK(a.authorize_publish("topic/200").allowed());
  ShadowReport report = shadowed.report();
  CHECK(report.publishes.only_live_allows == 251);
  REQUIRE(report.samples.size() == ShadowPolicy::kMaxSamples);
  CHECK(report.samples.back().subject == "topic/200");
  CHECK(report.samples.back().count == 2);
  CHECK(report.samples.front().subject == "topic/150");
  CHECK(a.authorize_publish(std::string(255, 'x') + "\u00e9" + std::string(100'000, 'y')).allowed());
  CHECK(shadowed.report().samples.back().subject == std::string(255, 'x'));
}

TEST_CASE("ShadowPolicy: records of the candidate end in time") {
  Shadowed shadowed(allowing(record("a", kKeyA)), {});
  shadowed.set(allowing(record("a", kKeyA, R"("not_after": "2026-11-21T01:00:00Z")")));
  CHECK(shadowed.status(kKeyA) == "200");
  CHECK(shadowed.report().authentications.agreed == 1);
  shadowed.now += std::chrono::milliseconds(1h).count();
  CHECK(eventually([&] {
    CHECK(shadowed.status(kKeyA) == "200");
    return shadowed.report().authentications.only_live_allows > 0;
  }));
  CHECK(shadowed.report().samples.back().candidate_reason == Reason::kInactive);
}

TEST_CASE("ShadowPolicy: may be asked, replaced and read by many threads at once") {
  Shadowed shadowed(allowing(record("a", kKeyA)));
  shadowed.set(allowing(""));
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      Session a = shadowed.session("a", kKeyA);
      for (int i = 0; i < 500; ++i) {
        static_cast<void>(a.authorize_publish("topic"));
        shadowed.status(kKeyA);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    shadowed.set(allowing(""));
    static_cast<void>(shadowed.report());
    if (i % 5 == 0) shadowed.service->clear_shadow_policy();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(shadowed.service->shadow_report());
}

TEST_CASE("ShadowPolicy: operations of the platform are compared by the capabilities that they take") {
  const std::string approver = record("a", kKeyA, R"("capabilities": ["approve_auth"])");
  Shadowed losing(allowing(approver));
  losing.set(allowing(record("a", kKeyA)));
  Session a = losing.session("a", kKeyA);
  CHECK(Administration(*losing.service, a).get_pending_authorizations());
  CHECK(losing.report().calls.only_live_allows == 1);

  Shadowed gaining(allowing(record("a", kKeyA)));
  gaining.set(allowing(record("a", kKeyA)));
  Session b = gaining.session("a", kKeyA);
  CHECK_FALSE(Administration(*gaining.service, b).get_pending_authorizations());
  CHECK(gaining.report().calls.agreed == 1);
  gaining.set(allowing(approver));
  CHECK_FALSE(Administration(*gaining.service, b).get_pending_authorizations());
  CHECK(gaining.report().calls.only_candidate_allows == 1);
}

TEST_CASE("ShadowPolicy: what agents declare to the live policy counts for the candidate") {
  const std::string agent = record("c", kKeyC, R"("identity": "agent.c")");
  Shadowed shadowed(allowing(record("a", kKeyA) + ", " + agent));
  REQUIRE(shadowed.service->register_methods("agent.d", {{.name = "m", .capabilities = {"CAP"}}}));
  shadowed.set(allowing(record("a", kKeyA) + ", " + agent));
  Session a = shadowed.session("a", kKeyA);
  const CallArguments none;
  CHECK_FALSE(a.authorize_call({.callee = "agent.d", .method = "m", .arguments = none}));
  CHECK(shadowed.report().calls.agreed == 1);
}
