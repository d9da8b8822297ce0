#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include <vipauth/policy_snapshot.hpp>

namespace vipauth {

/// The policy in force, which is replaced as a whole.
///
/// A reader that keeps a snapshot only compares generation(), one atomic load. current() takes a lock only
/// the first time that a thread asks after the policy has moved. May be used from any thread.
class LivePolicy {
 public:
  struct Version {
    std::shared_ptr<const PolicySnapshot> snapshot;
    std::uint64_t generation = 0;
  };

  VIPAUTH_EXPORT explicit LivePolicy(PolicySnapshot first);

  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }
  VIPAUTH_EXPORT Version current() const;
  /// Puts `next` in force. Decisions that began before may still end by the old one.
  /// \return its generation
  VIPAUTH_EXPORT std::uint64_t publish(PolicySnapshot next);

 private:
  const std::uint64_t number_;  // of all that there ever were
  mutable std::mutex mutex_;
  std::shared_ptr<const PolicySnapshot> snapshot_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace vipauth
