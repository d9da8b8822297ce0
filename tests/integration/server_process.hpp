#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <signal.h>

#include "support/paths.hpp"

namespace vipauth::test {

/// A server that prints its addresses and its key, a line for each, when it is ready; killed when this object
/// goes.
class ServerProcess {
 public:
  struct Address {
    std::string endpoint;
    std::string key;
  };

  /// \param command  a program, by its path, and its arguments
  /// \param lines    that it prints. Fewer addresses are there where it ends before
  explicit ServerProcess(std::vector<std::string> command, std::size_t lines = 1) {
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
      for (std::string& word : command) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::fdopen(ends[0], "r"), &std::fclose);
    std::array<char, 512> line{};
    while (addresses.size() < lines && std::fgets(line.data(), line.size(), out.get()) != nullptr) {
      const std::string text(line.data());
      const std::size_t space = text.find(' ');
      if (space == std::string::npos) break;
      addresses.push_back({text.substr(0, space), text.substr(space + 1, text.find('\n') - space - 1)});
    }
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::vector<Address> addresses;

 private:
  pid_t pid_ = -1;
};

}  // namespace vipauth::test
