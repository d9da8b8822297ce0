// vipauth_demo: the story of a stranger who becomes an agent, played with real programs on real sockets.
//
// It runs vip_router on a fresh home, does with vctl what an administrator would, and plays the agents
// itself. Each step says what was done and what the bus decided; a step that comes out otherwise ends the
// demo with a failure.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <signal.h>

#include <vipauth/python_repr.hpp>
#include <vipauth/vipauth.hpp>

#include "page.hpp"
#include "subprocess.hpp"

namespace {

namespace fs = std::filesystem;
using demo::Outcome;
using demo::Page;
using demo::Subprocess;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using vipauth::ConnectionState;
using vipauth::CurveKeyPair;
using vipauth::ErrorCode;
using vipauth::Json;
using vipauth::Result;
using vipauth::VipClient;

// A demo that has come to a halt is given up after this time.
constexpr seconds kPatience{60};

// How soon an approved agent must be in. Sanitizers slow everything down.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr seconds kApprovalLimit{20};
#else
constexpr seconds kApprovalLimit{3};
#endif

constexpr const char* kLog = "router.log";

volatile sig_atomic_t interrupted = 0;

/// The story has not gone as it must.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

double in_seconds(steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

/// Asks again and again until `condition` holds. \throws Failure, where it never does
void wait_until(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!condition()) {
    if (interrupted != 0) throw Failure("interrupted");
    if (steady_clock::now() > deadline) throw Failure("waited in vain until " + what);
    std::this_thread::sleep_for(milliseconds(10));
  }
}

// ---- The stage ----

/// A folder that goes with this object.
class TemporaryHome {
 public:
  TemporaryHome() {
    std::string path = (fs::temp_directory_path() / "vipauth-demo-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw Failure("cannot make a temporary folder");
    path_ = path;
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
  ~TemporaryHome() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream file(path_ / name);
    file << text;
    if (!file.flush()) throw Failure("cannot write " + name);
    fs::permissions(path_ / name, fs::perms::owner_read | fs::perms::owner_write);
  }

 private:
  fs::path path_;
};

/// \throws Failure, where the router does not welcome it
void must_be_welcome(VipClient& agent) {
  if (const auto welcome = agent.hello(kPatience); !welcome) throw Failure(welcome.error().to_string());
}

/// An agent that answers calls on a thread of its own.
class Server {
 public:
  Server(VipClient agent, const std::string& method, std::vector<vipauth::Parameter> parameters,
         const std::string& result)
      : agent_(std::move(agent)) {
    agent_.methods().add(
        method, std::move(parameters), "",
        [result](VipClient::Caller&, const vipauth::CallArguments&) -> Result<Json> { return Json(result); });
    must_be_welcome(agent_);
    thread_ = std::thread([this] {
      while (!stopping_) agent_.next_publication(milliseconds(50));
    });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    stopping_ = true;
    thread_.join();
  }

