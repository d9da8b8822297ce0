// mini_bus_demo: the story of a stranger who becomes an agent, played with real programs on real sockets.
//
// It runs mini_bus on a fresh home, does with vctl what an administrator would, and plays the agents itself.
// Each step says what was done and what the bus decided; a step that comes out otherwise ends the demo with a
// failure.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <signal.h>

#include "arguments.hpp"
#include "mini_agent.hpp"
#include "subprocess.hpp"

namespace {

namespace fs = std::filesystem;
using mini_bus::MiniAgent;
using mini_bus::Outcome;
using mini_bus::Subprocess;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using vipauth::ConnectionState;
using vipauth::CurveKeyPair;

// A demo that has come to a halt is given up after this time.
constexpr seconds kPatience{60};

// How soon an approved agent must be in. Sanitizers slow everything down.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr seconds kApprovalLimit{20};
#else
constexpr seconds kApprovalLimit{3};
#endif

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

// ---- Telling ----

/// The story as it is printed: steps, and what happens in each.
class Page {
 public:
  void title(const std::string& text) const { std::cout << bold(text) << "\n"; }

  void step(const std::string& text) {
    std::ostringstream number;
    number << std::setw(2) << ++steps_;
    std::cout << "\n" << bold(number.str() + "  " + text) << "\n";
  }

  int steps() const { return steps_; }

  void tell(const std::string& text) const { write("    ", text, ""); }
  void command(const std::string& text) const { write("    $ ", text, "36"); }
  void output(const std::string& text) const { write("      ", text, "2"); }
  void allowed(const std::string& text) const { write("    allowed: ", text, "32"); }
  void refused(const std::string& text) const { write("    refused: ", text, "33"); }
  void good(const std::string& text) const { std::cout << "\n" << coloured(text, "32") << "\n"; }

 private:
  static constexpr std::size_t kWidth = 100;

  std::string coloured(const std::string& text, const std::string& colour) const {
    return has_colour_ && !colour.empty() ? "\x1b[" + colour + "m" + text + "\x1b[0m" : text;
  }
  std::string bold(const std::string& text) const { return coloured(text, "1"); }

  /// Writes lines behind `lead`, broken between words.
  void write(const std::string& lead, const std::string& text, const std::string& colour) const {
    std::istringstream lines(text);
    std::string margin = lead;
    for (std::string line; std::getline(lines, line);) {
      while (margin.size() + line.size() > kWidth) {
        const std::size_t space = line.rfind(' ', kWidth - margin.size());
        if (space == std::string::npos || space == 0) break;
        std::cout << margin << coloured(line.substr(0, space), colour) << "\n";
        line.erase(0, space + 1);
        margin.assign(lead.size(), ' ');
      }
      std::cout << (line.empty() ? "" : margin + coloured(line, colour)) + "\n";
      margin.assign(lead.size(), ' ');
    }
  }

  const bool has_colour_ = isatty(STDOUT_FILENO) != 0;
  int steps_ = 0;
};

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

/// An agent that answers calls on a thread of its own.
class Server {
 public:
  Server(MiniAgent agent, const std::string& method, const std::string& result) : agent_(std::move(agent)) {
    const auto reply = agent_.serve(
        method, [result](const std::string&, const std::string&) { return MiniAgent::Reply{true, result}; });
    if (!reply || !reply->ok) throw Failure("the bus does not let an agent serve " + method);
    thread_ = std::thread([this] {
      while (!stopping_) agent_.next_event(milliseconds(50));
    });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    stopping_ = true;
    thread_.join();
  }

 private:
  MiniAgent agent_;
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

  std::string vctl(const std::vector<std::string>& arguments);
  MiniAgent connect(const std::string& identity, const CurveKeyPair& keys);
  void wait_for_state(MiniAgent& agent, ConnectionState state);

