#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace vipauth {

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
std::thread start_thread(std::function<void()> body);

}  // namespace vipauth
