#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <vipauth/auth_metrics.hpp>

#include "service/decision_watch.hpp"

namespace vipauth {

/// Counts decisions, without a lock. Threads that decide at once hardly ever share a cache line: each of the
/// first has numbers of its own, which are added up when they are read.
class DecisionCounters final : public DecisionWatcher {
 public:
  void on_authentication(const ZapAuthenticator::Event& event) noexcept override;
  void on_decision(const Asker& asker, const Question& question, const Decision& decision) noexcept override;

  /// Sets `authentications` and `decisions`: those that are common, and all that have happened.
  void read_into(AuthMetrics& metrics) const;

 private:
  static constexpr std::size_t kMechanisms = 3;
  static constexpr std::size_t kKinds = 4;
  static constexpr std::size_t kReasons = 32;  // room for more than there are
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kCacheLine = 64;
  using ByReason = std::array<std::atomic<std::uint64_t>, kReasons>;
  using ByOutcome = std::array<ByReason, 2>;

  struct alignas(kCacheLine) Shard {
    std::array<ByOutcome, kMechanisms> authentications{};
    std::array<ByOutcome, kKinds> decisions{};
  };
  Shard& shard() noexcept;
  template <typename Rows>
  std::uint64_t sum(Rows Shard::* rows, std::size_t row, bool allowed, std::size_t reason) const;

  std::array<Shard, kShards> shards_{};
};

}  // namespace vipauth
