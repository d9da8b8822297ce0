#include "subprocess.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <signal.h>
#include <spawn.h>

namespace demo {
namespace {

struct Started {
  pid_t pid;
  int output;  // what it writes to stdout, and to stderr unless that has a file
};

Started start(const std::vector<std::string>& arguments, const std::string& error_file) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  if (error_file.empty()) {
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_file.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int problem = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (problem != 0) {
    close(ends[0]);
    throw std::system_error(problem, std::generic_category(), arguments.front());
  }
  return {pid, ends[0]};
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Appends what there is to read; false at the end.
bool read_some(int file, std::string& text, std::size_t at_most) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = read(file, buffer.data(), std::min(at_most, buffer.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& arguments, const std::string& log) {
  const Started started = start(arguments, log);
  pid_ = started.pid;
  output_ = started.output;
}

Subprocess::~Subprocess() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    wait_for(pid_);
  }
  close(output_);
}

std::string Subprocess::read_line() {
  std::string line;
  while (read_some(output_, line, 1)) {
    if (line.back() == '\n') {
      line.pop_back();
      break;
    }
  }
  return line;
}

bool Subprocess::is_running() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

Outcome run_program(const std::vector<std::string>& arguments) {
  const auto [pid, output] = start(arguments, {});
  Outcome outcome;
  while (read_some(output, outcome.output, 4096)) {
  }
  close(output);
  outcome.exit_code = wait_for(pid);
  return outcome;
}

}  // namespace demo
