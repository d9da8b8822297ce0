#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <vipauth/log_sink.hpp>
#include <vipauth/pending_store.hpp>

namespace vipauth {

/// Writes strangers to pending.json soon after the first of them, and then at most once in an interval. Of
/// one thread.
class PendingWriter {
 public:
  PendingWriter(PendingStore& pending, std::chrono::milliseconds interval, LogSink log)
      : pending_(pending), interval_(interval), log_(std::move(log)) {}

  /// \return the time to the next write; nothing while there is nothing to write
  std::optional<std::chrono::milliseconds> write_when_due();

 private:
  void note_problem(const Result<void>& written);

  PendingStore& pending_;
  const std::chrono::milliseconds interval_;
  const LogSink log_;
  std::optional<std::chrono::steady_clock::time_point> due_;
  std::chrono::steady_clock::time_point next_{};  // not before
  std::string problem_;                           // the last one logged
};

}  // namespace vipauth
