#include <vipauth/session.hpp>

#include <atomic>
#include <thread>

#include "support/catch.hpp"
#include "support/policies.hpp"

using namespace vipauth;
using namespace vipauth::test;

namespace {

PolicySnapshot snapshot(const std::string& text, std::string_view rules = "{}") {
  auto compiled = PolicySnapshot::compile(policy(text), TopicProtector(topic_rules(rules)), kNow);
  REQUIRE(compiled);
  return *compiled;
}

Acceptance accept(const LivePolicy& live, const std::string& key_text) {
  return live.current()
      .snapshot->authenticator.authenticate({"vip", "127.0.0.1", key(key_text)})
      .acceptance();
}

const std::string kAlice = "{'user_id':'alice','identity':'alice.agent','credentials':'" + kKeyA + "'}";
const std::string kBob = "{'user_id':'bob','credentials':'" + kKeyB + "'}";
const std::string kBoth = "{'allow':[" + kAlice + "," + kBob + "]}";

}  // namespace

TEST_CASE("Session: asks by the policy in force, from the very next question") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  CHECK(alice.authorize_publish("t").allowed());
  live->publish(snapshot(kBoth, "{'write-protect':[{'topic':'t','capabilities':'c'}]}"));
  CHECK(alice.authorize_publish("t").reason() == Reason::kMissingCapability);
  CHECK(alice.authorize_publish("u").allowed());
}

TEST_CASE("Session: is revoked with its record, for protected and unprotected things alike") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  Session bob(live, accept(*live, kKeyB));
  CHECK(alice.check().allowed());
  live->publish(snapshot("{'allow':[" + kBob + "]}"));
  CHECK(alice.check().reason() == Reason::kRevoked);
  CHECK(alice.authorize_publish("t").reason() == Reason::kRevoked);
  CHECK(alice.authorize_receive("t").reason() == Reason::kRevoked);
  CHECK(alice.verify_sender("alice.agent").reason() == Reason::kRevoked);
  CHECK(alice.authorize_call({"bob", "m", CallArguments()}).reason() == Reason::kRevoked);
  CHECK(bob.authorize_publish("t").allowed());
}

TEST_CASE("Session: is revoked with its own key even when the user has another") {
  const auto live = std::make_shared<LivePolicy>(
      snapshot("{'allow':[" + kAlice + ",{'user_id':'alice','credentials':'" + kKeyC + "'}]}"));
  Session old_key(live, accept(*live, kKeyA));
  Session new_key(live, accept(*live, kKeyC));
  live->publish(snapshot("{'allow':[{'user_id':'alice','credentials':'" + kKeyC + "'}]}"));
  CHECK(old_key.check().reason() == Reason::kRevoked);
  CHECK(new_key.check().allowed());
}

TEST_CASE("Session: is revoked when its key comes to mean another user") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  live->publish(snapshot("{'allow':[{'user_id':'mallory','credentials':'" + kKeyA + "'}]}"));
  CHECK(alice.check().reason() == Reason::kRevoked);
}

TEST_CASE("Session: says why it is revoked, and where that is written") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  live->publish(snapshot("{'allow':[{'user_id':'alice','enabled':false,'credentials':'" + kKeyA + "'}]}"));
  CHECK(alice.check().source() == std::vector<std::string>{"/allow/0"});
  CHECK(alice.check().message().find("disabled") != std::string::npos);
  live->publish(snapshot("{'allow':[" + kBob + ",{'user_id':'carol','credentials':'" + kKeyA + "'}]}"));
  CHECK(alice.check().source() == std::vector<std::string>{"/allow/1"});
  CHECK(alice.check().message().find("another user") != std::string::npos);
}

TEST_CASE("Session: stands again when a later policy accepts it again") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  live->publish(snapshot("{}"));
  CHECK_FALSE(alice.check().allowed());
  live->publish(snapshot(kBoth));
  CHECK(alice.check().allowed());
}

TEST_CASE("Session: speaks under its record's identity and no other") {
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  CHECK(alice.identity() == "alice.agent");
  CHECK(alice.verify_sender("alice.agent").allowed());
  CHECK(alice.verify_sender("alice").reason() == Reason::kWrongIdentity);
  CHECK(alice.verify_sender("bob").reason() == Reason::kWrongIdentity);
}

TEST_CASE(
    "Session: a user without identity may take a free name, not another user's and not the platform's") {
  const auto live = std::make_shared<LivePolicy>(
      snapshot("{'allow':[" + kAlice + "," + kBob + ",{'user_id':'asleep','identity':'nap','credentials':'" +
               kKeyC + "','enabled':false}]}"));
  Session bob(live, accept(*live, kKeyB));
  CHECK(bob.verify_sender("bob").allowed());
  CHECK(bob.verify_sender("free.name").allowed());
  for (const std::string_view taken : {"alice", "alice.agent", "nap", "asleep", "platform", "control",
                                       "pubsub", "router", "platform.auth"}) {
    INFO(taken);
    CHECK(bob.verify_sender(taken).reason() == Reason::kWrongIdentity);
  }
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("a/b"), std::string_view("a\0b", 3), std::string_view("\n"),
        std::string_view("\xff"), std::string_view("\x7f")}) {
    CHECK(bob.verify_sender(bad).reason() == Reason::kMalformed);
  }
}