 private:
  VipClient agent_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class Demo {
 public:
  explicit Demo(fs::path programs) : programs_(std::move(programs)) {}

  void run(bool serve);

 private:
  void play();
  void serve();

  // The steps, in order.
  void start_bus();
  void stranger_is_pending();
  void approval_lets_it_in();
  void method_refuses();
  void capability_allows();
  void restriction_holds();
  void topic_is_protected();
  void impostor_is_refused();
  void removed_record_refuses();
  void wrong_server_key_shows();
  void nobody_there_shows();
  void administered_over_the_bus();

  std::string vctl(const std::vector<std::string>& arguments);
  VipClient open(const std::string& endpoint, const vipauth::CurveKey& server_key,
                 const std::string& identity, const CurveKeyPair& keys);
  VipClient connect(const std::string& identity, const CurveKeyPair& keys) {
    return open(endpoint_, *server_key_, identity, keys);
  }
  void wait_for_state(VipClient& agent, ConnectionState state);

  // The platform's answer, which must be as expected.
  void must_allow(const Result<Json>& answer, const std::string& otherwise = {});
  void must_refuse(const Result<Json>& answer, const std::string& text = {});

  const fs::path programs_;
  Page page_;
  TemporaryHome home_;
  std::unique_ptr<Subprocess> bus_;
  std::string endpoint_;
  std::optional<vipauth::CurveKey> server_key_;

  const CurveKeyPair temp_keys_ = CurveKeyPair::generate();
  const CurveKeyPair a_keys_ = CurveKeyPair::generate();
  const CurveKeyPair alice_keys_ = CurveKeyPair::generate();
  const CurveKeyPair b_keys_ = CurveKeyPair::generate();
  const CurveKeyPair historian_keys_ = CurveKeyPair::generate();
  const CurveKeyPair mallory_keys_ = CurveKeyPair::generate();

  std::unique_ptr<Server> temp_agent_;
  std::unique_ptr<Server> agent_a_;
  std::optional<VipClient> alice_;
  std::optional<VipClient> agent_b_;
  std::optional<VipClient> mallory_;
  std::string pending_user_id_;
};

// ---- Doing ----

/// A word as one types it in a shell.
std::string quoted(const std::string& word) {
  const bool is_plain = !word.empty() && word.find_first_of(" \"'{}[]$&|;<>*?()") == std::string::npos;
  return is_plain ? word : "'" + word + "'";
}

/// The user id in the row of a pending request from this host, or nothing.
std::string user_id_of_pending(const std::string& table) {
  std::istringstream rows(table);
  for (std::string row; std::getline(rows, row);) {
    std::istringstream columns(row);
    std::string user_id;
    std::string address;
    std::string status;
    columns >> user_id >> address >> status;
    if (status == "PENDING" && address == "127.0.0.1") return user_id;
  }
  return {};
}

/// Runs vctl, prints what was typed and what came. \throws Failure, where it fails
std::string Demo::vctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{(programs_ / "vctl").string()};
  std::string typed = "vctl";
  for (const std::string& argument : arguments) {
    command.push_back(argument);
    typed += " " + quoted(argument);
  }
  page_.command(typed);
  Outcome outcome = demo::run_program(command);
  page_.output(outcome.output);
  if (outcome.exit_code != 0) throw Failure(typed + " ended with " + std::to_string(outcome.exit_code));
  return std::move(outcome.output);
}

VipClient Demo::open(const std::string& endpoint, const vipauth::CurveKey& server_key,
                     const std::string& identity, const CurveKeyPair& keys) {
  auto agent = VipClient::open({.endpoint = endpoint,
                                .server_key = server_key,
                                .own = {keys.public_key, vipauth::SecretKey(keys.secret_key.bytes())},
                                .ipv6 = {},
                                .identity = identity});
  if (!agent) throw Failure(agent.error().to_string());
  return std::move(*agent);
}

void Demo::wait_for_state(VipClient& agent, ConnectionState state) {
  wait_until("a connection is " + std::string(to_string(state)),
             [&] { return agent.monitor().update(milliseconds(10)) == state; });
}

bool is_refused(const Result<Json>& answer) {
  return !answer && answer.error().code == ErrorCode::kPermissionDenied;
}

// What a hello, or a publication, was answered, in the form of a call's answer.

Result<Json> as_answer(const Result<VipClient::Welcome>& welcome) {
  if (!welcome) return welcome.error();
  return Json("hello, " + welcome->user_id);
}

Result<Json> as_answer(const Result<std::size_t>& count) {
  if (!count) return count.error();
  return Json(static_cast<std::int64_t>(*count));
}

void Demo::must_allow(const Result<Json>& answer, const std::string& otherwise) {
  if (interrupted != 0) throw Failure("interrupted");
  if (!answer) throw Failure("must be allowed, but: " + answer.error().to_string());
  page_.allowed(otherwise.empty() ? python_str(*answer) : otherwise);
}

void Demo::must_refuse(const Result<Json>& answer, const std::string& text) {
  if (interrupted != 0) throw Failure("interrupted");
  if (answer) throw Failure("must be refused, but was allowed: " + python_str(*answer));
  const std::string& told = answer.error().message;
  if (!is_refused(answer) || (!text.empty() && told != text)) {
    throw Failure("must be refused with: " + text + "\nbut: " + answer.error().to_string());
  }
  page_.refused(told);
}

// ---- The story ----

void Demo::start_bus() {
  page_.step("A home, and a router");
  home_.write("auth.json", R"({
  // TempAgent and AgentA answer calls, and say which capabilities their methods require.
  "allow": [
    {"user_id": "TempAgent", "identity": "TempAgent", "credentials": ")" +
                               temp_keys_.public_key.to_base64url() + R"(",
     "rpc_method_authorizations": {"set_temperature": ["CAP_SET_TEMP"]}},
    {"user_id": "AgentA", "identity": "AgentA", "credentials": ")" +
                               a_keys_.public_key.to_base64url() + R"(",
     "rpc_method_authorizations": {"bar": ["can_call_bar"]}},
    // Not running just now.
    {"user_id": "historian", "identity": "platform.historian",
     "credentials": ")" + historian_keys_.public_key.to_base64url() +
                               R"("}
  ],
  "version": {"major": 1, "minor": 4}
}
)");
  page_.tell(
      "auth.json knows TempAgent, whose method set_temperature requires CAP_SET_TEMP, AgentA, whose "
      "method bar requires can_call_bar, and a historian, which is not running.");
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet
  setenv("VOLTTRON_HOME", home_.path().c_str(), 1);
  page_.command("export VOLTTRON_HOME=" + home_.path().string());
  const std::string address = "tcp://127.0.0.1:*";
  page_.command("vip_router --vip-address '" + address + "' -v &");
  bus_ = std::make_unique<Subprocess>(
      std::vector<std::string>{(programs_ / "vip_router").string(), "--vip-address", address, "-v"},
      (home_.path() / kLog).string());
  const std::string address_line = bus_->read_line();
  const std::string key_line = bus_->read_line();
  page_.output(address_line + "\n" + key_line);
  if (!address_line.starts_with("address ") || !key_line.starts_with("serverkey "))
    throw Failure("no router");
  endpoint_ = address_line.substr(address_line.find(' ') + 1);
  auto key = vipauth::CurveKey::parse(key_line.substr(key_line.find(' ') + 1));
  if (!key) throw Failure(key.error().to_string());
  server_key_ = *key;

