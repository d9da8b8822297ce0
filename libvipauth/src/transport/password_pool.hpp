#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <vipauth/zap_authenticator.hpp>

#include "transport/wake_up.hpp"
#include "transport/zap_exchange.hpp"

namespace vipauth {

/// Answers slow ZAP requests on threads of its own, so that a fast one never waits for a password hash.
class PasswordPool {
 public:
  struct Answer {
    ZapExchange exchange;
    ZapReply reply;
  };

  /// `authenticator` and `done` must outlive the pool; `done` rings for each answer.
  /// \throws std::system_error
  PasswordPool(const ZapAuthenticator& authenticator, const WakeUp& done, std::size_t threads,
               std::size_t queue);
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;
  ~PasswordPool();  ///< what has not been begun stays unanswered

  /// Takes the exchange over; or leaves it, and says false, where as many are waiting as may.
  bool offer(ZapExchange& exchange);
  std::vector<Answer> take_answers();

 private:
  void work();
  void stop();

  const ZapAuthenticator& authenticator_;
  const WakeUp& done_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ZapExchange> waiting_;
  std::vector<Answer> answers_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vipauth
