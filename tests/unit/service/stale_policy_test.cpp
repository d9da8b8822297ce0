// A policy that may be too old to let in anybody new.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <vipauth/audit_trail.hpp>
#include <vipauth/auth_metrics.hpp>
#include <vipauth/auth_service.hpp>

#include "support/asking.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/homes.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

using namespace std::chrono_literals;
using Catch::Contains;

const Error kWhy{ErrorCode::kUnavailable, "nothing was heard for 90 s", "etcd://host/prefix"};

class Bus {
 public:
  /// \param watch  a thread looks at the time
  explicit Bus(bool watch = false) {
    home.write("auth.json",
               auth_file({user_record("alice", kKeyA),
                          json("{'user_id': 'bob', 'mechanism': 'PLAIN', 'credentials': 'the password'}"),
                          json("{'user_id': 'local', 'mechanism': 'NULL', 'address': '10.0.0.9'}")},
                         "{'deny': [{'user_id': 'eve', 'credentials': '" + kKeyB + "'}]}"));
    AuthService::Options options;
    options.trust_same_user_ipc = true;
    options.audit.emplace();
    options.clock = [] { return kNow; };
    options.log = book.sink();
    if (!watch) {
      service.emplace(open_service(home, std::move(options)));
      return;
    }
    auto opened = AuthService::open(home.path(), std::move(options));
    if (!opened) throw std::runtime_error(opened.error().to_string());
    service.emplace(std::move(*opened));
  }

  std::string ask(const std::string& key) const { return ask_curve(zap(), key).status_code; }
  ZapAuthenticator zap() const { return service->zap_authenticator(); }
  std::uint64_t count(Mechanism mechanism, Reason reason) const {
    const AuthMetrics metrics = service->metrics();
    for (const auto& row : metrics.authentications) {
      if (row.mechanism == mechanism && row.reason == reason) return row.count;
    }
    return 999;
  }
  std::vector<Json> lines(std::string_view kind) {
    CHECK(service->flush());
    std::vector<Json> out;
    CHECK(AuditTrail(home / "audit").read([&](const Json& line) {
      if (*line.find("kind") == Json(kind)) out.push_back(line);
    }));
    return out;
  }

  TempHome home;
  LogBook book;
  std::optional<AuthService> service;
};

}  // namespace

TEST_CASE("AuthService: while its policy is too old, it refuses every new peer for now") {
  Bus bus;
  const ZapAuthenticator before = bus.zap();
  CHECK(bus.ask(kKeyA) == "200");
  CHECK(bus.ask(kKeyB) == "400");
  CHECK_FALSE(bus.service->refuses_new_peers());

  bus.service->refuse_new_peers(kWhy);
  REQUIRE(bus.service->refuses_new_peers());
  CHECK(bus.service->refuses_new_peers()->message == kWhy.message);
  for (const ZapReply& reply :
       {ask_curve(bus.zap(), kKeyA), ask_curve(before, kKeyA), ask_curve(bus.zap(), kKeyB),
        ask_curve(bus.zap(), kKeyC), ask_plain(bus.zap(), "bob", "the password"),
        ask_plain(bus.zap(), "bob", "another"), ask_null(bus.zap(), "10.0.0.9"), ask_null(bus.zap())}) {
    CHECK(reply.status_code == "300");
    CHECK(reply.status_text == "the policy is too old");
    CHECK(reply.user_id.empty());
    CHECK(reply.metadata.empty());
  }

  bus.service->refuse_new_peers({});
  CHECK_FALSE(bus.service->refuses_new_peers());
  CHECK(bus.ask(kKeyA) == "200");
  CHECK(ask_curve(before, kKeyA).status_code == "200");
  CHECK(bus.ask(kKeyB) == "400");
  CHECK(ask_plain(bus.zap(), "bob", "the password").status_code == "200");
  CHECK(ask_null(bus.zap(), "10.0.0.9").status_code == "200");
}

TEST_CASE("AuthService: while its policy is too old, peers of its own user over IPC get in, and no others") {
  Bus bus;
  bus.service->refuse_new_peers(kWhy);
  CHECK(ask_null(bus.zap(), "localhost:" + std::to_string(::geteuid()) + ":0:1").status_code == "200");
  CHECK(ask_null(bus.zap(), "localhost:" + std::to_string(::geteuid() + 1) + ":0:1").status_code == "300");
}