  const auto parameter = [](const char* name) {
    return std::vector<vipauth::Parameter>{{name, vipauth::Parameter::Kind::kPositional, std::nullopt}};
  };
  temp_agent_ = std::make_unique<Server>(connect("TempAgent", temp_keys_), "set_temperature",
                                         parameter("temp"), "set to 70 degrees");
  agent_a_ = std::make_unique<Server>(connect("AgentA", a_keys_), "bar", parameter("x"),
                                      "If you can see this, then you have the required capabilities");
  page_.allowed("TempAgent and AgentA are connected, and serve their methods");
}

void Demo::stranger_is_pending() {
  page_.step("A stranger connects, and is PENDING");
  page_.tell("AliceAgent connects with a key that nobody knows. What its connection monitor says:");
  alice_.emplace(connect("AliceAgent", alice_keys_));
  wait_for_state(*alice_, ConnectionState::kWaiting);
  page_.output(alice_->monitor().advice());

  wait_until("the stranger is listed as PENDING", [&] {
    const Outcome list = demo::run_program({(programs_ / "vctl").string(), "auth", "remote", "list"});
    pending_user_id_ = user_id_of_pending(list.output);
    return !pending_user_id_.empty();
  });
  vctl({"auth", "remote", "list"});
}

void Demo::approval_lets_it_in() {
  page_.step("An administrator approves it, and it is in: nothing was restarted");
  const auto before = steady_clock::now();
  vctl({"auth", "remote", "approve", pending_user_id_, "--user-id", "AliceAgent", "--roles",
        "TEMP_SETTER,FOO_PUBLISHER"});
  wait_for_state(*alice_, ConnectionState::kConnected);
  const auto time = steady_clock::now() - before;
  const auto welcome = alice_->hello();
  must_allow(as_answer(welcome), alice_->monitor().advice());
  std::ostringstream measured;
  measured << std::fixed << std::setprecision(1) << in_seconds(time)
           << " s after the command was typed (at most " << in_seconds(kApprovalLimit) << " s)";
  page_.tell(measured.str());
  if (time > kApprovalLimit) throw Failure("it took too long");
  vctl({"auth", "remote", "list"});
}

void Demo::method_refuses() {
  page_.step("It calls a method that requires a capability it does not hold");
  page_.tell("AliceAgent calls TempAgent.set_temperature(temp=70)");
  must_refuse(alice_->call("TempAgent", "set_temperature", Json::Object{{"temp", 70}}),
              "method \"set_temperature\" requires capabilities ['CAP_SET_TEMP'], but capability list [] was "
              "provided");
}

void Demo::capability_allows() {
  page_.step("Its role gets the capability, and it may");
  vctl({"auth", "add-role", "TEMP_SETTER", "CAP_SET_TEMP"});
  page_.tell("AliceAgent calls TempAgent.set_temperature(temp=70)");
  Result<Json> answer = Json();
  wait_until("the capability counts", [&] {
    answer = alice_->call("TempAgent", "set_temperature", Json::Object{{"temp", 70}});
    return answer.has_value();
  });
  must_allow(answer);
}

void Demo::restriction_holds() {
  page_.step("A capability holds only for the parameters it was given for");
  vctl({"auth", "add-role", "BAR_WITH_1", R"({"can_call_bar": {"x": 1}})"});
  vctl({"auth", "add", "--user_id", "AgentB", "--roles", "BAR_WITH_1", "--credentials",
        b_keys_.public_key.to_base64url()});
  agent_b_.emplace(connect("AgentB", b_keys_));
  must_be_welcome(*agent_b_);
  page_.tell("AgentB calls AgentA.bar(x=1)");
  must_allow(agent_b_->call("AgentA", "bar", Json::Object{{"x", 1}}));
  page_.tell("AgentB calls AgentA.bar(x=42)");
  must_refuse(agent_b_->call("AgentA", "bar", Json::Object{{"x", 42}}),
              "User AgentB can call method bar only with x=1 but called with x=42");
}

void Demo::topic_is_protected() {
  page_.step("A protected topic refuses, and allows who holds its capability");
  if (const auto subscribed = agent_b_->subscribe("foo"); !subscribed)
    throw Failure(subscribed.error().to_string());
  page_.allowed("AgentB subscribes to foo");
  const std::string rules =
      R"({"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]}]})";
  page_.command("echo '" + rules + "' > $VOLTTRON_HOME/protected_topics.json");
  home_.write("protected_topics.json", rules + "\n");

  page_.tell("AliceAgent publishes to foo/bar");
  Result<Json> answer = Json();
  wait_until("the topic is protected", [&] {
    answer = as_answer(alice_->publish("foo/bar", Json(), "before"));
    return is_refused(answer);
  });
  must_refuse(answer,
              "to publish to topic \"foo/bar\" requires capabilities ['can_publish_to_foo'], but capability "
              "list ['CAP_SET_TEMP'] was provided");
  vctl({"auth", "add-role", "FOO_PUBLISHER", "can_publish_to_foo"});
  page_.tell("AliceAgent publishes to foo/bar again");
  wait_until("the capability counts", [&] {
    answer = as_answer(alice_->publish("foo/bar", Json(), "Here is a message"));
    return answer.has_value();
  });
  wait_until("the subscriber has the message", [&] {
    const auto event = agent_b_->next_publication(milliseconds(100));
    return event && event->sender == "AliceAgent" && event->message == Json("Here is a message");
  });
  must_allow(answer, "AgentB receives \"Here is a message\" from AliceAgent");
}

