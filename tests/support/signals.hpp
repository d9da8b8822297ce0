#pragma once

#include <csignal>

namespace vipauth::test {

/// Whether a handler for that signal may run on this thread.
inline bool takes_signal_here(int signal) {
  sigset_t blocked;
  sigemptyset(&blocked);
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  return sigismember(&blocked, signal) == 0;
}

}  // namespace vipauth::test
