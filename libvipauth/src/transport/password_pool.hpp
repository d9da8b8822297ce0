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
  /// \param is_penalised  from an address that has failed too often: a quarter of the queue is for these, so
  ///                      that they keep nobody else waiting, and a known user among them still gets in
  bool offer(ZapExchange& exchange, bool is_penalised);
  std::vector<Answer> take_answers();

 private:
  void work();
  void stop();

  struct Waiting {
    ZapExchange exchange;
    bool is_penalised = false;
  };

  const ZapAuthenticator& authenticator_;
  const WakeUp& done_;
  const std::size_t capacity_;
  const std::size_t capacity_for_penalised_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t penalised_waiting_ = 0;
  std::vector<Answer> answers_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vipauth