void Demo::impostor_is_refused() {
  page_.step("An impostor, with a good key of its own, claims another's name");
  vctl({"auth", "add", "--user_id", "Mallory", "--credentials", mallory_keys_.public_key.to_base64url()});
  page_.tell("Mallory says hello as platform.historian");
  {
    VipClient impostor = connect("platform.historian", mallory_keys_);
    must_refuse(as_answer(impostor.hello()));
  }
  page_.tell("Mallory says hello as Mallory");
  mallory_.emplace(connect("Mallory", mallory_keys_));
  must_allow(as_answer(mallory_->hello()));
}

void Demo::removed_record_refuses() {
  page_.step("The impostor's record is removed, and its next message is refused");
  const std::string list = demo::run_program({(programs_ / "vctl").string(), "auth", "list"}).output;
  const std::string head = "INDEX: ";
  const std::size_t user = list.find("\"user_id\": \"Mallory\"");
  const std::size_t index = user == std::string::npos ? user : list.rfind(head, user);
  if (index == std::string::npos) throw Failure("vctl auth list does not show Mallory:\n" + list);
  const std::size_t digits = index + head.size();
  must_allow(as_answer(mallory_->publish("weather", Json(), "sunny")),
             "Mallory still publishes to a topic that nothing protects");
  vctl({"auth", "remove", list.substr(digits, list.find('\n', digits) - digits), "--yes"});
  page_.tell("Mallory publishes once more, over the same connection");
  Result<Json> answer = Json();
  wait_until("it is revoked", [&] {
    answer = as_answer(mallory_->publish("weather", Json(), "sunny"));
    return is_refused(answer);
  });
  must_refuse(answer);
}

