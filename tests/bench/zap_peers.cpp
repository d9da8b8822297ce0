#include "zap_peers.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include <spawn.h>
#include <zmq.hpp>

#include <vipauth/zap_server.hpp>

#include "homes.hpp"
#include "zap_load.hpp"

namespace bench {
namespace {

constexpr double kRoundSeconds = 0.3;
constexpr const char* kPython = "/usr/bin/python3";  // which has Debian's modules

using Measure = std::function<void(void* context)>;

/// Answers 200 to whatever comes: no handler can do less.
class Trivial {
 public:
  explicit Trivial(zmq::context_t& context) : socket_(context, zmq::socket_type::router) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.bind("inproc://zeromq.zap.01");
    thread_ = std::thread([this] { run(); });
  }
  Trivial(const Trivial&) = delete;
  Trivial& operator=(const Trivial&) = delete;
  ~Trivial() { thread_.join(); }  // once the context has been shut down

 private:
  static constexpr std::size_t kMostFrames = 10;

  void run() try {
    std::array<zmq::message_t, kMostFrames> frames;
    for (;;) {
      std::size_t count = 0;
      do {
        static_cast<void>(socket_.recv(frames.at(count)));
      } while (frames.at(count++).more());
      answer(frames);
    }
  } catch (const zmq::error_t&) {
    socket_.close();
  }

  void answer(std::array<zmq::message_t, kMostFrames>& frames) {
    for (std::size_t i = 0; i < 4; ++i)
      socket_.send(frames[i], zmq::send_flags::sndmore);  // to the request id
    for (const std::string_view text : {"200", "OK", "somebody"}) {
      socket_.send(zmq::buffer(text), zmq::send_flags::sndmore);
    }
    socket_.send(zmq::message_t(), zmq::send_flags::none);
  }

  zmq::socket_t socket_;
  std::thread thread_;
};

void serve_bare(const Measure& measure) {
  zmq::context_t context;
  measure(context.handle());
}

void serve_trivially(const Measure& measure) {
  zmq::context_t context;
  const Trivial handler(context);
  measure(context.handle());
  context.shutdown();
}

void serve_ours(std::size_t records, const Measure& measure) {
  const TempFolder home;
  write_policy(home.path(), records);
  const vipauth::AuthService service = open_service(home.path());
  zmq::context_t context;
  const vipauth::ZapServer server = must(vipauth::ZapServer::start(context, service));
  measure(context.handle());
}

/// A folder of certificates as CZMQ and PyZMQ read them. None for no records.
class Certificates {
 public:
  explicit Certificates(std::size_t records) : records_(records) {
    for (std::size_t i = 0; i < records; ++i) {
      write_file(folder_.path() / (std::to_string(i) + ".key"),
                 "metadata\ncurve\n    public-key = \"" + key_of(i).to_z85() + "\"\n");
    }
  }
  std::string path() const { return records_ == 0 ? "" : folder_.path().string(); }

