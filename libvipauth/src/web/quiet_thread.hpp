#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace vipauth::web {

/// Blocks every signal of this thread, and so of the threads that it starts meanwhile.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept;
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked();

 private:
  sigset_t before_{};
};

/// Starts a thread on which no signal handler of the embedder's runs.
/// \throws std::system_error
std::thread start_quiet_thread(std::function<void()> body);

/// While it lives, writing to what nobody reads any more is an error on this thread, and no SIGPIPE.
class BrokenPipesIgnored {
 public:
  BrokenPipesIgnored() noexcept;
  BrokenPipesIgnored(const BrokenPipesIgnored&) = delete;
  BrokenPipesIgnored& operator=(const BrokenPipesIgnored&) = delete;
  ~BrokenPipesIgnored();

 private:
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace vipauth::web
