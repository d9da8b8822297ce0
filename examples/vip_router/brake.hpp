#pragma once

#include <chrono>
#include <cstdint>

namespace vip_router {

/// Lets some through in each second, and counts the rest: for log lines that peers cause.
class Brake {
 public:
  static constexpr int kPerSecond = 20;
  using Clock = std::chrono::steady_clock;

  bool take(Clock::time_point now = Clock::now()) {
    if (now - begin_ >= std::chrono::seconds(1)) {
      begin_ = now;
      taken_ = 0;
    }
    if (taken_ < kPerSecond) {
      ++taken_;
      return true;
    }
    ++held_;
    return false;
  }

  /// How many were held back since this was asked last.
  std::uint64_t take_held() {
    const std::uint64_t held = held_;
    held_ = 0;
    return held;
  }

 private:
  Clock::time_point begin_;
  int taken_ = 0;
  std::uint64_t held_ = 0;
};

}  // namespace vip_router
