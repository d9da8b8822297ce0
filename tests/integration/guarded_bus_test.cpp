// The buses whose code the embedding guide shows, in C++ and in Python, as processes.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "server_process.hpp"
#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

using Catch::Contains;

using Command = std::vector<std::string>;

/// What to start, each with a home that goes in between.
struct Program {
  std::string path;
  std::string script;
};
const Program kCpp{EXAMPLES_DIR "/guarded_bus", ""};
const Program kPython{"/usr/bin/python3", VIPAUTH_SOURCE_DIR "/examples/python/guarded_bus.py"};

bool can_run(const Program& program) {
  if (program.script.empty()) return true;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  WARN("skipped: Python cannot load a library that is built with a sanitizer");
  return false;
#else
  const bool is_there = std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") == 0;  // NOLINT
  if (!is_there) WARN("skipped: python3-zmq is not installed");
  return is_there;
#endif
}

Command command_of(const Program& program, const TempHome& home, const std::string& setup_minutes) {
  Command command{program.path};
  if (!program.script.empty()) command.push_back(program.script);
  command.push_back(home.path().string());
  if (program.script.empty()) command.push_back(setup_minutes);
  command.emplace_back("tcp://127.0.0.1:*");
  command.emplace_back("tcp://127.0.0.1:*?domain=field");
  return command;
}

/// A running guarded_bus with two addresses: of the domain "vip", and of "field".
class Bus {
 public:
  explicit Bus(const TempHome& home, const Program& program = kCpp, const std::string& setup_minutes = "0")
      : process_(command_of(program, home, setup_minutes), 2) {
    if (process_.addresses.size() != 2) throw std::runtime_error("the bus did not start");
  }

  /// Connects a peer under a name, to the first or the second address.
  CurveClient peer(const CurveKeyPair& keys, const std::string& name, std::size_t address = 0) {
    const auto& [endpoint, key] = process_.addresses[address];
    return {context_, endpoint, must(CurveKey::parse(key)), keys, name};
  }

 private:
  ServerProcess process_;
  zmq::context_t context_;
};

Frames next(CurveClient& peer) { return receive(peer.socket).value_or(Frames{"nothing came"}); }

/// What the bus answers; events that come before are left out.
std::string ask(CurveClient& peer, const Frames& frames) {
  send(peer.socket, frames);
  Frames answer = next(peer);
  while (answer.size() > 1) answer = next(peer);
  return answer.front();
}

Json record(const std::string& user_id, const CurveKeyPair& keys, const std::string& more = "{}") {
  Json::Object members = curve_record(user_id, keys.public_key).as_object();
  const Json others = must(Json::parse(more));
  for (const Json::Member& member : others.as_object()) members.push_back(member);
  return members;
}

struct Keys {
  CurveKeyPair alice = CurveKeyPair::generate();
  CurveKeyPair bob = CurveKeyPair::generate();
};

}  // namespace

TEST_CASE("guarded_bus: publishing and receiving are asked for each") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json", auth_json({record("alice", keys.alice, R"({"capabilities": ["may_hear"]})"),
                                     record("bob", keys.bob, R"({"domain": "field"})")}));
  home.write("protected_topics.json", R"({"write-protect": [{"topic": "closed", "capabilities": ["may"]}],
                                          "read-protect": [{"topic": "secret", "capabilities": ["may_hear"]}]})");
  Bus bus(home, program);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "bob", 1);
  REQUIRE(ask(alice, {"subscribe", ""}) == "ok");
  REQUIRE(ask(bob, {"subscribe", ""}) == "ok");

  CHECK_THAT(ask(bob, {"publish", "closed", "x"}), Contains("requires capabilities ['may']"));
  CHECK(ask(bob, {"publish", "secret", "y"}) == "ok");
  CHECK(next(alice) == Frames{"event", "secret", "y"});  // and nothing of "closed" before it
  CHECK(ask(bob, {"publish", "open", "z"}) == "ok");
  CHECK(next(alice) == Frames{"event", "open", "z"});
  CHECK(ask(alice, {"publish", "open", "1"}) == "ok");
  CHECK(next(bob) ==
        Frames{"event", "open", "1"});  // its own were read by ask(); "secret" was not among them
}

TEST_CASE("guarded_bus: what one may not hear is not delivered") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json", auth_json({record("alice", keys.alice), record("bob", keys.bob)}));
  home.write("protected_topics.json",
             R"({"read-protect": [{"topic": "secret", "capabilities": ["may_hear"]}]})");
  Bus bus(home, program);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "bob");
  REQUIRE(ask(alice, {"subscribe", ""}) == "ok");
  CHECK(ask(bob, {"publish", "secret", "x"}) == "ok");
  CHECK(ask(bob, {"publish", "open", "x"}) == "ok");
  CHECK(next(alice) == Frames{"event", "open", "x"});
}

TEST_CASE("guarded_bus: a domain keeps out whose record is of another") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json", auth_json({record("bob", keys.bob, R"({"domain": "field"})")}));
  Bus bus(home, program);
  CurveClient in_field = bus.peer(keys.bob, "bob", 1);
  CHECK(ask(in_field, {"publish", "a", "x"}) == "ok");
  CurveClient elsewhere = bus.peer(keys.bob, "bob", 0);
  CHECK(elsewhere.becomes(ConnectionState::kWaiting));
}

