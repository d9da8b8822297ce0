#include "web/connection_gate.hpp"

#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using vipauth::web::ConnectionGate;
using Phase = ConnectionGate::Phase;

namespace {

/// A gate, and whom it has ended.
struct Watched {
  explicit Watched(ConnectionGate::Limits limits) : gate(limits) {}

  std::optional<ConnectionGate::Id> admit(const std::string& source, const std::string& name) {
    return gate.admit(source, [this, name] { ended.insert(name); });
  }

  std::set<std::string> ended;
  ConnectionGate gate;
};

}  // namespace

TEST_CASE("ConnectionGate: a source that is full loses its own oldest silent connection") {
  Watched watched({.connections = 10, .per_source = 2});
  REQUIRE(watched.admit("a", "a1"));
  REQUIRE(watched.admit("b", "b1"));
  REQUIRE(watched.admit("a", "a2"));
  CHECK(watched.ended.empty());
  CHECK(watched.admit("a", "a3"));
  CHECK(watched.ended == std::set<std::string>{"a1"});
  CHECK(watched.admit("b", "b2"));
  CHECK(watched.ended == std::set<std::string>{"a1"});
}

TEST_CASE("ConnectionGate: who has finished its handshake stays longer than who has not") {
  Watched watched({.connections = 10, .per_source = 2});
  const auto first = watched.admit("a", "first");
  REQUIRE(watched.admit("a", "second"));
  watched.gate.enter(*first, Phase::kReading);
  CHECK(watched.admit("a", "third"));
  CHECK(watched.ended == std::set<std::string>{"second"});
}

TEST_CASE("ConnectionGate: who is being answered is never ended") {
  Watched watched({.connections = 10, .per_source = 1});
  const auto first = watched.admit("a", "first");
  watched.gate.enter(*first, Phase::kAnswering);
  CHECK_FALSE(watched.admit("a", "second"));
  CHECK_FALSE(watched.gate.make_room());
  CHECK(watched.ended.empty());
  watched.gate.enter(*first, Phase::kReading);
  CHECK(watched.admit("a", "third"));
  CHECK(watched.ended == std::set<std::string>{"first"});
}

TEST_CASE("ConnectionGate: where all is full the source with most makes room") {
  Watched watched({.connections = 4, .per_source = 3});
  REQUIRE(watched.admit("honest", "h1"));
  for (const char* name : {"e1", "e2", "e3"}) REQUIRE(watched.admit("evil", name));
  CHECK(watched.admit("other", "o1"));
  CHECK(watched.ended == std::set<std::string>{"e1"});
}

TEST_CASE("ConnectionGate: those who fill all with idle connections end no handshake of others") {
  Watched watched({.connections = 256, .per_source = 64});
  for (int i = 0; i < 51; ++i) {
    for (const char* source : {"e1", "e2", "e3", "e4", "e5"}) {
      const auto idle = watched.admit(source, source);
      REQUIRE(idle);
      watched.gate.enter(*idle, Phase::kReading);
    }
  }
  REQUIRE(watched.admit("honest", "h1"));
  CHECK(watched.ended.empty());
  for (int i = 0; i < 20; ++i) {
    for (const char* source : {"e1", "e2", "e3", "e4", "e5"}) {
      const auto idle = watched.admit(source, source);
      REQUIRE(idle);
      watched.gate.enter(*idle, Phase::kReading);
    }
  }
  CHECK_FALSE(watched.ended.empty());
  CHECK_FALSE(watched.ended.contains("h1"));
}

TEST_CASE("ConnectionGate: threads are bounded even where ended connections linger") {
  Watched watched({.connections = 3, .per_source = 3});
  std::size_t admitted = 0;
  for (int i = 0; i < 100; ++i) {
    if (watched.admit("a", "n" + std::to_string(i))) ++admitted;
  }
  CHECK(admitted == 6);
  CHECK(watched.gate.size() == 6);
}

TEST_CASE("ConnectionGate: who has left is not ended and gives its room back") {
  Watched watched({.connections = 1, .per_source = 1});
  const auto first = watched.admit("a", "first");
  watched.gate.leave(*first);
  CHECK(watched.admit("a", "second"));
  CHECK(watched.ended.empty());
  watched.gate.end_all();
  CHECK(watched.ended == std::set<std::string>{"second"});
}
