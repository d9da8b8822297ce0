#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include <vipauth/etcd_options.hpp>
#include <vipauth/result.hpp>
#include <vipauth/store_address.hpp>

#include "fleet/etcd_client.hpp"

namespace vipauth::fleet {

/// A thread that follows a range of keys, whatever becomes of the members that it asks: it goes on where it
/// was, with another, or later.
class RangeWatcher {
 public:
  struct Handler {
    /// Called in the order of revisions, each event once.
    std::function<void(const WatchEvents&)> on_events;
    /// What happened since the last event is compacted, or too large to be told: all is to be read again.
    /// \param next  the revision that it would have gone on from
    /// \return the revision to go on from; nothing: it could not be read, and this is to be called again in a while
    std::function<std::optional<std::int64_t>(std::int64_t next)> on_gap;
    /// Why nothing can be followed for now; nothing: it can again.
    std::function<void(const std::optional<Error>&)> on_problem;
  };

  /// No signal handler of the embedder's runs on its thread.
  /// \param client  of this watcher alone: it is stopped with it
  /// \throws std::system_error  there is no thread
  RangeWatcher(EtcdClient client, std::string key, std::string range_end, std::int64_t start_revision,
               Handler handler);
  RangeWatcher(const RangeWatcher&) = delete;
  RangeWatcher& operator=(const RangeWatcher&) = delete;
  /// Waits for the thread's end: a handler may not destroy it.
  ~RangeWatcher();

  /// What happened before it is told, or is known to be nothing.
  std::int64_t next_revision() const noexcept { return next_revision_; }

 private:
  void run(const std::stop_token& stop);
  /// \param has_problem  is told of: that it is over is, too
  void follow(const std::stop_token& stop, bool has_problem);
  void tell_failure() const noexcept;

  const EtcdClient client_;
  const std::string key_;
  const std::string range_end_;
  std::atomic<std::int64_t> next_revision_;
  const Handler handler_;
  std::stop_source stop_;
  std::thread thread_;  // last: it uses all of the above
};

/// How long to wait before the next of several tries: longer each time, and not the same for all who wait.
std::chrono::milliseconds backoff(int tries);

/// Sleeps unless it is told to stop. \return false: it is
bool sleep_for(const std::stop_token& stop, std::chrono::milliseconds time);

}  // namespace vipauth::fleet