  /// The bus's answer, which must be as expected: allowed; or refused, with that text where one is given.
  static MiniAgent::Reply answered(const std::optional<MiniAgent::Reply>& reply);
  void must_allow(const std::optional<MiniAgent::Reply>& reply, const std::string& otherwise = {});
  void must_refuse(const std::optional<MiniAgent::Reply>& reply, const std::string& text = {});

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
  std::optional<MiniAgent> alice_;
  std::optional<MiniAgent> agent_b_;
  std::optional<MiniAgent> mallory_;
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
  Outcome outcome = mini_bus::run_program(command);
  page_.output(outcome.output);
  if (outcome.exit_code != 0) throw Failure(typed + " ended with " + std::to_string(outcome.exit_code));
  return std::move(outcome.output);
}

MiniAgent Demo::connect(const std::string& identity, const CurveKeyPair& keys) {
  auto agent = MiniAgent::connect(endpoint_, *server_key_, keys, identity);
  if (!agent) throw Failure(agent.error().to_string());
  return std::move(*agent);
}

void Demo::wait_for_state(MiniAgent& agent, ConnectionState state) {
  wait_until("a connection is " + std::string(to_string(state)),
             [&] { return agent.monitor().update(milliseconds(10)) == state; });
}

MiniAgent::Reply Demo::answered(const std::optional<MiniAgent::Reply>& reply) {
  if (interrupted != 0) throw Failure("interrupted");
  if (!reply) throw Failure("the bus does not answer");
  return *reply;
}

void Demo::must_allow(const std::optional<MiniAgent::Reply>& reply, const std::string& otherwise) {
  const MiniAgent::Reply answer = answered(reply);
  if (!answer.ok) throw Failure("must be allowed, but: " + answer.text);
  page_.allowed(otherwise.empty() ? answer.text : otherwise);
}

void Demo::must_refuse(const std::optional<MiniAgent::Reply>& reply, const std::string& text) {
  const MiniAgent::Reply answer = answered(reply);
  if (answer.ok) throw Failure("must be refused, but was allowed: " + answer.text);
  if (!text.empty() && answer.text != text)
    throw Failure("must be refused with: " + text + "\nbut: " + answer.text);
  page_.refused(answer.text);
}

// ---- The story ----

void Demo::start_bus() {
  page_.step("A home, and a bus");
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
  page_.command("mini_bus --home $VOLTTRON_HOME &");
  bus_ = std::make_unique<Subprocess>(
      std::vector<std::string>{(programs_ / "mini_bus").string(), "--home", home_.path().string()},
      (home_.path() / "bus.log").string());
  const std::string endpoint_line = bus_->read_line();
  const std::string key_line = bus_->read_line();
  page_.output(endpoint_line + "\n" + key_line);
  if (!endpoint_line.starts_with("endpoint ") || !key_line.starts_with("serverkey ")) throw Failure("no bus");
  endpoint_ = endpoint_line.substr(endpoint_line.find(' ') + 1);
  auto key = vipauth::CurveKey::parse(key_line.substr(key_line.find(' ') + 1));
  if (!key) throw Failure(key.error().to_string());
  server_key_ = *key;

  temp_agent_ =
      std::make_unique<Server>(connect("TempAgent", temp_keys_), "set_temperature", "set to 70 degrees");
  agent_a_ = std::make_unique<Server>(connect("AgentA", a_keys_), "bar",
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
    const Outcome list = mini_bus::run_program({(programs_ / "vctl").string(), "auth", "remote", "list"});
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
  must_allow(alice_->hello(), alice_->monitor().advice());
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
  must_refuse(alice_->call("TempAgent", "set_temperature", R"({"temp": 70})"),
              "method \"set_temperature\" requires capabilities ['CAP_SET_TEMP'], but capability list [] was "
              "provided");
}

void Demo::capability_allows() {
  page_.step("Its role gets the capability, and it may");
  vctl({"auth", "add-role", "TEMP_SETTER", "CAP_SET_TEMP"});
  page_.tell("AliceAgent calls TempAgent.set_temperature(temp=70)");
  std::optional<MiniAgent::Reply> reply;
  wait_until("the capability counts", [&] {
    reply = alice_->call("TempAgent", "set_temperature", R"({"temp": 70})");
    return answered(reply).ok;
  });
  must_allow(reply);
}

void Demo::restriction_holds() {
  page_.step("A capability holds only for the parameters it was given for");
  vctl({"auth", "add-role", "BAR_WITH_1", R"({"can_call_bar": {"x": 1}})"});
  vctl({"auth", "add", "--user_id", "AgentB", "--roles", "BAR_WITH_1", "--credentials",
        b_keys_.public_key.to_base64url()});
  agent_b_.emplace(connect("AgentB", b_keys_));
  page_.tell("AgentB calls AgentA.bar(x=1)");
  must_allow(agent_b_->call("AgentA", "bar", R"({"x": 1})"));
  page_.tell("AgentB calls AgentA.bar(x=42)");
  must_refuse(agent_b_->call("AgentA", "bar", R"({"x": 42})"),
              "User AgentB can call method bar only with x=1 but called with x=42");
}

void Demo::topic_is_protected() {
  page_.step("A protected topic refuses, and allows who holds its capability");
  must_allow(agent_b_->subscribe("foo"), "AgentB subscribes to foo");
  const std::string rules =
      R"({"write-protect": [{"topic": "foo", "capabilities": ["can_publish_to_foo"]}]})";
  page_.command("echo '" + rules + "' > $VOLTTRON_HOME/protected_topics.json");
  home_.write("protected_topics.json", rules + "\n");

  page_.tell("AliceAgent publishes to foo/bar");
  std::optional<MiniAgent::Reply> reply;
  wait_until("the topic is protected", [&] {
    reply = alice_->publish("foo/bar", "before");
    return !answered(reply).ok;
  });
  must_refuse(reply,
              "to publish to topic \"foo/bar\" requires capabilities ['can_publish_to_foo'], but capability "
              "list ['CAP_SET_TEMP'] was provided");
  vctl({"auth", "add-role", "FOO_PUBLISHER", "can_publish_to_foo"});
  page_.tell("AliceAgent publishes to foo/bar again");
  wait_until("the capability counts", [&] {
    reply = alice_->publish("foo/bar", "Here is a message");
    return answered(reply).ok;
  });
  wait_until("the subscriber has the message", [&] {
    const auto event = agent_b_->next_event(milliseconds(100));
    return event && event->sender == "AliceAgent" && event->payload == "Here is a message";
  });
  must_allow(reply, "AgentB receives \"Here is a message\" from AliceAgent");
}

void Demo::impostor_is_refused() {
  page_.step("An impostor, with a good key of its own, claims another's name");
  vctl({"auth", "add", "--user_id", "Mallory", "--credentials", mallory_keys_.public_key.to_base64url()});
  page_.tell("Mallory says hello as platform.historian");
  {
    MiniAgent impostor = connect("platform.historian", mallory_keys_);
    must_refuse(impostor.hello());
  }
  page_.tell("Mallory says hello as Mallory");
  mallory_.emplace(connect("Mallory", mallory_keys_));
  must_allow(mallory_->hello(), "hello, Mallory");
}

void Demo::removed_record_refuses() {
  page_.step("The impostor's record is removed, and its next message is refused");
  const std::string list = mini_bus::run_program({(programs_ / "vctl").string(), "auth", "list"}).output;
  const std::string head = "INDEX: ";
  const std::size_t user = list.find("\"user_id\": \"Mallory\"");
  const std::size_t index = user == std::string::npos ? user : list.rfind(head, user);
  if (index == std::string::npos) throw Failure("vctl auth list does not show Mallory:\n" + list);
  const std::size_t digits = index + head.size();
  must_allow(mallory_->publish("weather", "sunny"),
             "Mallory still publishes to a topic that nothing protects");
  vctl({"auth", "remove", list.substr(digits, list.find('\n', digits) - digits), "--yes"});
  page_.tell("Mallory publishes once more, over the same connection");
  std::optional<MiniAgent::Reply> reply;
  wait_until("it is revoked", [&] {
    reply = mallory_->publish("weather", "sunny");
    return !answered(reply).ok;
  });
  must_refuse(reply);
}

void Demo::wrong_server_key_shows() {
  page_.step("An agent that expects another server key can tell");
  auto agent = MiniAgent::connect(endpoint_, CurveKeyPair::generate().public_key, b_keys_, "AgentB");
  if (!agent) throw Failure(agent.error().to_string());
  wait_for_state(*agent, ConnectionState::kWrongServerKey);
  page_.refused(agent->monitor().advice());
}

void Demo::nobody_there_shows() {
  page_.step("So can one that finds nobody there");
  auto agent = MiniAgent::connect("tcp://127.0.0.1:1", *server_key_, b_keys_, "AgentB");
  if (!agent) throw Failure(agent.error().to_string());
  wait_for_state(*agent, ConnectionState::kNobodyThere);
  page_.refused(agent->monitor().advice());
}

void Demo::run(bool serve) {
  try {
    play();
    if (serve) this->serve();
  } catch (const Failure&) {
    std::ifstream log(home_.path() / "bus.log");
    std::cout << "\nWhat the bus logged:\n" << log.rdbuf() << std::flush;
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
  if (!bus_->is_running()) throw Failure("the bus has ended");
  page_.good("All " + std::to_string(page_.steps()) + " steps came out as they must.");
}

/// Leaves the bus running until a signal comes.
void Demo::serve() {
  const std::string key = server_key_->to_base64url();
  std::cout << "\nThe bus goes on, until Ctrl-C. In other terminals:\n\n"
            << "  export VOLTTRON_HOME=" << home_.path().string() << " PATH=" << programs_.string()
            << ":$PATH\n"
            << "  BUS='" << endpoint_ << " --server-key " << key << "'\n\n"
            << "  mini_agent $BUS --identity Bob listen foo              # waits for approval\n"
            << "  vctl auth remote list\n"
            << "  vctl auth remote approve USER_ID --user-id Bob --roles FOO_PUBLISHER\n"
            << "  mini_agent $BUS --identity Bob.2 --key-file Bob.key publish foo/bar hello\n"
            << "  mini_agent $BUS --identity Bob.2 --key-file Bob.key call AgentA bar '{\"x\": 1}'\n"
            << "  vctl auth check call --help\n"
            << "  tail -f $VOLTTRON_HOME/bus.log                          # what the bus decides\n";
  while (interrupted == 0 && bus_->is_running()) std::this_thread::sleep_for(milliseconds(100));
  if (interrupted == 0) throw Failure("the bus has ended");
}

void on_signal(int) { interrupted = 1; }

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << std::unitbuf;
    mini_bus::Arguments arguments(argc, argv);
    const bool serve = arguments.take_flag("--serve");
    if (!arguments.left().empty()) {
      std::cerr << "usage: mini_bus_demo [--serve]\n";
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
    std::cerr << "\nmini_bus_demo: FAILED: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