TEST_CASE("Session: a platform name is for the user whose record gives it") {
  const auto live = std::make_shared<LivePolicy>(
      snapshot("{'allow':[{'user_id':'platform','credentials':'" + kKeyA +
               "'},{'user_id':'op','identity':'control','credentials':'" + kKeyB + "'}]}"));
  Session platform(live, accept(*live, kKeyA));
  Session control(live, accept(*live, kKeyB));
  CHECK(platform.verify_sender("platform").allowed());
  CHECK_FALSE(platform.verify_sender("control").allowed());
  CHECK(control.verify_sender("control").allowed());
  CHECK_FALSE(control.verify_sender("platform").allowed());
}

TEST_CASE("Session: the name of a record that is not understood is protected too") {
  const auto live = std::make_shared<LivePolicy>(
      snapshot("{'allow':[{'user_id':'broken','identity':'old.agent','credentials':'short'}," + kBob + "]}"));
  Session bob(live, accept(*live, kKeyB));
  CHECK_FALSE(bob.verify_sender("old.agent").allowed());
  CHECK_FALSE(bob.verify_sender("broken").allowed());
}

TEST_CASE("PolicySnapshot: a call needs what the callee's records require together") {
  const auto s =
      snapshot("{'allow':[{'user_id':'temp','identity':'TempAgent','credentials':'" + kKeyA +
               "','rpc_method_authorizations':{'set':['CAP_SET'],'get':[],'open':[''],'odd':['','x']}},"
               "{'user_id':'temp2','identity':'TempAgent','credentials':'" +
               kKeyB +
               "','enabled':false,'rpc_method_authorizations':{'set':['CAP_MORE']}},"
               "{'user_id':'u','credentials':'" +
               kKeyC + "','capabilities':['CAP_SET']}]}");
  const auto ask = [&](std::string_view method, std::string_view callee = "TempAgent") {
    return s.authorize_call("u", {callee, method, CallArguments()});
  };
  CHECK(ask("get").reason() == Reason::kUnprotected);
  CHECK(ask("open").reason() == Reason::kUnprotected);
  CHECK(ask("undeclared").reason() == Reason::kUnprotected);
  CHECK(ask("set", "Other").reason() == Reason::kUnprotected);
  CHECK(ask("set").message() ==
        "method \"set\" requires capabilities ['CAP_SET', 'CAP_MORE'], but capability list ['CAP_SET'] was "
        "provided");
  CHECK_FALSE(ask("odd").allowed());  // "" in a longer list is a name that nobody holds
  CHECK(ask("\xff").reason() == Reason::kMalformed);
  CHECK(ask("get", "\xff").reason() == Reason::kMalformed);
}

TEST_CASE("PolicySnapshot: every call to an identity with ill-typed rpc_method_authorizations is refused") {
  for (const std::string bad : {"'x'", "5", "{'m':'c'}", "{'m':[5]}", "{'m':null}"}) {
    INFO(bad);
    const auto s = snapshot("{'allow':[{'user_id':'t','identity':'T','credentials':'" + kKeyA +
                            "','rpc_method_authorizations':" + bad + "},{'user_id':'u','credentials':'" +
                            kKeyB + "'}]}");
    const Decision refused = s.authorize_call("u", {"T", "anything", CallArguments()});
    CHECK(refused.reason() == Reason::kIllTyped);
    CHECK(refused.source() == std::vector<std::string>{"/allow/0/rpc_method_authorizations"});
    CHECK(s.authenticator.authenticate({"vip", "127.0.0.1", key(kKeyA)}).decision.allowed());
    CHECK(s.authorize_call("u", {"Other", "anything", CallArguments()}).allowed());
  }
}

TEST_CASE("Session: an observer sees each decision, refused ones of a revoked session too") {
  struct Recorder : DecisionObserver {
    void on_decision(const Session& session, const Question& question,
                     const Decision& decision) noexcept override {
      lines.push_back(session.user_id() + " " + std::string(to_string(question.kind)) + " " +
                      std::string(question.callee) + " " + std::string(question.subject) + " " +
                      std::string(to_string(decision.reason())));
    }
    std::vector<std::string> lines;
  };
  const auto recorder = std::make_shared<Recorder>();
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA), recorder);
  CHECK(alice.verify_sender("alice.agent").allowed());
  const CallArguments none;
  CHECK(alice.authorize_call({.callee = "bob.agent", .method = "m", .arguments = none}).allowed());
  live->publish(snapshot("{'allow':[" + kBob + "]}"));
  CHECK_FALSE(alice.authorize_publish("t").allowed());
  CHECK_FALSE(alice.authorize_receive("t").allowed());
  CHECK(recorder->lines == std::vector<std::string>{"alice sender  alice.agent allowed",
                                                    "alice call bob.agent m unprotected",
                                                    "alice publish  t revoked", "alice receive  t revoked"});
}