TEST_CASE("AuthService: while its policy is too old, sessions go on under it") {
  Bus bus;
  Session alice = session_for(*bus.service, "alice", kKeyA);
  CHECK(alice.authorize_publish("topic"));
  bus.service->refuse_new_peers(kWhy);
  CHECK(alice.authorize_publish("topic"));
  CHECK(bus.service->authorize_publish("alice", "topic"));
  bus.home.write("auth.json", auth_file({}));  // a newer policy counts for them, whatever its age
  REQUIRE(bus.service->reload());
  CHECK_FALSE(alice.authorize_publish("topic"));
  CHECK(bus.ask(kKeyA) == "300");
}

TEST_CASE("AuthService: who is refused for the policy's age is no stranger, and is not penalised") {
  Bus bus;
  bus.service->refuse_new_peers(kWhy);
  REQUIRE(bus.service->begin_setup_mode(10min));
  for (int i = 0; i < 100; ++i) CHECK(bus.ask(kKeyC) == "300");
  CHECK(bus.service->penalties().sources == 0);
  CHECK(bus.service->get_pending_authorizations()->empty());
  bus.service->end_setup_mode();
  bus.service->refuse_new_peers({});
  CHECK(bus.ask(kKeyC) == "300");
  CHECK(bus.service->get_pending_authorizations()->size() == 1);
  CHECK(bus.service->penalties().sources == 1);
}

TEST_CASE("AuthService: a shadow policy is not compared with a policy that is too old") {
  Bus bus;
  bus.home.write("candidate.json", bus.home.read("auth.json"));
  REQUIRE(bus.service->set_shadow_policy(bus.home / "candidate.json"));
  bus.service->refuse_new_peers(kWhy);
  CHECK(bus.ask(kKeyA) == "300");
  const auto report = bus.service->shadow_report();
  REQUIRE(report);
  CHECK(report->authentications.skipped == 1);
  CHECK(report->authentications.only_candidate_allows == 0);
}

TEST_CASE("AuthService: that it refuses new peers is counted, logged and audited when it begins and ends") {
  Bus bus;
  CHECK(bus.count(Mechanism::kCurve, Reason::kStale) == 0);
  CHECK_THAT(to_prometheus(bus.service->metrics()), Contains("\nvipauth_policy_stale 0\n"));
  bus.service->refuse_new_peers(kWhy);
  bus.service->refuse_new_peers(Error{ErrorCode::kUnavailable, "nothing was heard for 120 s", ""});
  CHECK(bus.service->refuses_new_peers()->message == "nothing was heard for 120 s");
  CHECK(bus.ask(kKeyA) == "300");
  CHECK(bus.count(Mechanism::kCurve, Reason::kStale) == 1);
  CHECK_THAT(to_prometheus(bus.service->metrics()),
             Contains("\nvipauth_policy_stale 1\n") &&
                 Contains("{mechanism=\"CURVE\",outcome=\"refused\",reason=\"stale\"} 1\n"));
  bus.service->refuse_new_peers({});
  bus.service->refuse_new_peers({});

  CHECK(bus.book.count(LogLevel::kWarning,
                       "new peers are refused: etcd://host/prefix: nothing was heard for 90 s") == 1);
  CHECK(bus.book.count(LogLevel::kWarning, "new peers are refused") == 1);
  CHECK(bus.book.count(LogLevel::kWarning, "new peers are let in again") == 1);
  const std::vector<Json> lines = bus.lines("policy");
  REQUIRE(lines.size() == 3);
  CHECK(*lines[1].find("allowed") == Json(false));
  CHECK(lines[1].text_at("reason") == "stale");
  CHECK_THAT(lines[1].text_at("message"), Contains("nothing was heard for 90 s"));
  CHECK(*lines[2].find("allowed") == Json(true));
  CHECK(lines[2].find("reason") == nullptr);
  const std::vector<Json> asked = bus.lines("authentication");
  REQUIRE_FALSE(asked.empty());
  CHECK(asked.back().text_at("reason") == "stale");
}

TEST_CASE("AuthService: the log may ask why new peers are refused") {
  const TempHome home;
  home.write("auth.json", auth_file({}));
  AuthService* asked = nullptr;
  bool has_told = false;
  AuthService::Options options;
  options.log = [&](LogLevel, const std::string&) {
    if (asked != nullptr) has_told = asked->refuses_new_peers().has_value();
  };
  AuthService service = open_service(home, std::move(options));
  asked = &service;
  service.refuse_new_peers(kWhy);
  CHECK(has_told);
}

