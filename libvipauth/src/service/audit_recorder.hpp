#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vipauth/audit_log.hpp>
#include <vipauth/clock.hpp>
#include <vipauth/error.hpp>

#include "model/document_change.hpp"
#include "service/decision_watch.hpp"

namespace vipauth {

/// Makes audit events of what a service decides and puts in force, and hands them to each sink.
class AuditRecorder final : public DecisionWatcher {
 public:
  /// \param log  after the sinks; null: there is none
  AuditRecorder(std::vector<std::shared_ptr<AuditSink>> sinks, std::shared_ptr<AuditLog> log, Clock clock)
      : sinks_(std::move(sinks)), log_(std::move(log)), clock_(std::move(clock)) {}

  void on_authentication(const ZapAuthenticator::Event& event) noexcept override;
  /// Refusals alone: what is allowed is no news.
  void on_decision(const Asker& asker, const Question& question, const Decision& decision) noexcept override;

  /// Events that there was no memory for.
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  void lose() noexcept { lost_.fetch_add(1, std::memory_order_relaxed); }

  /// What others than the service decided.
  void on_event(AuditEvent event) const;
  void on_start() const;
  /// The end of the service. Sessions may live on, the clock may not: what they ask is not told any more.
  void on_stop();
  // What may be told later than it happened has its time with it.
  Timestamp now() const { return clock_(); }
  /// A file of which another content was put in force. \param change  nothing: it cannot be read any more
  void on_file_in_force(std::string_view file, std::uint64_t generation, std::optional<AuditedChange> change,
                        Timestamp time) const;
  /// The same policy at a later time: records began or ceased to be valid.
  void on_time(std::uint64_t generation, Timestamp time) const;
  /// New peers are refused from now on, because the policy may be too old; nothing: no longer.
  void on_stale(const std::optional<Error>& why) const;
  /// What keeps the files from being in force; a problem that goes on is told once.
  void on_problem(const std::optional<Error>& problem, Timestamp time);

 private:
  std::optional<Timestamp> time_before_end() const;
  static AuditEvent event_of(AuditEvent::Kind kind, Timestamp time);
  void write(const AuditEvent& event) const noexcept;
  bool is_counted(const ZapAuthenticator::Event& event, Timestamp now) const noexcept;

  const std::vector<std::shared_ptr<AuditSink>> sinks_;
  const std::shared_ptr<AuditLog> log_;
  const Clock clock_;
  mutable std::shared_mutex clock_mutex_;  // held while a session asks the clock
  bool has_ended_ = false;
  std::atomic<std::uint64_t> lost_{0};
  std::mutex mutex_;
  std::string problem_;
};

}  // namespace vipauth
