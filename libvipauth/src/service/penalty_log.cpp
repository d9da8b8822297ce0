#include "service/penalty_log.hpp"

#include <string>

#include <vipauth/python_repr.hpp>

namespace vipauth {
namespace {

constexpr std::chrono::milliseconds kInterval = std::chrono::minutes(1);

std::string more(std::size_t count, std::size_t named) {
  return "and " + std::to_string(count - named) + " more addresses";
}

}  // namespace

std::optional<std::chrono::milliseconds> PenaltyLog::report(Timestamp now) {
  if (!penalties_ || !log_) return std::nullopt;
  AddressPenalties::Report report;
  {
    const std::lock_guard lock(mutex_);
    const bool is_early = last_ && now >= *last_ && now - *last_ < kInterval;
    if (is_early) return kInterval - (now - *last_);
    report = penalties_->take_report(now);
    if (!report.empty()) last_ = now;
  }
  for (const auto& source : report.started) {
    log_(LogLevel::kWarning, "address " + python_repr(Json(source.name)) +
                                 " has failed to authenticate too often: it is penalised, and its failures "
                                 "are counted rather than logged");
  }
  if (report.started_count > report.started.size()) {
    log_(LogLevel::kWarning, more(report.started_count, report.started.size()) + " are penalised");
  }
  for (const auto& source : report.ended) {
    log_(LogLevel::kInfo, "address " + python_repr(Json(source.name)) + " is penalised no longer; " +
                              std::to_string(source.suppressed) + " of its failures were not logged");
  }
  if (report.ended_count > report.ended.size()) {
    log_(LogLevel::kInfo, more(report.ended_count, report.ended.size()) + " are penalised no longer");
  }
  if (report.suppressed > 0) {
    log_(LogLevel::kWarning, std::to_string(report.suppressed) +
                                 " failures of penalised addresses were not logged; penalised now: " +
                                 std::to_string(report.penalised));
  }
  if (report.empty() && report.penalised == 0) return std::nullopt;
  return kInterval;
}

}  // namespace vipauth
