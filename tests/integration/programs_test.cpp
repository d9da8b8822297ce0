// The examples as a user runs them.

#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

#include <vipauth/key_store.hpp>

#include "running_bus.hpp"
#include "support/catch.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

/// Runs a command in a shell, to its end.
Outcome run(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("mini_bus_demo: the story comes out as it must") {
  const Outcome demo = run(EXAMPLES_DIR "/mini_bus_demo");
  INFO(demo.output);
  CHECK(demo.exit_code == 0);
  for (const char* line : {
           "PENDING\n",
           "$ vctl auth remote approve",
           "s after the command was typed",
           "refused: method \"set_temperature\" requires capabilities ['CAP_SET_TEMP'], but capability",
           "allowed: set to 70 degrees\n",
           "refused: User AgentB can call method bar only with x=1 but called with x=42\n",
           "refused: to publish to topic \"foo/bar\" requires capabilities ['can_publish_to_foo'], but",
           "allowed: AgentB receives \"Here is a message\" from AliceAgent\n",
           "refused: the identity 'platform.historian' belongs to another user's record\n",
           "refused: user 'Mallory' is no longer accepted",
           "All 11 steps came out as they must.\n",
       }) {
    CAPTURE(line);
    CHECK(contains(demo.output, line));
  }
}

TEST_CASE("mini_bus_demo, mini_bus, mini_agent: wrong usage says how it is used") {
  for (const std::string program : {"/mini_bus_demo --wrong", "/mini_bus", "/mini_bus --home", "/mini_agent",
                                    "/mini_agent tcp://127.0.0.1:1 --server-key K --identity N dance"}) {
    CAPTURE(program);
    const Outcome outcome = run(EXAMPLES_DIR + program);
    CHECK(outcome.exit_code == 64);
    CHECK(contains(outcome.output, "usage: mini_"));
  }
}

TEST_CASE("mini_bus: says what is wrong with its home") {
  const Outcome outcome = run(EXAMPLES_DIR "/mini_bus --home /nonexistent");
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.output, "/nonexistent"));
}

TEST_CASE("mini_agent: publishes where it may, and says why where it may not") {
  const TempHome home;
  const CurveKeyPair keys = must(KeyStore(home / "bob.key").load_or_create());
  home.write("auth.json", auth_json({curve_record("bob", keys.public_key)}));
  home.write("protected_topics.json", R"({"write-protect": [{"topic": "foo", "capabilities": ["may"]}]})");
  const RunningBus bus(home);
  const std::string agent = EXAMPLES_DIR "/mini_agent " + bus.endpoint() + " --server-key " +
                            bus.key().to_base64url() + " --identity bob --key-file " +
                            (home / "bob.key").string();

  const Outcome allowed = run(agent + " publish bar hello");
  CHECK(allowed.exit_code == 0);
  CHECK(contains(allowed.output, "let this key in"));
  const Outcome refused = run(agent + " publish foo hello");
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.output, "to publish to topic \"foo\" requires capabilities ['may']"));
}

TEST_CASE("mini_agent: gives up where it is refused for good") {
  const TempHome home;
  const CurveKeyPair keys = must(KeyStore(home / "bob.key").load_or_create());
  home.write("auth.json", auth_json({}, {curve_record("bob", keys.public_key)}));
  const RunningBus bus(home);
  const Outcome outcome =
      run(EXAMPLES_DIR "/mini_agent " + bus.endpoint() + " --server-key " + bus.key().to_base64url() +
          " --identity bob --key-file " + (home / "bob.key").string() + " publish bar hello");
  CHECK(outcome.exit_code == 1);
  CHECK(contains(outcome.output, "refused this key for good"));
}

}  // namespace vipauth::test
