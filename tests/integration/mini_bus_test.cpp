#include "mini_bus.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "running_bus.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

using namespace std::string_literals;
using mini_bus::MiniAgent;

/// Answers calls of an agent while a test goes on.
class Serving {
 public:
  explicit Serving(MiniAgent& agent)
      : thread_([this, &agent] {
          while (!stopping_) agent.next_event(std::chrono::milliseconds(10));
        }) {}
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    stopping_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// A home that knows alice, bob and the agent "callee", whose method "guarded" requires a capability.
struct Cast {
  Cast() {
    Json callee = curve_record("callee", callee_keys.public_key);
    callee.set("identity", "callee");
    callee.set("rpc_method_authorizations", Json::Object{{"guarded", Json::Array{"may_call"}}});
    Json bobs = curve_record("bob", bob.public_key);
    bobs.set("capabilities", Json::Object{{"may_call", Json::Object{{"x", 1}}}});
    home.write("auth.json", auth_json({curve_record("alice", alice.public_key), bobs, callee}));
  }

  TempHome home;
  CurveKeyPair alice = CurveKeyPair::generate();
  CurveKeyPair bob = CurveKeyPair::generate();
  CurveKeyPair callee_keys = CurveKeyPair::generate();
};

/// What the bus answers to a message of any form; nothing, where it does not answer.
std::optional<Frames> tell(CurveClient& client, const Frames& frames) {
  send(client.socket, frames);
  return receive(client.socket);
}

}  // namespace

TEST_CASE("MiniBus: carries what is published to those who subscribed, and to nobody else") {
  const Cast cast;
  const RunningBus bus(cast.home);
  MiniAgent alice = bus.connect("alice", cast.alice);
  MiniAgent bob = bus.connect("bob", cast.bob);
  REQUIRE(bob.subscribe("devices/").value().ok);
  CHECK(alice.publish("weather", "sunny").value().ok);
  CHECK(alice.publish("devices/a", "21").value().ok);

  const auto event = bob.next_event(std::chrono::seconds(60));
  REQUIRE(event);
  CHECK(event->topic == "devices/a");
  CHECK(event->sender == "alice");
  CHECK(event->payload == "21");
  REQUIRE(bob.hello().value().ok);
  CHECK_FALSE(bob.next_event(std::chrono::milliseconds(0)));
  REQUIRE(alice.hello().value().ok);
  CHECK_FALSE(alice.next_event(std::chrono::milliseconds(0)));
}

TEST_CASE("MiniBus: delivers a read-protected topic only to who holds its capability") {
  const Cast cast;
  cast.home.write("protected_topics.json",
                  R"({"read-protect": [{"topic": "secret", "capabilities": ["may_call"]}]})");
  const RunningBus bus(cast.home);
  MiniAgent alice = bus.connect("alice", cast.alice);
  MiniAgent bob = bus.connect("bob", cast.bob);
  REQUIRE(alice.subscribe("").value().ok);
  REQUIRE(bob.subscribe("").value().ok);
  CHECK(alice.publish("secret", "1").value().ok);
  CHECK(bob.next_event(std::chrono::seconds(60)));
  REQUIRE(alice.hello().value().ok);
  CHECK_FALSE(alice.next_event(std::chrono::milliseconds(0)));
}

TEST_CASE("MiniBus: carries calls and their results") {
  const Cast cast;
  const RunningBus bus(cast.home);
  MiniAgent callee = bus.connect("callee", cast.callee_keys);
  const auto echo = [](const std::string& caller, const std::string& arguments) {
    return MiniAgent::Reply{true, caller + arguments};
  };
  REQUIRE(callee.serve("guarded", echo).value().ok);
  REQUIRE(callee.serve("open", echo).value().ok);
  REQUIRE(
      callee
          .serve("broken", [](const auto&, const auto&) { return MiniAgent::Reply{false, "out of order"}; })
          ->ok);
  const Serving serving(callee);
  MiniAgent alice = bus.connect("alice", cast.alice);
  MiniAgent bob = bus.connect("bob", cast.bob);

  CHECK(alice.call("callee", "open", "{}").value().text == "alice{}");
  CHECK(bob.call("callee", "guarded", R"({"x": 1})").value().text == R"(bob{"x": 1})");
  const auto failed = alice.call("callee", "broken", "{}").value();
  CHECK_FALSE(failed.ok);
  CHECK(failed.text == "out of order");

  const auto refusal = [](std::optional<MiniAgent::Reply> reply) {
    REQUIRE(reply);
    CHECK_FALSE(reply->ok);
    return reply->text;
  };
  CHECK(refusal(alice.call("callee", "guarded", R"({"x": 1})")) ==
        "method \"guarded\" requires capabilities ['may_call'], but capability list [] was provided");
  CHECK(refusal(bob.call("callee", "guarded", R"({"x": 42})")) ==
        "User bob can call method guarded only with x=1 but called with x=42");
  CHECK(refusal(bob.call("callee", "guarded", "{}")) ==
        "User bob capability is not defined properly. method guarded does not have a parameter x");
  CHECK(refusal(bob.call("callee", "guarded", R"({"x": 42, "x": 1})")).find("arguments: ") == 0);
  CHECK(
      refusal(bob.call("callee", "guarded", "[1]")).find("the parameters of the method are not known here") !=
      std::string::npos);
  CHECK(refusal(bob.call("callee", "guarded", "1")).find("arguments: ") == 0);
  CHECK(refusal(bob.call("callee", "guarded", "\xff")).find("arguments: ") == 0);
  CHECK(refusal(alice.call("callee", "missing", "{}")) == "nobody serves \"missing\" of \"callee\"");
  CHECK(refusal(alice.call("nobody", "open", "{}")) == "nobody serves \"open\" of \"nobody\"");
}

