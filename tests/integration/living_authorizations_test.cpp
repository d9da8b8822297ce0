// Authorizations that change while agents are connected: who is revoked, what methods require, who
// administers.

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "running_bus.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

using mini_bus::MiniAgent;

Json with(Json record, std::string_view member, Json value) {
  record.set(member, std::move(value));
  return record;
}

/// Answers calls of an agent, by repeating their arguments, while a test goes on.
class Echoing {
 public:
  explicit Echoing(MiniAgent& agent)
      : thread_([this, &agent] {
          while (!stopping_) agent.next_event(std::chrono::milliseconds(10));
        }) {}
  Echoing(const Echoing&) = delete;
  Echoing& operator=(const Echoing&) = delete;
  ~Echoing() {
    stopping_ = true;
    thread_.join();
  }

  static MiniAgent::Reply echo(const std::string&, const std::string& arguments) { return {true, arguments}; }

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

std::optional<Frames> tell(CurveClient& client, const Frames& frames) {
  send(client.socket, frames);
  return receive(client.socket);
}

}  // namespace

TEST_CASE(
    "AuthService: a connected peer is refused from the moment at which its record ends, by time alone") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const TempHome home;
  home.write("auth.json",
             auth_json({curve_record("alice", alice.public_key), curve_record("bob", bob.public_key)}));
  const RunningBus bus(home);
  MiniAgent leaving = bus.connect("alice", alice);
  MiniAgent staying = bus.connect("bob", bob);
  REQUIRE(leaving.publish("topic", "before").value().ok);

  const Timestamp end = system_now() + std::chrono::seconds(2);
  const Json ending = with(curve_record("alice", alice.public_key), "not_after", format_timestamp(end));
  home.replace("auth.json", auth_json({ending, curve_record("bob", bob.public_key)}));
  std::optional<MiniAgent::Reply> refusal;
  REQUIRE(eventually([&] {
    refusal = leaving.publish("topic", "x");
    return refusal && !refusal->ok;
  }));
  CHECK(system_now() >= end);
  CHECK(refusal->text.find("no longer accepted") != std::string::npos);
  CHECK(bus.has_logged("dropped \"alice\""));
  CHECK_FALSE(leaving.hello().value().ok);
  CHECK(staying.publish("topic", "after").value().ok);
}

TEST_CASE("AuthService: the next message of a peer that was removed, disabled or denied is refused") {
  const std::string how = GENERATE("removed", "disabled", "denied");
  CAPTURE(how);
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const Json alices = curve_record("alice", alice.public_key);
  const Json bobs = curve_record("bob", bob.public_key);
  const Json denial = Json::Object{{"credentials", alice.public_key.to_base64url()}};
  const std::string after = how == "removed"    ? auth_json({bobs})
                            : how == "disabled" ? auth_json({with(alices, "enabled", false), bobs})
                                                : auth_json({alices, bobs}, {denial});
  const TempHome home;
  home.write("auth.json", auth_json({alices, bobs}));
  const RunningBus bus(home);
  MiniAgent leaving = bus.connect("alice", alice);
  MiniAgent staying = bus.connect("bob", bob);
  REQUIRE(leaving.hello().value().ok);
  REQUIRE(staying.hello().value().ok);
  home.replace("auth.json", after);
  CHECK(eventually([&] { return bus.has_logged("dropped \"alice\""); }));
  CHECK_FALSE(leaving.publish("unprotected", "1").value().ok);
  CHECK_FALSE(leaving.subscribe("").value().ok);
  CHECK(staying.publish("unprotected", "1").value().ok);
}

TEST_CASE("MiniBus: nothing is delivered to a routing id before its first message passed") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair mallory = CurveKeyPair::generate();
  const Json agents = with(curve_record("agent", CurveKeyPair::generate().public_key), "identity", "agent");
  const TempHome home;
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key),
                                     curve_record("mallory", mallory.public_key), agents}));
  const RunningBus bus(home);
  zmq::context_t context;
  CurveClient silent(context, bus.endpoint(), bus.key(), mallory, "silent");
  CurveClient impostor(context, bus.endpoint(), bus.key(), mallory, "agent");
  REQUIRE(silent.becomes(ConnectionState::kConnected));
  REQUIRE(impostor.becomes(ConnectionState::kConnected));
  MiniAgent sending = bus.connect("alice", alice);
  REQUIRE(sending.publish("topic", "1").value().ok);
  CHECK_FALSE(sending.call("silent", "m", "{}").value().ok);
  CHECK_FALSE(sending.call("agent", "m", "{}").value().ok);
  // What they get first is the answer to what they say first.
  CHECK(tell(silent, {"hello", "1"}).value() == Frames{"ok", "1", "mallory"});
  CHECK(tell(impostor, {"hello", "1"}).value().front() == "error");
}

