#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "fleet/etcd_client.hpp"
#include "fleet/etcd_messages.hpp"

namespace vipauth::fleet {

/// What is watched, and who is told.
struct WatchPlan {
  std::string key;
  std::string range_end;
  std::int64_t start_revision = 0;  ///< 0: from now on
  const std::function<bool(const WatchEvents&)>* on_events = nullptr;
};

/// Reads what one watch is answered, without a socket: JSON objects, one a line.
class WatchReader {
 public:
  /// Most that is kept back of one transaction until the rest of it has come.
  static constexpr std::size_t kMostHeldBytes = std::size_t{64} << 20U;

  explicit WatchReader(const WatchPlan& plan) : plan_(plan), told_(plan.start_revision - 1) {}

  /// \return false  the watch is over: end() says why
  bool take(std::string_view data);
  /// Nothing more comes: the last line may be without an end.
  void finish();
  /// Tells that time has passed.
  bool tell_time();

  bool is_standing() const noexcept { return is_standing_; }
  std::size_t answers() const noexcept { return answers_; }  ///< that came so far
  const std::optional<WatchEnd>& end() const noexcept { return end_; }
  /// Why it did not come to stand, where a new token may help.
  bool is_unauthenticated() const noexcept { return is_unauthenticated_; }

 private:
  bool take_line();
  bool take_answer(WatchAnswer answer);
  bool take_refusal(const WatchAnswer& answer);
  bool take_events(WatchAnswer answer);
  bool tell(WatchEvents events);
  bool fail(Error error);

  WatchPlan plan_;
  std::string line_;
  WatchEvents held_;  ///< of a transaction that has not come whole
  std::size_t held_bytes_ = 0;
  std::int64_t told_;
  std::size_t answers_ = 0;
  bool is_standing_ = false;
  bool is_unauthenticated_ = false;
  std::optional<WatchEnd> end_;
};

}  // namespace vipauth::fleet
