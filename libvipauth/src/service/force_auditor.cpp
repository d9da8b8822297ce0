#include "service/force_auditor.hpp"

#include <system_error>
#include <utility>

#include "base/quiet_threads.hpp"

namespace vipauth {

bool ForceAuditor::News::is_large() const {
  if (!generation || after.auth == before.auth) return false;
  return (after.auth && after.auth->is_large()) || (before.auth && before.auth->is_large());
}

ForceAuditor::ForceAuditor(std::shared_ptr<AuditRecorder> recorder) : recorder_(std::move(recorder)) {}

ForceAuditor::~ForceAuditor() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ForceAuditor::on_outcome(const PolicyKeeper::Outcome& outcome, bool is_reading) noexcept try {
  if (!recorder_) return;
  News news{outcome.problem, std::nullopt, {}, {}, is_reading, recorder_->now()};
  if (outcome.change) {
    news.generation = outcome.change->generation;
    news.before = outcome.before;
    news.after = outcome.after;
  }
  std::unique_lock lock(mutex_);
  if (waiting_.empty() && !news.is_large()) {
    lock.unlock();
    return tell(news);
  }
  try {
    if (!thread_.joinable()) thread_ = start_thread([this] { run(); });
  } catch (const std::system_error&) {
    lock.unlock();
    return tell(news);
  }
  changed_.wait(lock, [&] { return waiting_.size() < kMostWaiting || is_own_thread(); });
  waiting_.push_back(std::move(news));
  changed_.notify_all();
} catch (...) {  // no memory: the policy is in force all the same
  recorder_->lose();
}

void ForceAuditor::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.empty() || is_own_thread(); });
}

bool ForceAuditor::is_own_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

void ForceAuditor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const News& news = waiting_.front();
    lock.unlock();
    tell(news);
    lock.lock();
    waiting_.pop_front();
    changed_.notify_all();
  }
}

void ForceAuditor::tell(const News& news) const noexcept try {
  if (news.is_reading) recorder_->on_problem(news.problem, news.time);
  if (!news.generation) return;
  if (!news.is_reading) return recorder_->on_time(*news.generation, news.time);
  const auto& [auth_before, topics_before] = news.before;
  const auto& [auth, topics] = news.after;
  if (auth != auth_before) {
    recorder_->on_file_in_force(kAuthFile, *news.generation, audited_change(auth_before.get(), auth.get()),
                                news.time);
  }
  if (topics != topics_before) {
    const Json rules_before = topics_before ? topics_before->to_json() : Json();
    recorder_->on_file_in_force(kTopicsFile, *news.generation,
                                audited_change(rules_before, topics->to_json()), news.time);
  }
} catch (...) {  // no memory: the policy is in force all the same
  recorder_->lose();
}

}  // namespace vipauth
