// The examples as a user runs them.

#include <array>
#include <cstdio>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <signal.h>

#include <vipauth/agent_key_stores.hpp>
#include <vipauth/key_store.hpp>
#include <vipauth/known_hosts.hpp>
#include <vipauth/remote_administration.hpp>
#include <vipauth/vip_client.hpp>
#include <vipauth/vip_keys.hpp>

#include "running_bus.hpp"
#include "running_router.hpp"
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

/// A program that stays, read while it runs.
class FirstLines {
 public:
  FirstLines(const char* program, const char* argument) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(program, program, argument, nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
  }
  FirstLines(const FirstLines&) = delete;
  FirstLines& operator=(const FirstLines&) = delete;
  ~FirstLines() {
    if (pid_ > 0) interrupt();
    std::fclose(output_);
  }

  /// False where it ends before.
  bool read_until(const std::string& text) {
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), line.size(), output_) != nullptr) {
      if (std::string(line.data()).find(text) != std::string::npos) return true;
    }
    return false;
  }

  /// Its exit code, once it has ended.
  int interrupt() {
    ::kill(pid_, SIGINT);
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  std::FILE* output_ = nullptr;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("vipauth_demo: the story comes out as it must") {
  const Outcome demo = run(EXAMPLES_DIR "/vipauth_demo");
  INFO(demo.output);
  CHECK(demo.exit_code == 0);
  for (const char* line : {
           " PENDING ",
           "$ vctl auth remote approve",
           "s after the command was typed",
           "refused: method \"set_temperature\" requires capabilities ['CAP_SET_TEMP'], but capability",
           "allowed: set to 70 degrees\n",
           "refused: User AgentB can call method bar only with x=1 but called with x=42\n",
           "refused: to publish to topic \"foo/bar\" requires capabilities ['can_publish_to_foo'], but",
           "allowed: AgentB receives \"Here is a message\" from AliceAgent\n",
           "refused: the identity 'platform.historian' belongs to another user's record\n",
           "refused: user 'Mallory' is no longer accepted",
           "refused: method \"deny_authorization\" requires capabilities ['approve_auth'], but",
           "denied AliceAgent (address 127.0.0.1)\n",
           "refused: user 'AliceAgent' is no longer accepted: these credentials are denied\n",
           "refused: the server refused this key for good",
           "All 12 steps came out as they must.\n",
       }) {
    CAPTURE(line);
    CHECK(contains(demo.output, line));
  }
}

TEST_CASE("vipauth_demo: left running, it says what to try, and ends with a signal") {
  FirstLines demo(EXAMPLES_DIR "/vipauth_demo", "--serve");
  CHECK(demo.read_until("vip_agent $BUS#Bob"));
  CHECK(demo.read_until("router.log"));
  CHECK(demo.interrupt() == 0);
}

TEST_CASE("vipauth_demo, vip_agent: wrong usage says how it is used") {
  for (const std::string program :
       {"/vipauth_demo --wrong", "/vipauth_demo --serve --wrong", "/vip_agent", "/vip_agent --home /tmp",
        "/vip_agent --home /tmp tcp://127.0.0.1:1#a", "/vip_agent --home /tmp --publish t x",
        "/vip_agent --home /tmp tcp://127.0.0.1:1#a --publish t",
        "/vip_agent --home /tmp tcp://127.0.0.1:1#a --dance",
        "/vip_agent --home /tmp tcp://127.0.0.1:1#a tcp://127.0.0.1:1#b --serve m"}) {
    CAPTURE(program);
    const Outcome outcome = run(EXAMPLES_DIR + program);
    CHECK(outcome.exit_code == 64);
    CHECK(contains(outcome.output, "usage: vip"));
  }
}

TEST_CASE("mini_bus, mini_agent: wrong usage says how it is used") {
  for (const std::string program : {"/mini_bus", "/mini_bus --home", "/mini_agent",
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

// ---- vip_agent ----

namespace {

/// A platform, and the home of an agent of another machine.
struct Platform {
  Platform() { agent_home.set_mode(".", 0700); }

  void know_router(const CurveKey& key) const {
    must(KnownHosts(agent_home / "known_hosts").add(router->endpoint(), key));
  }
  VipClient administrator() const {
    const VipAddress address = must(VipAddress::parse(router->endpoint() + "#control"));
    VipClient client = must(VipClient::open(must(find_client_keys(home.path(), address))));
    must(client.hello());
    return client;
  }
  std::string command(const std::string& actions) const {
    return "timeout 200 " EXAMPLES_DIR "/vip_agent --home " + agent_home.path().string() + " " +
           router->endpoint() + "#bob " + actions;
  }

  TempHome home;
  TempHome agent_home;
  std::optional<RunningRouter> router;
};

}  // namespace

TEST_CASE("vip_agent: waits for approval, serves, survives its router, and stops once it is denied") {
  Platform platform;
  platform.router.emplace(platform.home);
  platform.know_router(platform.router->key());
  VipClient administrator = platform.administrator();
  RemoteAdministration administration(administrator);
  const std::filesystem::path log = platform.agent_home / "log";
  // Made here: the other thread has no part in the platform.
  auto agent = std::async(std::launch::async, run,
                          platform.command("--subscribe foo --serve greet=CAP_GREET >" + log.string()));
  REQUIRE(eventually([&] {
    return std::filesystem::exists(log) &&
           contains(platform.agent_home.read("log"), "remote approve USER_ID");
  }));

  std::vector<Authorization> pending;
  REQUIRE(eventually([&] {
    pending = must(administration.get_pending_authorizations());
    return !pending.empty();
  }));
  Approval approval;
  approval.user_id = "bob";
  approval.identity = "bob";
  must(administration.approve_authorization(pending.front().user_id, approval));

  const auto is_heard = [&] {
    const auto count = administrator.publish("foo/x", Json(), "hello");
    return count && *count == 1;
  };
  const auto is_guarded = [&] {
    const auto answer = administrator.call("bob", "greet", Json::Array{1});
    return !answer && answer.error().code == ErrorCode::kPermissionDenied;
  };
  CHECK(eventually(is_heard));
  CHECK(eventually(is_guarded));

  vip_router::VipRouter::Options at_the_same_place;
  at_the_same_place.addresses.push_back(must(VipAddress::parse(platform.router->endpoint())));
  platform.router.reset();
  platform.router.emplace(platform.home, std::move(at_the_same_place));
  REQUIRE(administrator.hello());
  CHECK(eventually(is_heard));
  CHECK(eventually(is_guarded));

  must(administration.deny_authorization("bob"));
  CHECK(agent.get().exit_code == 2);
  const std::string output = platform.agent_home.read("log");
  INFO(output);
  for (const char* line :
       {"vctl auth remote approve USER_ID", "connected as user bob", "callers need: {'greet': ['CAP_GREET']}",
        "'control' on 'foo/x': 'hello'", "ALERT: the platform denies this agent, so it stops: "}) {
    CAPTURE(line);
    CHECK(contains(output, line));
  }
  const Outcome again = run(platform.command("--publish t x"));
  CHECK(again.exit_code == 2);
  CHECK(contains(again.output, "ALERT: the platform denies this agent, so it stops: the server refused"));
}

TEST_CASE("vip_agent: a refused request is no end, but a failure") {
  Platform platform;
  const CurveKeyPair keys = must(AgentKeyStores(platform.agent_home.path()).load_or_create("bob"));
  platform.home.write("auth.json", auth_json({curve_record("bob", keys.public_key)}));
  platform.home.write("protected_topics.json",
                      R"({"write-protect": [{"topic": "foo", "capabilities": ["may"]}]})");
  platform.router.emplace(platform.home);
  platform.know_router(platform.router->key());

  const Outcome allowed =
      run(platform.command("--publish bar x --call platform.auth get_capabilities '[\"bob\"]'"));
  CHECK(allowed.exit_code == 0);
  CHECK(contains(allowed.output, "published to bar: 0\n"));
  CHECK(contains(allowed.output, "platform.auth.get_capabilities: "));
  const Outcome refused = run(platform.command("--publish foo x --publish bar y"));
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.output, "published to foo: refused: to publish to topic \"foo\" requires"));
  CHECK(contains(refused.output, "published to bar: 0\n"));
  const Outcome nobody = run(platform.command("--call nobody m '{}'"));
  CHECK(nobody.exit_code == 1);
  CHECK(contains(nobody.output, "nobody.m: failed: there is no peer \"nobody\" on the bus"));
  CHECK(run(platform.command("--call nobody m '{'")).exit_code == 1);
}

TEST_CASE("vip_agent: tells no stranger posing as its router anything") {
  Platform platform;
  platform.router.emplace(platform.home);
  const Outcome unknown = run(platform.command("--publish t x"));
  CHECK(unknown.exit_code == 1);
  CHECK(contains(unknown.output, "no server key is known"));
  CHECK(contains(unknown.output, "add-known-host"));
  platform.know_router(CurveKeyPair::generate().public_key);
  const Outcome other = run(platform.command("--publish t x"));
  CHECK(other.exit_code == 1);
  CHECK(contains(other.output, "does not have the server key that this client expects"));
  const Outcome contradicted =
      run("timeout 200 " EXAMPLES_DIR "/vip_agent --home " + platform.agent_home.path().string() + " '" +
          platform.router->endpoint() + "?serverkey=" + platform.router->key().to_base64url() +
          "#bob' --publish t x");
  CHECK(contradicted.exit_code == 1);
  CHECK(contains(contradicted.output, "known_hosts"));
}

}  // namespace vipauth::test
