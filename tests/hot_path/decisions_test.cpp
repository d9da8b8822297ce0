#include <array>
#include <string>
#include <string_view>

#include <vipauth/auth_service.hpp>

#include "hot_path/allocations.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/policies.hpp"
#include "support/temp_home.hpp"

namespace vipauth::test {
namespace {

const std::string kPolicy =
    "{'allow':[{'user_id':'a-user-with-a-long-name-of-its-own','identity':'an-agent-with-a-long-name-of-its-"
    "own',"
    "'credentials':'" +
    kKeyA +
    "','roles':['r'],'capabilities':{'own':{'identity':'an-agent-with-a-long-name-of-its-own'},"
    "'exact':{'x':1.50},'regex':{'x':'/val.*/'}}},"
    "{'user_id':'callee','identity':'callee','credentials':'" +
    kKeyB +
    "','rpc_method_authorizations':{'m':['own'],'n':['exact','role'],'o':['regex'],'p':['']}}],"
    "'roles':{'r':['role','publish']},'version':{'major':1,'minor':4}}";
constexpr std::string_view kUser = "a-user-with-a-long-name-of-its-own";
constexpr std::string_view kIdentity = "an-agent-with-a-long-name-of-its-own";

AuthService open(const TempHome& home) {
  home.write("auth.json", json(kPolicy).dump());
  home.write("protected_topics.json",
             json("{'write-protect':[{'topic':'t','capabilities':['publish']}]}").dump());
  AuthService::Options options;
  options.watch = false;
  return must(AuthService::open(home.path(), std::move(options)));
}

CallArguments arguments(std::string_view text) { return CallArguments(json(text).as_object()); }

/// \param ask  allows; it is asked once before it is counted, since RE2 makes its automaton then
template <typename Ask>
void check_none(std::string_view what, Ask ask) {
  CAPTURE(what);
  bool allowed = ask();
  const std::size_t count = allocations_of([&] {
    for (int i = 0; i < 100; ++i) allowed = ask() && allowed;
  });
  CHECK(count == 0U);
  CHECK(allowed);
}

}  // namespace

TEST_CASE("allocations: none for a peer that is accepted") {
  const TempHome home;
  const AuthService service = open(home);
  const auto policy = service.policy()->current().snapshot;
  for (const std::string_view address :
       {"127.0.0.1", "2001:db8:1234:5678:9abc:def0:1234:5678", "::ffff:10.0.0.1"}) {
    check_none(address, [&] {
      const auto answer =
          policy->authenticator.authenticate({"a-domain-with-a-long-name", address, key(kKeyA)});
      return answer.decision.allowed() && answer.user_id == kUser && answer.identity == kIdentity;
    });
  }
}

TEST_CASE("allocations: none for what a session may do") {
  const TempHome home;
  const AuthService service = open(home);
  Session session = service.session({std::string(kUser), Mechanism::kCurve, kKeyA, "vip", "127.0.0.1"});
  REQUIRE(session.check());
  check_none("verify_sender", [&] { return session.verify_sender(kIdentity).allowed(); });
  const CallArguments own = arguments("{'identity':'" + std::string(kIdentity) + "'}");
  const CallArguments exact = arguments("{'x':1.50}");
  const CallArguments regex = arguments("{'x':'value'}");
  check_none("own name", [&] { return session.authorize_call(CallRequest{"callee", "m", own}).allowed(); });
  check_none("exact", [&] { return session.authorize_call(CallRequest{"callee", "n", exact}).allowed(); });
  check_none("pattern", [&] { return session.authorize_call(CallRequest{"callee", "o", regex}).allowed(); });
  check_none("open", [&] { return session.authorize_call(CallRequest{"callee", "p", own}).allowed(); });
  const std::array<std::string, 2> one_of{"none", "role"};
  check_none("operation", [&] {
    return session.authorize_operation(CallRequest{"platform.auth", "x", exact}, std::span(one_of).subspan(1))
        .allowed();
  });
  check_none("publish",
             [&] { return session.authorize_publish("t/a-topic-that-is-somewhat-long").allowed(); });
  check_none("receive",
             [&] { return session.authorize_receive("t/a-topic-that-is-somewhat-long").allowed(); });
  check_none("check", [&] { return session.check().allowed(); });
  CHECK_FALSE(session.authorize_call(CallRequest{"callee", "o", arguments("{'x':'other'}")}));
  CHECK_FALSE(session.verify_sender("callee"));
}

TEST_CASE("allocations: none for what a user may do, asked by name") {
  const TempHome home;
  const AuthService service = open(home);
  const auto live = service.policy();
  const CallArguments exact = arguments("{'x':1.50}");
  check_none("call", [&] {
    return live->current().snapshot->authorize_call(kUser, CallRequest{"callee", "n", exact}).allowed();
  });
  check_none("publish", [&] { return live->current().snapshot->authorize_publish(kUser, "t/x").allowed(); });
}

}  // namespace vipauth::test
