// The smallest example servers, in C++, C and Python, as processes.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#include "support/catch.hpp"
#include "support/curve_peers.hpp"
#include "support/paths.hpp"

namespace vipauth::test {
namespace {

/// A server that prints its endpoint and its key when it is ready; killed when this object goes.
class Server {
 public:
  explicit Server(const std::vector<std::string>& command) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("cannot make a pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::setenv("VIPAUTH_LIBRARY", VIPAUTH_LIBRARY_DIR "/libvipauth.so", 1);
      ::setenv("PYTHONPATH", VIPAUTH_SOURCE_DIR "/examples/python", 1);
      ::setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
      std::vector<char*> arguments;
      arguments.reserve(command.size() + 1);
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::fdopen(ends[0], "r"), &std::fclose);
    std::array<char, 512> line{};
    if (std::fgets(line.data(), line.size(), out.get()) != nullptr) {
      const std::string text(line.data());
      const std::size_t space = text.find(' ');
      if (space != std::string::npos) {
        endpoint = text.substr(0, space);
        key = text.substr(space + 1, text.find('\n') - space - 1);
      }
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string endpoint;
  std::string key;

 private:
  pid_t pid_ = -1;
};

std::string ask(CurveClient& client, const std::string& topic) {
  send(client.socket, {topic});
  const auto answer = receive(client.socket);
  return answer ? answer->back() : "no answer";
}

/// alice is let in, told what she may, and who is not known is kept out.
void check_server(const std::vector<std::string>& command) {
  const TempHome home;
  const CurveKeyPair alice_keys = CurveKeyPair::generate();
  home.write("auth.json", auth_json({curve_record("alice", alice_keys.public_key)}));
  home.write("protected_topics.json",
             R"({"write-protect": [{"topic": "closed", "capabilities": ["can_publish"]}]})");
  std::vector<std::string> whole = command;
  whole.push_back(home.path().string());
  whole.emplace_back("tcp://127.0.0.1:*");
  const Server server(whole);
  REQUIRE_FALSE(server.endpoint.empty());
  const CurveKey key = must(CurveKey::parse(server.key));

  zmq::context_t context;
  CurveClient alice(context, server.endpoint, key, alice_keys, "alice");
  CHECK(ask(alice, "open") == "allowed");
  CHECK(ask(alice, "closed").find("requires capabilities ['can_publish']") != std::string::npos);
  CurveClient impostor(context, server.endpoint, key, alice_keys, "control");
  CHECK(ask(impostor, "open").find("'control'") != std::string::npos);
  CurveClient stranger(context, server.endpoint, key, CurveKeyPair::generate());
  CHECK(stranger.becomes(ConnectionState::kWaiting));
}

}  // namespace

TEST_CASE("embedding: guards a bus in C++") { check_server({EXAMPLES_DIR "/embedding"}); }

TEST_CASE("embedding_c: guards a bus in C") { check_server({EXAMPLES_DIR "/embedding_c"}); }

TEST_CASE("vipauth for Python: guards a bus of pyzmq") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  WARN("skipped: Python cannot load a library that is built with a sanitizer");
  return;
#endif
  if (std::system("/usr/bin/python3 -c 'import zmq' 2>/dev/null") != 0) {
    WARN("skipped: python3-zmq is not installed");
    return;
  }
  check_server({"/usr/bin/python3", VIPAUTH_SOURCE_DIR "/examples/python/server.py"});
}

}  // namespace vipauth::test