TEST_CASE("AuthService: what its embedder refuses for lasts, whatever the age of the policy is") {
  Bus bus;
  std::optional<std::chrono::milliseconds> age = 1h;
  bus.service->refuse_new_peers(kWhy);
  bus.service->set_policy_age([&] { return age; }, 24h);
  CHECK(bus.ask(kKeyA) == "300");  // the policy is young enough
  REQUIRE(bus.service->reload());
  CHECK(bus.service->refuses_new_peers()->message == kWhy.message);
  bus.service->set_policy_age({}, 24h);
  CHECK(bus.service->refuses_new_peers()->message == kWhy.message);
  bus.service->refuse_new_peers({});
  CHECK(bus.ask(kKeyA) == "200");
  CHECK(bus.book.count(LogLevel::kWarning, "new peers are") == 2);
}

TEST_CASE("AuthService: an age that is too great lasts, whatever its embedder says") {
  Bus bus;
  std::optional<std::chrono::milliseconds> age = 25h;
  bus.service->set_policy_age([&] { return age; }, 24h);
  CHECK(bus.ask(kKeyA) == "300");
  bus.service->refuse_new_peers(kWhy);
  bus.service->refuse_new_peers({});
  REQUIRE(bus.service->refuses_new_peers());
  CHECK_THAT(bus.service->refuses_new_peers()->message, Contains("86400 s"));
  CHECK(bus.ask(kKeyA) == "300");
  SECTION("until it is young enough") {
    age = 1h;
    bus.service->set_policy_age([&] { return age; }, 24h);
  }
  SECTION("until any age will do") {
    bus.service->set_policy_age([&] { return age; });
  }
  SECTION("until there is none to be judged") { bus.service->set_policy_age({}, 24h); }
  CHECK_FALSE(bus.service->refuses_new_peers());
  CHECK(bus.ask(kKeyA) == "200");
}

TEST_CASE("AuthService: whoever ends refusing while the age is judged ends it") {
  Bus bus;
  std::atomic<int> judged = 0;
  std::jthread judging([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); ++judged) bus.service->set_policy_age([] { return 25h; }, 24h);
  });
  while (judged < 50) {
    bus.service->refuse_new_peers(kWhy);
    bus.service->refuse_new_peers({});
  }
  judging.request_stop();
  judging.join();
  CHECK(bus.service->refuses_new_peers());
  bus.service->set_policy_age({});
  CHECK_FALSE(bus.service->refuses_new_peers());
  CHECK(bus.ask(kKeyA) == "200");
}

TEST_CASE("AuthMetrics: the age of the policy is told where it follows a store") {
  Bus bus;
  CHECK_FALSE(bus.service->metrics().policy_age);
  CHECK_THAT(to_prometheus(bus.service->metrics()), !Contains("policy_age"));
  std::optional<std::chrono::milliseconds> age;
  bus.service->set_policy_age([&] { return age; });
  CHECK_FALSE(bus.service->metrics().policy_age);  // it was never known
  age = 12'900ms;
  CHECK(bus.service->metrics().policy_age == 12s);
  CHECK_THAT(to_prometheus(bus.service->metrics()), Contains("\nvipauth_policy_age_seconds 12\n"));
  age = -5s;  // the clock was set back
  CHECK_THAT(to_prometheus(bus.service->metrics()), Contains("\nvipauth_policy_age_seconds 0\n"));
  bus.service->set_policy_age({});
  CHECK_FALSE(bus.service->metrics().policy_age);
}

TEST_CASE("AuthService: who tells the age may go while others ask") {
  Bus bus;
  std::jthread asking([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) static_cast<void>(bus.service->metrics());
  });
  for (int i = 0; i < 200; ++i) {
    auto age = std::make_unique<std::chrono::milliseconds>(i);
    bus.service->set_policy_age([told = age.get()] { return *told; });
    bus.service->set_policy_age({});
    age.reset();  // nobody asks it any more
  }
}

TEST_CASE("AuthService: a policy older than is allowed lets in nobody new, until it is known again") {
  Bus bus(true);
  std::atomic<int> age = 10;  // seconds; negative: it was never known
  const auto tell = [&]() -> std::optional<std::chrono::milliseconds> {
    if (age < 0) return std::nullopt;
    return std::chrono::seconds(age);
  };
  bus.service->set_policy_age(tell, 60s);
  CHECK(bus.ask(kKeyA) == "200");
  age = 61;
  CHECK(eventually([&] { return bus.ask(kKeyA) == "300"; }));
  CHECK_THAT(bus.service->refuses_new_peers()->message, Contains("61 s ago"));
  age = 60;
  CHECK(eventually([&] { return bus.ask(kKeyA) == "200"; }));
  age = -1;
  CHECK(eventually([&] { return bus.ask(kKeyA) == "300"; }));
  bus.service->set_policy_age(tell);
  CHECK(bus.ask(kKeyA) == "200");
  CHECK(eventually([&] { return !bus.service->metrics().policy_age; }));
}
