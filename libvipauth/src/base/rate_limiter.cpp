#include "base/rate_limiter.hpp"

#include <algorithm>

namespace vipauth {

bool RateLimiter::take(std::string_view source, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto known = full_at_.find(source);
  // A clock that was set back must not keep a source out for longer than the whole takes.
  const Timestamp full_at =
      known == full_at_.end() ? now : std::clamp<Timestamp>(known->second, now, now + whole_);
  if (full_at + interval_ > now + whole_) {
    known->second = full_at;
    return false;
  }
  if (known != full_at_.end()) {
    known->second = full_at + interval_;
    return true;
  }
  if (full_at_.size() >= kMostSources && !make_room(now)) return false;
  full_at_.emplace(source, full_at + interval_);
  return true;
}

bool RateLimiter::make_room(Timestamp now) {
  std::erase_if(full_at_, [now](const auto& item) { return item.second <= now; });
  if (full_at_.size() < kMostSources) return true;
  if (when_full_ == WhenFull::kRefuse) return false;
  full_at_.erase(std::min_element(full_at_.begin(), full_at_.end(),
                                  [](const auto& a, const auto& b) { return a.second < b.second; }));
  return true;
}

}  // namespace vipauth
