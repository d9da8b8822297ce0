#include "service/pending_writer.hpp"

#include <algorithm>

namespace vipauth {
namespace {

// The first stranger after a quiet time is written soon, so that an administrator sees it at once.
constexpr std::chrono::milliseconds kFirstWriteDelay{50};
// Who else holds the lock of pending.json must not keep a new policy waiting, which the same thread reads.
constexpr std::chrono::milliseconds kWritePatience{20};

}  // namespace

std::optional<std::chrono::milliseconds> PendingWriter::write_when_due() {
  if (!pending_.has_unwritten()) return std::nullopt;
  const auto now = std::chrono::steady_clock::now();
  if (!due_) due_ = std::max(now + kFirstWriteDelay, next_);
  if (now < *due_) return std::chrono::ceil<std::chrono::milliseconds>(*due_ - now);
  note_problem(pending_.flush(kWritePatience));
  next_ = std::chrono::steady_clock::now() + interval_;
  due_.reset();
  if (!pending_.has_unwritten()) return std::nullopt;
  return std::max(interval_, kFirstWriteDelay);
}

void PendingWriter::note_problem(const Result<void>& written) {
  std::string problem = written ? std::string() : written.error().to_string();
  if (!problem.empty() && problem != problem_ && log_) log_(LogLevel::kError, problem);
  problem_ = std::move(problem);
}

}  // namespace vipauth
