// Edits of the files of a home while its bus runs.

#include <chrono>
#include <functional>
#include <string>

#include "running_bus.hpp"
#include "support/catch.hpp"

namespace vipauth::test {
namespace {

using mini_bus::MiniAgent;

/// Waits until an edit that was just made takes effect, and reports where that took more than a second.
bool takes_effect(const std::function<bool()>& condition) {
  const auto before = std::chrono::steady_clock::now();
  const bool happened = eventually(condition);
  CHECK_NOFAIL(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
  return happened;
}

Json with_capability(Json record, const std::string& capability) {
  record.set("capabilities", Json::Array{capability});
  return record;
}

const std::string kRules = R"({"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]}]})";

}  // namespace

TEST_CASE("AuthService: an edit counts for the next message of a connected peer") {
  const bool in_place = GENERATE(true, false);
  const CurveKeyPair alice = CurveKeyPair::generate();
  const Json record = curve_record("alice", alice.public_key);
  const TempHome home;
  home.write("auth.json", auth_json({record}));
  home.write("protected_topics.json", kRules);
  const RunningBus bus(home);
  MiniAgent agent = bus.connect("alice", alice);
  const auto edit = [&](const std::string& content) {
    in_place ? home.write("auth.json", content) : home.replace("auth.json", content);
  };

  CHECK_FALSE(agent.publish("foo", "1").value().ok);
  edit(auth_json({with_capability(record, "can_publish_to_foo")}));
  CHECK(takes_effect([&] { return agent.publish("foo", "2").value().ok; }));
  edit(auth_json({record}));
  CHECK(takes_effect([&] { return !agent.publish("foo", "3").value().ok; }));
}

TEST_CASE("AuthService: an edit counts for new connections") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const TempHome home;
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  const RunningBus bus(home);
  REQUIRE(bus.connect("alice", alice).hello());

  home.replace("auth.json", auth_json({curve_record("bob", bob.public_key)}));
  CHECK(takes_effect([&] {
    MiniAgent agent = bus.connect("bob", bob);
    const auto reply = agent.hello(std::chrono::milliseconds(500));
    return reply && reply->ok;
  }));
  zmq::context_t context;
  CurveClient client(context, bus.endpoint(), bus.key(), alice);
  CHECK(client.becomes(ConnectionState::kWaiting));
}

TEST_CASE("AuthService: a removed record revokes a connected peer, and a restored one takes it back") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const Json bobs = curve_record("bob", bob.public_key);
  const std::string with_alice = auth_json({curve_record("alice", alice.public_key), bobs});
  const TempHome home;
  home.write("auth.json", with_alice);
  const RunningBus bus(home);
  MiniAgent agent = bus.connect("alice", alice);
  MiniAgent other = bus.connect("bob", bob);
  REQUIRE(agent.publish("topic", "1").value().ok);
  REQUIRE(other.publish("topic", "1").value().ok);

  home.replace("auth.json", auth_json({bobs}));
  CHECK(takes_effect([&] { return !agent.publish("topic", "2").value().ok; }));
  CHECK(other.publish("topic", "2").value().ok);
  home.replace("auth.json", with_alice);
  CHECK(takes_effect([&] { return agent.publish("topic", "3").value().ok; }));
}

TEST_CASE("AuthService: a revoked subscriber receives nothing more") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const CurveKeyPair bob = CurveKeyPair::generate();
  const Json alices = curve_record("alice", alice.public_key);
  const TempHome home;
  home.write("auth.json", auth_json({alices, curve_record("bob", bob.public_key)}));
  const RunningBus bus(home);
  MiniAgent publisher = bus.connect("alice", alice);
  MiniAgent subscriber = bus.connect("bob", bob);
  REQUIRE(subscriber.subscribe("topic").value().ok);
  REQUIRE(publisher.publish("topic", "before").value().ok);
  REQUIRE(subscriber.next_event(std::chrono::seconds(60)));

  home.replace("auth.json", auth_json({alices}));
  REQUIRE(eventually([&] { return bus.has_logged("dropped \"bob\""); }));
  REQUIRE(publisher.publish("topic", "after").value().ok);
  // The answer to a later request comes after whatever was sent before it.
  CHECK_FALSE(subscriber.hello().value().ok);
  CHECK_FALSE(subscriber.next_event(std::chrono::milliseconds(0)));
}

TEST_CASE("AuthService: a broken edit changes nothing, and is reported with its place") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const std::string good = auth_json({curve_record("alice", alice.public_key)});
  const TempHome home;
  home.write("auth.json", good);
  const RunningBus bus(home);
  MiniAgent agent = bus.connect("alice", alice);
  REQUIRE(agent.hello().value().ok);

  home.replace("auth.json", "{\n  \"allow\": [],\n  \"deny\": [}\n}\n");
  REQUIRE(eventually([&] { return bus.has_logged("auth.json:3:12: "); }));
  CHECK(agent.publish("topic", "connected").value().ok);
  CHECK(bus.connect("alice.2", alice).hello().value().ok);

  home.replace("auth.json", auth_json({}));
  CHECK(takes_effect([&] { return !agent.publish("topic", "repaired").value().ok; }));
}

TEST_CASE("AuthService: a broken edit of the topics changes nothing, and a good one counts") {
  const CurveKeyPair alice = CurveKeyPair::generate();
  const TempHome home;
  home.write("auth.json", auth_json({curve_record("alice", alice.public_key)}));
  home.write("protected_topics.json", kRules);
  const RunningBus bus(home);
  MiniAgent agent = bus.connect("alice", alice);
  REQUIRE_FALSE(agent.publish("foo", "1").value().ok);

  home.replace("protected_topics.json", "{\"write-protect\": [}");
  REQUIRE(eventually([&] { return bus.has_logged("protected_topics.json:1:20: "); }));
  CHECK_FALSE(agent.publish("foo", "2").value().ok);
  CHECK(agent.publish("bar", "2").value().ok);

  home.replace("protected_topics.json", "{}");
  CHECK(takes_effect([&] { return agent.publish("foo", "3").value().ok; }));
}

}  // namespace vipauth::test
