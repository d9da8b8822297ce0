#include "service/registration_brake.hpp"

#include <algorithm>

namespace vipauth {
namespace {

/// Most users, and most identities, that are remembered.
constexpr std::size_t kMost = 10'000;

}  // namespace

bool RegistrationBrake::take(std::string_view owner) {
  constexpr Timestamp::duration kWhole = kInterval * kAtOnce;
  const Timestamp now = clock_();
  const std::lock_guard lock(mutex_);
  const auto known = full_at_.find(owner);
  // A clock that was set back must not keep a user out for longer than the whole takes.
  const Timestamp full_at = known == full_at_.end() ? now : std::clamp(known->second, now, now + kWhole);
  if (full_at + kInterval > now + kWhole) {
    known->second = full_at;
    return false;
  }
  if (known != full_at_.end()) {
    known->second = full_at + kInterval;
    return true;
  }
  if (full_at_.size() >= kMost) {
    std::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
    if (full_at_.size() >= kMost) return false;
  }
  full_at_.emplace(owner, full_at + kInterval);
  return true;
}

bool RegistrationBrake::is_news(std::string_view identity, std::string_view problem) {
  const std::lock_guard lock(mutex_);
  const auto known = problems_.find(identity);
  if (problem.empty()) {
    if (known != problems_.end()) problems_.erase(known);
    return false;
  }
  if (known != problems_.end()) {
    if (known->second == problem) return false;
    known->second = problem;
    return true;
  }
  if (problems_.size() >= kMost) problems_.erase(problems_.begin());
  problems_.emplace(identity, problem);
  return true;
}

}  // namespace vipauth
