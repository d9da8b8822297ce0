#include "service/decision_counters.hpp"

#include <algorithm>
#include <span>

namespace vipauth {
namespace {

/// What is told from the beginning, with zero: a rate can only be told of a counter that was seen before.
constexpr std::array kLetIn{Reason::kAccepted};
constexpr std::array kKeptOut{Reason::kDenied, Reason::kUnknown, Reason::kInactive, Reason::kNoPolicy,
                              Reason::kStale};
constexpr std::array kAllowing{Reason::kAllowed, Reason::kUnprotected};
constexpr std::array kRefusing{Reason::kUnknown,          Reason::kMalformed, Reason::kMissingCapability,
                               Reason::kRestricted,       Reason::kRevoked,   Reason::kIllTyped,
                               Reason::kUnknownParameter, Reason::kNoPolicy};
constexpr std::array kNaming{Reason::kAllowed, Reason::kAccepted};
constexpr std::array kMisnaming{Reason::kWrongIdentity, Reason::kRevoked};

bool is_in(std::span<const Reason> reasons, std::size_t reason) {
  return std::find(reasons.begin(), reasons.end(), static_cast<Reason>(reason)) != reasons.end();
}

template <typename Counters>
void count(Counters& counters, std::size_t row, const Decision& decision) {
  const auto reason = static_cast<std::size_t>(decision.reason());
  auto& by_reason = counters[std::min(row, counters.size() - 1)][decision.allowed() ? 1 : 0];
  by_reason[std::min(reason, by_reason.size() - 1)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

DecisionCounters::Shard& DecisionCounters::shard() noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return shards_[number % kShards];
}

template <typename Rows>
std::uint64_t DecisionCounters::sum(Rows Shard::* rows, std::size_t row, bool allowed,
                                    std::size_t reason) const {
  std::uint64_t out = 0;
  for (const Shard& shard : shards_) {
    out += (shard.*rows)[row][allowed ? 1 : 0][reason].load(std::memory_order_relaxed);
  }
  return out;
}

void DecisionCounters::on_authentication(const ZapAuthenticator::Event& event) noexcept {
  const auto mechanism = parse_mechanism(event.request.mechanism).value_or(Mechanism::kNull);
  count(shard().authentications, static_cast<std::size_t>(mechanism), event.authentication.decision);
}

void DecisionCounters::on_decision(const Asker& /*asker*/, const Question& question,
                                   const Decision& decision) noexcept {
  count(shard().decisions, static_cast<std::size_t>(question.kind), decision);
}

void DecisionCounters::read_into(AuthMetrics& metrics) const {
  metrics.authentications.clear();
  metrics.decisions.clear();
  for (std::size_t row = 0; row < kMechanisms; ++row) {
    for (const bool allowed : {true, false}) {
      const std::span<const Reason> always =
          allowed ? std::span<const Reason>(kLetIn) : std::span<const Reason>(kKeptOut);
      for (std::size_t reason = 0; reason < kReasons; ++reason) {
        const auto value = sum(&Shard::authentications, row, allowed, reason);
        if (value == 0 && !is_in(always, reason)) continue;
        metrics.authentications.push_back(
            {static_cast<Mechanism>(row), allowed, static_cast<Reason>(reason), value});
      }
    }
  }
  for (std::size_t row = 0; row < kKinds; ++row) {
    const bool is_sender = static_cast<Question::Kind>(row) == Question::Kind::kSender;
    for (const bool allowed : {true, false}) {
      std::span<const Reason> always = allowed ? std::span<const Reason>(kAllowing) : kRefusing;
      if (is_sender) always = allowed ? std::span<const Reason>(kNaming) : kMisnaming;
      for (std::size_t reason = 0; reason < kReasons; ++reason) {
        const auto value = sum(&Shard::decisions, row, allowed, reason);
        if (value == 0 && !is_in(always, reason)) continue;
        metrics.decisions.push_back(
            {static_cast<Question::Kind>(row), allowed, static_cast<Reason>(reason), value});
      }
    }
  }
}

}  // namespace vipauth
