#pragma once

#include <chrono>
#include <cstdint>

namespace vipauth::fleet {

/// Tells a watch that has lost something from one that is behind because much happens: that one gets on.
class WatchLag {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// After this time without being told of what is known to be there, all is read again.
  static constexpr std::chrono::seconds kLongest{15};

  /// \param is_behind  there is more than was told
  /// \param told       the revision of what was told last
  /// \return true  for too long, without getting on: this is told once
  bool is_lost(bool is_behind, std::int64_t told, Time now) {
    const bool stands_still = is_behind && was_behind_ && told == told_;
    if (!stands_still) since_ = now;
    was_behind_ = is_behind;
    told_ = told;
    if (now - since_ <= kLongest) return false;
    since_ = now;
    return true;
  }

 private:
  Time since_{};
  bool was_behind_ = false;
  std::int64_t told_ = 0;
};

}  // namespace vipauth::fleet