TEST_CASE("MiniBus: refuses an impostor, and carries nothing to or from it") {
  const Cast cast;
  const RunningBus bus(cast.home);
  MiniAgent bob = bus.connect("bob", cast.bob);
  REQUIRE(bob.subscribe("").value().ok);
  {
    MiniAgent impostor = bus.connect("callee", cast.alice);
    const auto reply = impostor.hello();
    REQUIRE(reply);
    CHECK_FALSE(reply->ok);
    CHECK_FALSE(impostor.subscribe("").value().ok);
    CHECK_FALSE(impostor.publish("topic", "from an impostor").value().ok);
    CHECK_FALSE(impostor.serve("guarded", [](const auto&, const auto&) { return MiniAgent::Reply{}; })->ok);
    REQUIRE(bob.publish("topic", "from bob").value().ok);
    CHECK(bob.next_event(std::chrono::seconds(60))->payload == "from bob");
    CHECK_FALSE(impostor.hello().value().ok);
    CHECK_FALSE(impostor.next_event(std::chrono::milliseconds(0)));
  }
  for (const std::string& name : {"platform"s, "pubsub"s, "a/b"s, "new\nline"s, "\xff"s}) {
    CAPTURE(name);
    CHECK_FALSE(bus.connect(name, cast.alice).hello().value().ok);
  }
  CHECK(bus.connect("alice.2", cast.alice).hello().value().ok);
  CHECK(bus.connect("alice", cast.alice).hello().value().ok);
}

TEST_CASE("MiniBus: a routing id that passes on does not take subscriptions with it") {
  const Cast cast;
  const RunningBus bus(cast.home);
  REQUIRE(bus.connect("shared", cast.alice).subscribe("topic").value().ok);
  MiniAgent other = bus.connect("other", cast.alice);

  std::optional<MiniAgent> successor;
  REQUIRE(eventually([&] {  // until libzmq has let go of the routing id
    successor.reset();
    successor.emplace(bus.connect("shared", cast.bob));
    return successor->hello(std::chrono::seconds(2)).has_value();
  }));
  REQUIRE(other.publish("topic", "not for bob").value().ok);
  CHECK(successor->hello().value().text == "bob");
  CHECK_FALSE(successor->next_event(std::chrono::milliseconds(0)));
}

