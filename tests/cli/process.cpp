#include "process.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <signal.h>

namespace vipauth::test {
namespace {

/// Between fork and exec: only calls that are safe there.
void redirect(const std::string& file, int descriptor) {
  const char* path = file.empty() ? "/dev/null" : file.c_str();
  const int opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::string& out_file,
                 const std::string& err_file, const Limits& limits) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;

  redirect(out_file, STDOUT_FILENO);
  redirect(err_file, STDERR_FILENO);
  if (limits.file_bytes) {
    const rlimit limit{*limits.file_bytes, *limits.file_bytes};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR) _exit(126);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ < 0) return;
  kill();
  wait();
}

void Process::kill() const { ::kill(pid_, SIGKILL); }

int Process::wait() {
  int status = 0;
  const pid_t waited = waitpid(std::exchange(pid_, -1), &status, 0);
  return waited > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace vipauth::test
