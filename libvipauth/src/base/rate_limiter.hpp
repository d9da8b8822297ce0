#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <vipauth/clock.hpp>

namespace vipauth {

/// Bounds how often each of many sources does something: so often at once, and once more after each interval.
/// May be called from any thread.
class RateLimiter {
 public:
  /// Of a source that is new where as many as are remembered have all done something of late.
  enum class WhenFull { kRefuse, kForgetSoonest };

  static constexpr std::size_t kMostSources = 10'000;  ///< that are remembered

  /// \param at_once  at least 1; at_once times interval must be a duration
  RateLimiter(std::size_t at_once, Timestamp::duration interval, WhenFull when_full)
      : interval_(interval), whole_(interval * static_cast<Timestamp::rep>(at_once)), when_full_(when_full) {}

  /// Counts one more. False where the source has to wait: it does not count then.
  bool take(std::string_view source, Timestamp now);

 private:
  bool make_room(Timestamp now);

  const Timestamp::duration interval_;
  const Timestamp::duration whole_;
  const WhenFull when_full_;
  std::mutex mutex_;
  std::map<std::string, Timestamp, std::less<>> full_at_;  // when all of them are to be had again
};

}  // namespace vipauth
