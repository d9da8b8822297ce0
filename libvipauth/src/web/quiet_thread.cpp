#include "web/quiet_thread.hpp"

#include <ctime>
#include <utility>

#include <pthread.h>

namespace vipauth::web {
namespace {

sigset_t broken_pipe() noexcept {
  sigset_t out;
  sigemptyset(&out);
  sigaddset(&out, SIGPIPE);
  return out;
}

bool is_broken_pipe_pending() noexcept {
  sigset_t pending;
  return ::sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

SignalsBlocked::SignalsBlocked() noexcept {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::thread start_quiet_thread(std::function<void()> body) {
  const SignalsBlocked blocked;
  return std::thread(std::move(body));
}

BrokenPipesIgnored::BrokenPipesIgnored() noexcept {
  const sigset_t signal = broken_pipe();
  was_pending_ = is_broken_pipe_pending();
  ::pthread_sigmask(SIG_BLOCK, &signal, &before_);
}

BrokenPipesIgnored::~BrokenPipesIgnored() {
  const sigset_t signal = broken_pipe();
  constexpr timespec kAtOnce{};
  if (!was_pending_ && is_broken_pipe_pending()) ::sigtimedwait(&signal, nullptr, &kAtOnce);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace vipauth::web