 private:
  std::size_t records_;
  TempFolder folder_;
};

/// Says that it is ready, and measures each time that it is asked.
void take_turns(const std::function<double()>& once) {
  std::cout << "ready\n" << std::flush;
  for (std::string line; std::getline(std::cin, line);) std::cout << once() << '\n' << std::flush;
}

/// Becomes Python, which does the same.
[[noreturn]] void become_python(const std::string& measure, std::size_t records) {
  // What writes the folder lives on, to remove it: exec would not.
  const Certificates certificates(records);
  const std::string count = std::to_string(records);
  const std::string seconds = std::to_string(kRoundSeconds);
  const char* const words[] = {kPython,         "-B",          BENCH_PYTHON_PEER, BENCH_ZAP_LOAD,
                               measure.c_str(), count.c_str(), seconds.c_str(),   nullptr};
  const std::string folder = certificates.path();
  setenv("BENCH_CERTIFICATES", folder.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  pid_t pid = 0;
  int status = 1;
  if (posix_spawn(&pid, kPython, nullptr, nullptr, const_cast<char**>(words), environ) == 0)
    waitpid(pid, &status, 0);
  fs::remove_all(folder);
  std::_Exit(status == 0 ? 0 : 1);
}

}  // namespace

std::vector<PeerKind> peer_kinds(const Arguments& arguments) {
  std::vector<PeerKind> kinds{{"none", 0},      {"trivial", 0},       {"ours", 1000},       {"czmq_any", 0},
                              {"pyzmq_any", 0}, {"czmq_certs", 1000}, {"pyzmq_certs", 1000}};
  using Sizes = std::vector<std::size_t>;
  for (const std::size_t records :
       arguments.pick(Sizes{10'000, 100'000, 1'000'000}, Sizes{100'000}, Sizes{})) {
    kinds.push_back({"ours", records});
  }
  if (arguments.effort == Effort::kFull) kinds.push_back({"czmq_certs", 100});
  return kinds;
}

Peer::Peer(PeerKind kind, const std::string& measure) : kind_(std::move(kind)) {
  int to[2];
  int from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) give_up("cannot make a pipe");
  const std::string records = std::to_string(kind_.records);
  const char* const words[] = {"/proc/self/exe",   "--peer",        measure.c_str(),
                               kind_.name.c_str(), records.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  const int error = posix_spawn(&pid_, words[0], &actions, nullptr, const_cast<char**>(words), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) give_up("cannot start a peer");
  close(to[0]);
  close(from[1]);
  to_ = to[1];
  from_ = from[0];
}

Peer::~Peer() {
  close(to_);
  close(from_);
  waitpid(pid_, nullptr, 0);
}

std::string Peer::label() const { return kind_.name + '/' + std::to_string(kind_.records); }

bool Peer::read_line(std::string& line) {
  line.clear();
  for (char c = 0; read(from_, &c, 1) == 1;) {
    if (c == '\n') return true;
    line += c;
  }
  return false;
}

bool Peer::is_ready() {
  std::string line;
  return read_line(line) && line == "ready";
}

double Peer::measure() {
  std::string line;
  if (write(to_, "go\n", 3) != 3 || !read_line(line)) give_up(label() + " ended");
  const double number = std::strtod(line.c_str(), nullptr);
  if (!(number > 0)) give_up(label() + " refused somebody");
  return number;
}

int run_peer(const std::vector<std::string>& words) {
  if (words.size() != 4) return 64;
  const std::string& name = words[2];
  const std::size_t records = std::stoul(words[3]);
  const std::size_t asked = std::max(records, kPairs);
  const Measure measure = [&, is_zap = words[1] == "zap"](void* context) {
    take_turns([&] { return is_zap ? zap_load(context, asked, kRoundSeconds) : handshake_load(context); });
  };
  if (name == "none") {
    serve_bare(measure);
  } else if (name == "trivial") {
    serve_trivially(measure);
  } else if (name == "ours") {
    serve_ours(records, measure);
  } else if (name.starts_with("pyzmq")) {
    become_python(words[1], records);
  } else {
    const Certificates certificates(records);
    return serve_by_czmq(certificates.path(), measure) ? 0 : 1;
  }
  return 0;
}

int compare_peers(const Arguments& arguments, const std::string& measure, const std::string& yardstick,
                  const std::string& unit, bool is_rate) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::unique_ptr<Peer>> peers;
  for (const PeerKind& kind : peer_kinds(arguments)) {
    if (measure == "zap" && kind.name == "none") continue;  // there is nobody to ask
    auto peer = std::make_unique<Peer>(kind, measure);
    if (peer->is_ready()) {
      peers.push_back(std::move(peer));
    } else {
      std::cerr << program_invocation_short_name << ": " << kind.name << " is left out: not installed\n";
    }
  }
  const auto rounds = arguments.pick<std::size_t>(measure == "zap" ? 7 : 25, measure == "zap" ? 5 : 9, 1);
  for (std::size_t round = 0; round <= rounds; ++round) {
    for (const auto& peer : peers) {
      const double number = peer->measure();
      if (round > 0) peer->numbers.push_back(number);  // the first warms it up
    }
  }
  const auto base = std::find_if(peers.begin(), peers.end(),
                                 [&](const auto& peer) { return peer->kind().name == yardstick; });
  if (base == peers.end()) give_up("there is no yardstick");
  Results results;
  for (const auto& peer : peers) {
    std::vector<double> ratios;  // round by round: what the machine did meanwhile, it did to both
    ratios.reserve(rounds);
    for (std::size_t round = 0; round < rounds; ++round) {
      const double ratio = peer->numbers[round] / (*base)->numbers[round];
      ratios.push_back(is_rate ? ratio : 1 / ratio);
    }
    results.add(measure + '/' + peer->label(), peer->numbers, unit, median(ratios));
  }
  results.write(arguments.out);
  return 0;
}

}  // namespace bench
