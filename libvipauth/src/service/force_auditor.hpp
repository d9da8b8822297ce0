#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "service/audit_recorder.hpp"
#include "service/policy_keeper.hpp"

namespace vipauth {

/// Has the audit told, in their order, what came of each reading of the files. What differs between large
/// contents is found on a thread of its own: nobody waits for it but who reads again and again meanwhile.
class ForceAuditor {
 public:
  /// \param recorder  null: nobody audits
  explicit ForceAuditor(std::shared_ptr<AuditRecorder> recorder);
  ~ForceAuditor();
  ForceAuditor(const ForceAuditor&) = delete;
  ForceAuditor& operator=(const ForceAuditor&) = delete;

  /// What there is no memory for is counted as lost.
  /// \param is_reading  files have been read; else the same policy came in force at a later time
  void on_outcome(const PolicyKeeper::Outcome& outcome, bool is_reading) noexcept;
  /// Waits until all has been told.
  void finish();

 private:
  struct News {
    std::optional<Error> problem;
    std::optional<std::uint64_t> generation;  // of what was put in force
    PolicyKeeper::Contents before;
    PolicyKeeper::Contents after;
    bool is_reading = false;
    Timestamp time;

    bool is_large() const;
  };

  /// Of large contents: each holds files open.
  static constexpr std::size_t kMostWaiting = 4;

  void tell(const News& news) const noexcept;
  /// Of a sink that asks for something while it is told.
  bool is_own_thread() const;
  void run();

  const std::shared_ptr<AuditRecorder> recorder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<News> waiting_;  // the first is being told
  bool is_stopping_ = false;
  std::thread thread_;  // from the first large content on
};

}  // namespace vipauth
