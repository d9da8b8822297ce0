#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <vipauth/auth_metrics.hpp>

#include "service/decision_watch.hpp"

namespace vipauth {

/// Counts decisions, without a lock.
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
  using ByReason = std::array<std::atomic<std::uint64_t>, kReasons>;
  using ByOutcome = std::array<ByReason, 2>;

  std::array<ByOutcome, kMechanisms> authentications_{};
  std::array<ByOutcome, kKinds> decisions_{};
};

}  // namespace vipauth