TEST_CASE("MiniBus: no frame that a peer sends stops it") {
  const Cast cast;
  const RunningBus bus(cast.home);
  zmq::context_t context;
  CurveClient client(context, bus.endpoint(), bus.key(), cast.alice, "alice");

  const std::string huge(60'000, 'x');
  const std::vector<Frames> hostile = {
      {""},
      {"", ""},
      {"hello"},
      {"hello", "1", "too", "many"},
      {"no such operation", "1"},
      {"\xff\xfe", "\xff"},
      {"publish", "1"},
      {"publish", "1", huge, "payload"},
      {"publish", "1", "\xff\xfe", "payload"},
      {"publish", "1", "new\nline", "payload"},
      {"publish", "1", "\0"s, "payload"},
      {"subscribe", "1", huge},
      {"serve", "1", huge},
      {"call", "1", huge, huge, huge},
      {"call", "1", "callee", "open", std::string(10'000, '[')},
      {"call", "1", "callee", "open", "{\"x\": 1e999999999}"},
      {"call", "1", "platform.auth", "no such operation", "{}"},
      {"call", "1", "platform.auth", "approve_authorization", "{\"user_id\": [1]}"},
      {"call", "1", "platform.auth", "approve_authorization", "[\"x\", {}, 5, [[]], \"\"]"},
      {"call", "1", "platform.auth", "update_protected_topics", "{\"rules\": null}"},
      {"serve", "1", "m", "5"},
      {"serve", "1", "m", "{\"capabilities\": [\"\"]}"},
      {"serve", "1", "m", "{\"params\": {\"x\": {\"kind\": \"?\"}}}"},
      {"serve", "1", "m", "{}", "too many"},
      {"watch", "1"},
      {"call", huge, "callee", "open", "{}"},
      {"answer", "1", "ok", "nobody asked"},
      {"answer", "18446744073709551616", "ok", ""},
      {"answer", "-1", "ok", ""},
      {"answer", "", "ok", ""},
      {huge, huge, huge, huge, huge},
      Frames(100, "publish"),
      Frames(100, ""),
  };
  for (const Frames& frames : hostile) {
    CAPTURE(frames.size(), frames.front().substr(0, 20));
    const auto reply = tell(client, frames);
    REQUIRE(reply);
    CHECK(reply->front() == "error");
  }
  // Longer than a frame may be: libzmq ends the connection, and the client makes another one.
  send(client.socket, {"publish", "1", "topic", std::string(1'000'000, 'x')});
  CHECK(eventually([&] {
    send(client.socket, {"hello", "again"});
    return receive(client.socket, std::chrono::seconds(2)).has_value();
  }));
  CHECK(bus.connect("bob", cast.bob).hello().value().ok);
}

TEST_CASE("MiniBus: what a peer may make it keep is bounded") {
  const Cast cast;
  mini_bus::MiniBus::Options options;
  options.max_peers = 3;
  const RunningBus bus(cast.home, std::move(options));
  MiniAgent alice = bus.connect("alice", cast.alice);
  int accepted = 0;
  for (int i = 0; i < 200; ++i) accepted += alice.subscribe(std::to_string(i)).value().ok ? 1 : 0;
  CHECK(accepted == 100);
  CHECK(alice.subscribe("7").value().ok);  // it has that one
  accepted = 0;
  for (int i = 0; i < 200; ++i) accepted += alice.serve(std::to_string(i), {})->ok ? 1 : 0;
  CHECK(accepted == 100);

  MiniAgent second = bus.connect("second", cast.alice);
  CHECK(second.hello().value().ok);
  {
    MiniAgent third = bus.connect("third", cast.alice);
    CHECK(third.hello().value().ok);
    const auto reply = bus.connect("fourth", cast.alice).hello();
    REQUIRE(reply);
    CHECK_FALSE(reply->ok);
  }
  // Who has gone makes room.
  MiniAgent fifth = bus.connect("fifth", cast.alice);
  CHECK(eventually([&] { return fifth.hello().value().ok; }));
  CHECK(second.hello().value().ok);
}

TEST_CASE("MiniBus: calls that nobody answers are bounded, and end with the callee") {
  const Cast cast;
  const RunningBus bus(cast.home);
  zmq::context_t context;
  CurveClient caller(context, bus.endpoint(), bus.key(), cast.alice, "alice");
  std::optional<CurveClient> callee;
  callee.emplace(context, bus.endpoint(), bus.key(), cast.callee_keys, "callee");
  REQUIRE(tell(*callee, {"serve", "1", "open"}));

  for (int i = 0; i <= 100; ++i) send(caller.socket, {"call", std::to_string(i), "callee", "open", "{}"});
  const auto one_too_many = receive(caller.socket);
  REQUIRE(one_too_many);
  CHECK((*one_too_many)[0] == "error");
  CHECK((*one_too_many)[1] == "100");

  // An answer to somebody else's call is no answer.
  const auto invoke = receive(callee->socket);
  REQUIRE(invoke);
  REQUIRE(invoke->front() == "invoke");
  CHECK(tell(caller, {"answer", (*invoke)[1], "ok", "forged"}).value()[0] == "error");
  send(callee->socket, {"answer", (*invoke)[1], "ok", "done"});
  CHECK(receive(caller.socket).value() == Frames{"ok", "0", "done"});

  // The record of the callee goes, and so do the calls to it.
  cast.home.replace("auth.json", auth_json({curve_record("alice", cast.alice.public_key)}));
  for (int i = 1; i < 100; ++i) {
    const auto reply = receive(caller.socket);
    REQUIRE(reply);
    CHECK((*reply)[0] == "error");
    CHECK((*reply)[1] == std::to_string(i));
  }
  CHECK(tell(caller, {"hello", "last"}).value() == Frames{"ok", "last", "alice"});
}

TEST_CASE("MiniBus: says why it cannot start") {
  const TempHome home;
  CHECK_FALSE(mini_bus::MiniBus::open(home / "missing", {}));
  mini_bus::MiniBus::Options options;
  options.endpoint = "tcp://nowhere";
  const auto bus = mini_bus::MiniBus::open(home.path(), std::move(options));
  REQUIRE_FALSE(bus);
  CHECK(bus.error().location == "tcp://nowhere");
}

}  // namespace vipauth::test
