#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <vipauth/address_penalties.hpp>
#include <vipauth/log_sink.hpp>

namespace vipauth {

/// Says in the log which addresses are penalised, instead of a line for each of their failures: at most once
/// a minute, by few names. May be used from any thread.
class PenaltyLog {
 public:
  /// \param penalties  may be null: then nothing ever happens
  PenaltyLog(std::shared_ptr<AddressPenalties> penalties, LogSink log)
      : penalties_(std::move(penalties)), log_(std::move(log)) {}

  /// Logs what has happened since, if it is time to.
  /// \return how long to wait for more; nothing: until a penalty starts
  std::optional<std::chrono::milliseconds> report(Timestamp now);

 private:
  const std::shared_ptr<AddressPenalties> penalties_;
  const LogSink log_;
  std::mutex mutex_;
  std::optional<Timestamp> last_;
};

}  // namespace vipauth