TEST_CASE(
    "MiniBus: a subscriber that loses a capability gets no more of what it protects, and still the rest") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const CurveKeyPair carol = CurveKeyPair::generate();
  const auto policy = [&](const Json& bobs) {
    return auth_json({curve_record("alice", alice.public_key),
                      with(curve_record("bob", bob.public_key), "capabilities", bobs),
                      with(curve_record("carol", carol.public_key), "capabilities", Json::Array{"see"})});
  };
  const TempHome home;
  home.write("auth.json", policy(Json::Array{"see"}));
  home.write("protected_topics.json", R"({"read-protect": [{"topic": "secret", "capabilities": ["see"]}]})");
  const RunningBus bus(home);
  MiniAgent publisher = bus.connect("alice", alice);
  MiniAgent losing = bus.connect("bob", bob);
  MiniAgent keeping = bus.connect("carol", carol);
  REQUIRE(losing.subscribe("").value().ok);
  REQUIRE(keeping.subscribe("").value().ok);
  const auto next = [](MiniAgent& agent) { return agent.next_event(std::chrono::seconds(60))->payload; };
  REQUIRE(publisher.publish("secret", "1").value().ok);
  CHECK(next(losing) == "1");
  CHECK(next(keeping) == "1");

  // Once the new policy is in force each message is judged by it.
  home.replace("auth.json", policy(Json::Array()));
  REQUIRE(eventually([&] {
    const bool sent =
        publisher.publish("secret", "2").value().ok && publisher.publish("open", "end").value().ok;
    if (!sent) return false;
    bool saw_secret = false;
    for (std::string payload = next(losing); payload != "end"; payload = next(losing)) saw_secret = true;
    CHECK(next(keeping) == "2");
    CHECK(next(keeping) == "end");
    return !saw_secret;
  }));
  REQUIRE(publisher.publish("secret", "3").value().ok);
  REQUIRE(publisher.publish("open", "4").value().ok);
  CHECK(next(losing) == "4");
  CHECK(next(keeping) == "3");
}

TEST_CASE(
    "MiniBus: what an agent declares protects its methods, and an administrator changes it on the fly") {
  const CurveKeyPair callee = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const CurveKeyPair op = CurveKeyPair::generate();
  const TempHome home;
  home.write("auth.json", auth_json({with(curve_record("callee", callee.public_key), "identity", "callee"),
                                     with(curve_record("bob", bob.public_key), "capabilities",
                                          Json::Object{{"may_call", Json::Object{{"x", 1}}}}),
                                     with(curve_record("op", op.public_key), "capabilities",
                                          Json::Array{"allow_auth_modifications"})}));
  const RunningBus bus(home);
  MiniAgent serving = bus.connect("callee", callee);
  REQUIRE(serving
              .serve("bar", &Echoing::echo,
                     R"({"capabilities": ["may_call"], "params": {"x": {}, "y": {"default": 7}}})")
              .value()
              .ok);
  REQUIRE(serving.serve("open", &Echoing::echo, "{}").value().ok);
  {
    const Echoing echoing(serving);
    MiniAgent caller = bus.connect("bob", bob);
    MiniAgent operating = bus.connect("op", op);
    const auto call = [&](MiniAgent& agent, const std::string& method, const std::string& arguments) {
      return agent.call("callee", method, arguments).value();
    };
    CHECK(call(caller, "bar", "[1]").ok);
    CHECK(call(caller, "bar", R"({"x": 1, "y": 2})").ok);
    CHECK(call(caller, "bar", "[42]").text ==
          "User bob can call method bar only with x=1 but called with x=42");
    CHECK_FALSE(call(caller, "bar", "[1, 2, 3]").ok);
    CHECK_FALSE(call(operating, "bar", "[1]").ok);
    CHECK(call(operating, "open", "[1]").ok);

    const std::string open = R"(["callee", "open", ["may_open"]])";
    CHECK_FALSE(caller.call("platform.auth", "add_rpc_authorizations", open).value().ok);
    CHECK(call(caller, "open", "{}").ok);
    CHECK(operating.call("platform.auth", "add_rpc_authorizations", open).value().ok);
    CHECK_FALSE(call(caller, "open", "{}").ok);
    CHECK(bus.has_logged("what the methods of \"callee\" require has changed"));
    CHECK(operating.call("platform.auth", "delete_rpc_authorizations", open).value().ok);
    CHECK(call(caller, "open", "{}").ok);
    CHECK(operating.call("platform.auth", "add_rpc_authorizations", R"(["callee", "none", ["c"]])")
              .value()
              .text.find("it has ['bar', 'open']") != std::string::npos);
  }
}