TEST_CASE("guarded_bus: calls are judged by name and by position") {
  const TempHome home;
  const Keys keys;
  home.write("auth.json",
             auth_json({record("alice", keys.alice, R"({"capabilities": {"CAP_SET": {"temp": 70}}})"),
                        record("bob", keys.bob, R"({"identity": "thermostat"})")}));
  Bus bus(home);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "thermostat");
  CHECK(ask(bob, {"register", R"({"set": {"capabilities": ["CAP_SET"],
                                         "params": {"temp": {"kind": "POSITIONAL_OR_KEYWORD"}}}})"}) == "ok");
  CHECK_THAT(ask(bob, {"register", R"({"set": 1})"}), Contains("/set"));

  CHECK(ask(alice, {"call", "thermostat", "set", R"({"temp": 70})"}) == "ok");
  CHECK(next(bob) == Frames{"invoke", "set", R"({"temp": 70})"});
  CHECK(ask(alice, {"call", "thermostat", "set", "[70]"}) == "ok");
  CHECK(next(bob) == Frames{"invoke", "set", "[70]"});
  CHECK_THAT(ask(alice, {"call", "thermostat", "set", R"({"temp": 99})"}), Contains("temp"));
  CHECK_THAT(ask(alice, {"call", "thermostat", "set", "[99]"}), Contains("temp"));
  CHECK_THAT(ask(bob, {"call", "thermostat", "set", "[70]"}), Contains("requires capabilities ['CAP_SET']"));
  CHECK_THAT(ask(alice, {"call", "thermostat", "set", "[70"}), Contains("not JSON"));
  CHECK(ask(alice, {"call", "nobody", "set", "[70]"}) == "no such agent");
}

TEST_CASE("guarded_bus: the callee is sent what was judged") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json",
             auth_json({record("alice", keys.alice, R"({"capabilities": {"CAP_SET": {"temp": 70}}})"),
                        record("bob", keys.bob, R"({"identity": "thermostat",
                                                    "rpc_method_authorizations": {"set": ["CAP_SET"]}})")}));
  Bus bus(home, program);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "thermostat");
  REQUIRE(ask(bob, {"publish", "a", "x"}) == "ok");
  CHECK_THAT(ask(alice, {"call", "thermostat", "set", R"({"temp": 70, "temp": 99})"}), !Contains("ok"));
  CHECK_THAT(ask(alice, {"call", "thermostat", "set", "[[[["}), Contains("not JSON"));
  CHECK(ask(alice, {"call", "thermostat", "set", R"({"temp": 70})"}) == "ok");
  CHECK(next(bob) == Frames{"invoke", "set", R"({"temp": 70})"});
  const std::string twice = ask(alice, {"call", "thermostat", "set", R"({"temp": 99, "temp": 70})"});
  CHECK((twice != "ok" || next(bob) == Frames{"invoke", "set", R"({"temp": 70})"}));
}

TEST_CASE("guarded_bus: a name is for its owner") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json", auth_json({record("alice", keys.alice), record("bob", keys.bob)}));
  Bus bus(home, program);
  CurveClient impostor = bus.peer(keys.bob, "alice");
  CHECK_THAT(ask(impostor, {"publish", "a", "x"}), Contains("belongs to another user's record"));
  CurveClient alice = bus.peer(keys.alice, "alice", 1);
  CHECK(ask(alice, {"publish", "a", "x"}) == "ok");
}

TEST_CASE("guarded_bus: a peer whose record goes is refused, and hears nothing more") {
  const Program program = GENERATE(kCpp, kPython);
  if (!can_run(program)) return;
  const TempHome home;
  const Keys keys;
  home.write("auth.json", auth_json({record("alice", keys.alice), record("bob", keys.bob)}));
  Bus bus(home, program);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "bob");
  REQUIRE(ask(bob, {"subscribe", ""}) == "ok");
  home.replace("auth.json", auth_json({record("alice", keys.alice)}));
  CHECK(eventually(
      [&] { return ask(bob, {"publish", "a", "x"}).find("no longer accepted") != std::string::npos; }));
  CHECK(ask(alice, {"publish", "a", "for bob"}) == "ok");
  CHECK_THAT(ask(bob, {"subscribe", ""}), Contains("no longer accepted"));
}

TEST_CASE("guarded_bus: who may administer approves a stranger, others do not") {
  const TempHome home;
  const Keys keys;
  home.write("auth.json",
             auth_json({record("alice", keys.alice,
                               R"({"capabilities": ["allow_auth_modifications", "CAP_SEE_METRICS"]})"),
                        record("bob", keys.bob)}));
  Bus bus(home);
  CurveClient alice = bus.peer(keys.alice, "alice");
  CurveClient bob = bus.peer(keys.bob, "bob");
  CurveClient carol = bus.peer(CurveKeyPair::generate(), "carol");
  REQUIRE(carol.becomes(ConnectionState::kWaiting));
  std::string waiting;
  REQUIRE(eventually([&] {
    const auto pending = Json::parse(home.read("pending.json"));
    if (!pending || pending->find("pending")->as_array().empty()) return false;
    waiting = pending->find("pending")->as_array()[0].find("user_id")->as_string();
    return true;
  }));
  CHECK_THAT(ask(bob, {"approve", waiting}), Contains("approve_auth"));
  CHECK(ask(alice, {"approve", waiting}) == "ok");
  CHECK(ask(carol, {"publish", "a", "x"}) == "ok");
  CHECK_THAT(ask(alice, {"metrics"}), Contains("vipauth_"));
  CHECK_THAT(ask(bob, {"metrics"}), Contains("CAP_SEE_METRICS"));
  CHECK(std::filesystem::exists(home / "audit"));
}

TEST_CASE("guarded_bus: setup mode lets strangers in") {
  const TempHome home;
  Bus bus(home, kCpp, "5");
  CurveClient carol = bus.peer(CurveKeyPair::generate(), "carol");
  CHECK(ask(carol, {"publish", "a", "x"}) == "ok");
  CHECK_THAT(home.read("auth.json"), Contains("Added in setup mode"));
}

}  // namespace vipauth::test