TEST_CASE("Session: an IPv4 address mapped to IPv6 is judged as IPv4, as it was when the peer was let in") {
  const std::string pinned = "{'user_id':'a','address':'10.0.0.1','credentials':'" + kKeyA + "'}";
  const auto live = std::make_shared<LivePolicy>(snapshot("{'allow':[" + pinned + "]}"));
  // As libzmq tells it of a socket that takes IPv6.
  const auto from = [&](const char* address) {
    return Session(live, Acceptance{"a", Mechanism::kCurve, kKeyA, "vip", address});
  };
  Session mapped = from("::ffff:10.0.0.1");
  CHECK(mapped.check().allowed());
  CHECK(from("10.0.0.1").check().allowed());
  CHECK_FALSE(from("::ffff:10.0.0.2").check().allowed());
  live->publish(snapshot("{'allow':[{'user_id':'a','credentials':'" + kKeyA +
                         "'}],'deny':[{'address':" + "'10.0.0.1','credentials':'" + kKeyA + "'}]}"));
  CHECK(mapped.check().reason() == Reason::kRevoked);
  CHECK(from("::ffff:10.0.0.2").check().allowed());
}

TEST_CASE("Session: one of the capabilities of an operation is enough, whichever it is") {
  const auto user = [](const std::string& held) {
    return std::make_shared<LivePolicy>(
        snapshot("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','capabilities':" + held + "}]}"));
  };
  const CallArguments none;
  const CallRequest call{.callee = "platform.auth", .method = "m", .arguments = none};
  const std::vector<std::string> one_of{"first", "second"};
  for (const std::string held : {"'first'", "'second'", "['first','second']"}) {
    CAPTURE(held);
    const auto live = user(held);
    Session session(live, accept(*live, kKeyA));
    CHECK(session.authorize_operation(call, one_of).allowed());
    CHECK(live->current().snapshot->authorize_operation("a", call, one_of).allowed());
    CHECK(live->current().snapshot->authorize_operation("nobody", call, one_of).reason() == Reason::kUnknown);
  }
  for (const std::string held : {"'third'", "[]", "{'first':{'x':1}}"}) {
    CAPTURE(held);
    const auto live = user(held);
    Session session(live, accept(*live, kKeyA));
    CHECK(session.authorize_operation(call, one_of).reason() == Reason::kMissingCapability);
  }
}

TEST_CASE("Session: while no policy is loaded everybody is refused, whatever it stands on") {
  PolicySnapshot none = snapshot(kBoth);
  none.loaded = false;
  const auto live = std::make_shared<LivePolicy>(snapshot(kBoth));
  Session alice(live, accept(*live, kKeyA));
  CHECK(alice.authorize_publish("t").allowed());
  live->publish(none);
  CHECK(alice.authorize_publish("t").reason() == Reason::kRevoked);
  CHECK(alice.check().message() == "user 'alice' is no longer accepted: no policy could be loaded yet");
  const CallArguments arguments;
  const CallRequest call{.callee = "bob", .method = "m", .arguments = arguments};
  const std::vector<std::string> one_of{"c"};
  CHECK(none.authorize_call("alice", call).reason() == Reason::kNoPolicy);
  CHECK(none.authorize_operation("alice", call, one_of).reason() == Reason::kNoPolicy);
  CHECK(none.authorize_publish("alice", "t").reason() == Reason::kNoPolicy);
  CHECK(none.authorize_receive("alice", "t").reason() == Reason::kNoPolicy);
}

TEST_CASE("Session: a call is bound and decided by one policy, also while it is replaced again and again") {
  const auto version = [](const std::string& pinned, const std::vector<std::string>& parameters) {
    PolicySnapshot out =
        snapshot("{'allow':[{'user_id':'a','credentials':'" + kKeyA + "','capabilities':{'c':{'" + pinned +
                 "':1}}},{'user_id':'b','identity':'B','credentials':'" + kKeyB +
                 "','rpc_method_authorizations':{'m':['c']}}]}");
    DeclaredMethod method{.name = "m", .parameters = std::vector<Parameter>()};
    for (const std::string& name : parameters) method.parameters->push_back({.name = name});
    auto methods = out.methods.declare("B", {method});
    REQUIRE(methods);
    out.methods = *std::move(methods);
    return out;
  };
  // Each refuses; what the one calls by its names, the other would allow.
  const PolicySnapshot one = version("x", {"x", "y"});
  const PolicySnapshot other = version("y", {"y", "x"});
  const auto live = std::make_shared<LivePolicy>(one);
  Session session(live, accept(*live, kKeyA));
  const Json good = json("[1, 2]");
  const Json bad = json("[2, 1]");
  CHECK(session.authorize_call(UnboundCall{"B", "m", good}).allowed());
  std::atomic<bool> is_over = false;
  std::thread publisher([&] {
    for (int i = 0; !is_over; ++i) live->publish(i % 2 == 0 ? other : one);
  });
  int allowed = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (session.authorize_call(UnboundCall{"B", "m", bad})) ++allowed;
  }
  is_over = true;
  publisher.join();
  CHECK(allowed == 0);
}