TEST_CASE("MiniBus: an approver lets a stranger in over the bus, and gives it no more than it holds") {
  const CurveKeyPair approver = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const CurveKeyPair stranger = CurveKeyPair::generate();
  const TempHome home;
  home.write("auth.json", auth_json({with(curve_record("approver", approver.public_key), "capabilities",
                                          Json::Array{"approve_auth", "cap"}),
                                     curve_record("bob", bob.public_key)}));
  const RunningBus bus(home);
  MiniAgent waiting = bus.connect("stranger", stranger);
  MiniAgent deciding = bus.connect("approver", approver);
  MiniAgent other = bus.connect("bob", bob);
  Json pending;
  REQUIRE(eventually([&] {
    pending = *Json::parse(deciding.call("platform.auth", "get_pending_authorizations", "[]").value().text);
    return !pending.as_array().empty();
  }));
  const std::string user_id = pending.as_array()[0].find("user_id")->as_string();
  const auto approve = [&](MiniAgent& agent, const std::string& capability) {
    const Json arguments =
        Json::Object{{"user_id", user_id}, {"capabilities", Json::Array{Json(capability)}}};
    return agent.call("platform.auth", "approve_authorization", arguments.dump()).value();
  };
  CHECK_FALSE(approve(other, "cap").ok);
  CHECK(approve(deciding, "admin").text.find("'admin'") != std::string::npos);
  CHECK_FALSE(other.call("platform.auth", "get_pending_authorizations", "[]").value().ok);
  CHECK(approve(deciding, "cap").ok);
  CHECK(waiting.hello().value().ok);
  CHECK(deciding.call("platform.auth", "get_authorization_status", "[\"" + user_id + "\"]").value().text ==
        "\"APPROVED\"");
}

TEST_CASE("MiniBus: who watches is told what changed, and nobody else") {
  const CurveKeyPair op = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const Json ops = with(curve_record("op", op.public_key), "capabilities", Json::Array{"approve_auth"});
  const Json bobs = curve_record("bob", bob.public_key);
  const TempHome home;
  home.write("auth.json", auth_json({ops, bobs}));
  const RunningBus bus(home);
  zmq::context_t context;
  CurveClient watching(context, bus.endpoint(), bus.key(), op, "op");
  CurveClient other(context, bus.endpoint(), bus.key(), bob, "bob");
  CHECK(tell(other, {"watch", "1"}).value().front() == "error");
  const auto all = tell(watching, {"watch", "1"});
  REQUIRE(all);
  CHECK(*Json::parse((*all)[2]) ==
        Json(Json::Object{{"op", Json::Object{{"approve_auth", Json()}}}, {"bob", Json::Object()}}));

  home.replace("auth.json", auth_json({ops, with(bobs, "capabilities", Json::Array{"cap"})}));
  const auto gained = receive(watching.socket);
  REQUIRE(gained);
  CHECK((*gained)[0] == "update");
  CHECK(*Json::parse((*gained)[1]) ==
        Json(Json::Object{{"changed", Json::Object{{"bob", Json::Object{{"cap", Json()}}}}},
                          {"removed", Json::Array()}}));
  home.replace("auth.json", auth_json({ops}));
  const auto lost = receive(watching.socket);
  REQUIRE(lost);
  CHECK(*Json::parse((*lost)[1]) ==
        Json(Json::Object{{"changed", Json::Object()}, {"removed", Json::Array{"bob"}}}));

  // A watcher that may not know any more is told nothing more.
  home.replace("auth.json", auth_json({with(ops, "capabilities", Json::Array()), bobs}));
  REQUIRE(eventually([&] { return tell(watching, {"watch", "2"}).value().front() == "error"; }));
}

}  // namespace vipauth::test
