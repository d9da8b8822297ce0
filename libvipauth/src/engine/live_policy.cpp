#include <vipauth/live_policy.hpp>

namespace vipauth {

LivePolicy::LivePolicy(PolicySnapshot first)
    : snapshot_(std::make_shared<const PolicySnapshot>(std::move(first))) {}

LivePolicy::Version LivePolicy::current() const {
  const std::lock_guard lock(mutex_);
  return {snapshot_, generation_.load(std::memory_order_relaxed)};
}

std::uint64_t LivePolicy::publish(PolicySnapshot next) {
  auto snapshot = std::make_shared<const PolicySnapshot>(std::move(next));
  const std::lock_guard lock(mutex_);
  snapshot_.swap(snapshot);
  return generation_.fetch_add(1, std::memory_order_release) + 1;
}

}  // namespace vipauth
