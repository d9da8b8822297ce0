#pragma once

#include <cerrno>
#include <stdexcept>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <grp.h>
#include <signal.h>

namespace vipauth::test {

/// A process of its own: a copy of this one that runs `work` and ends with what it returns. It checks nothing
/// itself, for the test framework is its parent's. Killed, if it still runs, when this object goes.
class ChildProcess {
 public:
  static constexpr int kThrew = 125;

  template <typename Work>
  explicit ChildProcess(Work work) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) return;
    int code = 0;
    try {
      code = work();
    } catch (...) {
      code = kThrew;
    }
    ::_exit(code);
  }
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) kill();
  }

  /// Its exit code; -1 where a signal ended it.
  int wait() {
    if (pid_ < 0) return -1;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// Ends it in the midst of whatever it does.
  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }

 private:
  pid_t pid_;
};

/// Where this process is root, makes it nobody, for whom permissions count. In a child only: there is no way
/// back.
inline bool drop_privileges() {
  constexpr unsigned kNobody = 65534;
  if (::geteuid() != 0) return true;
  return ::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
}

}  // namespace vipauth::test
