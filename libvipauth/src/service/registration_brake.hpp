#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <vipauth/clock.hpp>

#include "base/rate_limiter.hpp"

namespace vipauth {

/// Bounds what agents that register again and again cost others. May be called from any thread.
class RegistrationBrake {
 public:
  static constexpr std::size_t kAtOnce = 30;           ///< changes of one user
  static constexpr std::chrono::seconds kInterval{2};  ///< of further ones

  explicit RegistrationBrake(Clock clock)
      : clock_(std::move(clock)), changes_(kAtOnce, kInterval, RateLimiter::WhenFull::kRefuse) {}

  /// Counts a change that a user makes. False where it has to wait: it does not count then.
  bool take(std::string_view owner) { return changes_.take(owner, clock_()); }

  /// Notes what keeps the methods of an identity from being written down; empty: nothing.
  /// \return true where that is news, and there is something to tell
  bool is_news(std::string_view identity, std::string_view problem);

 private:
  const Clock clock_;
  RateLimiter changes_;  // by owner
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> problems_;  // by identity
};

}  // namespace vipauth
