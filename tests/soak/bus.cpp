#include "bus.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <signal.h>

#include <vipauth/auth_service.hpp>
#include <vipauth/socket_security.hpp>
#include <vipauth/zap_server.hpp>

#include "support/curve_peers.hpp"
#include "world.hpp"

namespace vipauth::soak {
namespace {

namespace fs = std::filesystem;
using test::Frames;
using test::must;

std::string control_of(const fs::path& home) { return "ipc://" + (home / "control").string(); }

Decision decide(Session& session, const Ask& ask) {
  if (ask.kind == "publish") return session.authorize_publish(ask.what);
  if (ask.kind == "receive") return session.authorize_receive(ask.what);
  if (ask.kind == "speak") return session.verify_sender(ask.what);
  const auto arguments = must(CallArguments::parse(ask.arguments));
  return session.authorize_call(CallRequest{ask.of, ask.what, arguments});
}

std::size_t number_in(const fs::path& file, std::string_view name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return std::stoul(line.substr(name.size()));
  }
  return 0;
}

}  // namespace

int run_bus(const fs::path& home) {
  AuthService::Options options;
  options.audit.emplace();
  options.strict_modes = StrictModes::kOn;
  AuthService service = must(AuthService::open(home, options));
  const CurveKeyPair keys = must(service.server_keys());
  zmq::context_t context;
  const ZapServer zap = must(ZapServer::start(context, service));
  zmq::socket_t control(context, zmq::socket_type::rep);
  control.bind(control_of(home));
  zmq::socket_t router(context, zmq::socket_type::router);
  must(secure_server_socket(router, keys));
  router.bind("tcp://127.0.0.1:*");
  std::printf("%s %s\n", router.get(zmq::sockopt::last_endpoint).c_str(),
              keys.public_key.to_base64url().c_str());
  std::fflush(stdout);
  std::array<zmq::pollitem_t, 2> items{
      {{control.handle(), 0, ZMQ_POLLIN, 0}, {router.handle(), 0, ZMQ_POLLIN, 0}}};
  for (;;) {
    zmq::poll(items.data(), items.size(), std::chrono::milliseconds(-1));
    if ((items[0].revents & ZMQ_POLLIN) != 0) {
      static_cast<void>(test::receive(control));
      test::send(control, {service.reload() ? "in force" : "a problem"});
    }
    if ((items[1].revents & ZMQ_POLLIN) == 0) continue;
    zmq::message_t last;
    const Frames frames = test::receive(router, std::chrono::milliseconds(0), last).value();
    Session session = must(session_of(service, last));
    const Decision decision = decide(session, {frames.at(2), frames.at(3), frames.at(4), frames.at(5)});
    test::send(router, {frames[0], frames[1], decision ? "yes" : "no", session.acceptance().user_id});
  }
}

Bus::Bus(zmq::context_t& context, const fs::path& home) : control_(context, zmq::socket_type::req) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("cannot make a pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "soak", "--bus", home.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::fdopen(ends[0], "r"), &std::fclose);
  std::array<char, 512> line{};
  if (std::fgets(line.data(), line.size(), out.get()) == nullptr) throw std::runtime_error("no bus");
  const std::string text(line.data());
  const std::size_t space = text.find(' ');
  endpoint_ = text.substr(0, space);
  key_.emplace(must(CurveKey::parse(text.substr(space + 1, text.find('\n') - space - 1))));
  control_.set(zmq::sockopt::linger, 0);
  control_.connect(control_of(home));
}

Bus::~Bus() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Bus::reload() {
  test::send(control_, {"reload"});
  const auto answer = test::receive(control_);
  if (!answer) throw std::runtime_error("the bus does not answer");
  return answer->front() == "in force";
}

Bus::Footprint Bus::footprint() const {
  const fs::path process = fs::path("/proc") / std::to_string(pid_);
  const auto files = std::distance(fs::directory_iterator(process / "fd"), fs::directory_iterator());
  return {number_in(process / "status", "VmRSS:"), static_cast<std::size_t>(files),
          number_in(process / "status", "Threads:")};
}

}  // namespace vipauth::soak