void Demo::wrong_server_key_shows() {
  page_.step("An agent that expects another server key can tell");
  VipClient agent = open(endpoint_, CurveKeyPair::generate().public_key, "AgentB", b_keys_);
  wait_for_state(agent, ConnectionState::kWrongServerKey);
  page_.refused(agent.monitor().advice());
}

void Demo::nobody_there_shows() {
  page_.step("So can one that finds nobody there");
  VipClient agent = open("tcp://127.0.0.1:1", *server_key_, "AgentB", b_keys_);
  wait_for_state(agent, ConnectionState::kNobodyThere);
  page_.refused(agent.monitor().advice());
}

void Demo::administered_over_the_bus() {
  page_.step("An administrator asks and decides over the bus, and it counts at once");
  page_.tell("AgentB asks the platform to deny AliceAgent");
  must_refuse(agent_b_->call("platform.auth", "deny_authorization", Json::Array{"AliceAgent"}));
  vctl({"--vip-address", endpoint_, "auth", "remote", "list"});
  vctl({"--vip-address", endpoint_, "auth", "remote", "deny", "AliceAgent"});
  page_.tell("AliceAgent publishes to foo/bar, over its old connection");
  Result<Json> answer = Json();
  wait_until("it is denied", [&] {
    answer = as_answer(alice_->publish("foo/bar", Json(), "after"));
    return is_refused(answer);
  });
  must_refuse(answer);
  page_.tell("AliceAgent connects anew");
  alice_.emplace(connect("AliceAgent", alice_keys_));
  must_refuse(as_answer(alice_->hello()));
}

void Demo::run(bool serve) {
  try {
    play();
    if (serve) this->serve();
  } catch (const Failure&) {
    std::ifstream log(home_.path() / kLog);
    std::cout << "\nWhat the router logged:\n" << log.rdbuf() << std::flush;
    throw;
  }
}

void Demo::play() {
  page_.title("vipauth: how a stranger becomes an agent");
  start_bus();
  stranger_is_pending();
  approval_lets_it_in();
  method_refuses();
  capability_allows();
  restriction_holds();
  topic_is_protected();
  impostor_is_refused();
  removed_record_refuses();
  wrong_server_key_shows();
  nobody_there_shows();
  administered_over_the_bus();
  if (!bus_->is_running()) throw Failure("the router has ended");
  page_.good("All " + std::to_string(page_.steps()) + " steps came out as they must.");
}

/// Leaves the router running until a signal comes.
void Demo::serve() {
  std::cout << "\nThe router goes on, until Ctrl-C. In other terminals:\n\n"
            << "  export VOLTTRON_HOME=" << home_.path().string() << " PATH=" << programs_.string()
            << ":$PATH\n"
            << "  BUS=" << endpoint_ << "\n\n"
            << "  # waits for approval; then serves, publishes, hears itself, and calls\n"
            << "  vip_agent $BUS#Bob --serve greet=CAP_GREET --subscribe foo --publish foo/bar hello \\\n"
            << "    --call AgentA bar '{\"x\": 1}'\n"
            << "  vctl auth remote list\n"
            << "  vctl --vip-address $BUS auth remote approve USER_ID --user-id Bob --roles "
               "FOO_PUBLISHER,BAR_WITH_1\n\n"
            << "  vip_agent $BUS#control --call Bob greet '[\"Bob\"]'  # lacks CAP_GREET\n"
            << "  vctl --vip-address $BUS auth remote deny Bob       # Bob stops, with an alert\n"
            << "  vctl auth probe $BUS#Bob\n"
            << "  tail -f $VOLTTRON_HOME/" << kLog << "                 # who comes, goes, and is refused\n";
  while (interrupted == 0 && bus_->is_running()) std::this_thread::sleep_for(milliseconds(100));
  if (interrupted == 0) throw Failure("the router has ended");
}

void on_signal(int) { interrupted = 1; }

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << std::unitbuf;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool serve = !arguments.empty() && arguments.front() == "--serve";
    if (arguments.size() > (serve ? 1U : 0U)) {
      std::cerr << "usage: vipauth_demo [--serve]\n";
      return 64;
    }
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);

    Demo(fs::read_symlink("/proc/self/exe").parent_path()).run(serve);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cout << std::flush;
    std::cerr << "\nvipauth_demo: FAILED: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
