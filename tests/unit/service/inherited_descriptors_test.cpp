// What a program that an embedder starts would inherit.

#include <cstdio>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include <zmq.hpp>

#include <vipauth/curve_key.hpp>
#include <vipauth/zap_server.hpp>

#include "store/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/homes.hpp"

namespace vipauth::test {

namespace {

/// What the files are that a child has open, but for its own list and pipes.
std::string files_of_a_child() {
  FILE* list = ::popen("ls -l /proc/self/fd | grep -v -e /proc -e pipe: -e total | sed 's/.* -> //'", "re");
  REQUIRE(list != nullptr);
  std::string out;
  char block[256];
  while (std::fgets(block, sizeof block, list) != nullptr) out += block;
  ::pclose(list);
  return out;
}

}  // namespace

TEST_CASE("a program that is started inherits no file, lock or socket of the library") {
  const std::string before = files_of_a_child();
  const TempHome home;
  home.write("auth.json", auth_file({user_record("alice", kKeyA)}));
  const auto lock = FileLock::acquire(home / "other", std::chrono::seconds(1));
  REQUIRE(lock);
  const auto large = open_file(home / "auth.json");
  REQUIRE(large);
  AuthService::Options options;
  options.audit.emplace();
  auto service = AuthService::open(home.path(), std::move(options));
  REQUIRE(service);
  zmq::context_t context;
  const auto zap = ZapServer::start(context.handle(), *service);
  REQUIRE(zap);
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.bind("tcp://127.0.0.1:*");
  CHECK(files_of_a_child() == before);

  // The list does show what is inherited.
  const int inherited = ::open((home / "auth.json").c_str(), O_RDONLY);  // NOLINT(android-cloexec-open)
  CHECK(files_of_a_child().find("auth.json") != std::string::npos);
  ::close(inherited);
}

}  // namespace vipauth::test
