#include "fleet/range_watcher.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <random>
#include <utility>

#include "web/quiet_thread.hpp"

namespace vipauth::fleet {
namespace {

/// Going on from where it was would end in the same way.
bool is_gap(const WatchEnd& end) {
  return end.why == WatchEnd::Why::kCompacted ||
         (end.why == WatchEnd::Why::kFailed && end.error.code == ErrorCode::kLimitExceeded);
}

}  // namespace

std::chrono::milliseconds backoff(int tries) {
  constexpr std::int64_t kFirst = 100;
  constexpr std::int64_t kLongest = 5000;
  constexpr int kMostDoublings = 6;
  static thread_local std::minstd_rand numbers{std::random_device{}()};
  const std::int64_t longest = std::min(kFirst << std::min(tries, kMostDoublings), kLongest);
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(longest / 2, longest)(numbers));
}

bool sleep_for(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any told;
  std::unique_lock lock(mutex);
  told.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

RangeWatcher::RangeWatcher(EtcdClient client, std::string key, std::string range_end,
                           std::int64_t start_revision, Handler handler)
    : client_(std::move(client)),
      key_(std::move(key)),
      range_end_(std::move(range_end)),
      next_revision_(start_revision),
      handler_(std::move(handler)),
      thread_(web::start_quiet_thread([this] { run(stop_.get_token()); })) {}

RangeWatcher::~RangeWatcher() {
  stop_.request_stop();
  client_.stop();
  thread_.join();
}

void RangeWatcher::run(const std::stop_token& stop) {
  bool has_problem = false;
  for (int tries = 0; !stop.stop_requested(); ++tries) {
    try {
      follow(stop, has_problem);
    } catch (const std::exception&) {  // no memory
      tell_failure();
      has_problem = true;
      static_cast<void>(sleep_for(stop, backoff(tries)));
    }
  }
}

void RangeWatcher::tell_failure() const noexcept {
  try {
    handler_.on_problem(Error{ErrorCode::kIoError, "following failed here: is there memory?", ""});
  } catch (const std::exception&) {  // then there is none for telling, either
    return;
  }
}

/// Goes on from `next_revision_`, so that nothing is lost where it is called again.
void RangeWatcher::follow(const std::stop_token& stop, bool has_problem) {
  int tries = 0;
  const auto on_events = [&](const WatchEvents& told) {
    if (has_problem) handler_.on_problem(std::nullopt);
    has_problem = false;
    tries = 0;
    // A watch that was broken off in the middle of a revision tells it again as a whole.
    if (!told.events.empty()) handler_.on_events(told);
    next_revision_ = std::max(next_revision_.load(), told.revision + 1);
    return !stop.stop_requested();
  };
  while (!stop.stop_requested()) {
    const WatchEnd end = client_.watch(key_, range_end_, next_revision_, on_events);
    if (stop.stop_requested()) return;
    if (is_gap(end)) {
      if (const auto next = handler_.on_gap(next_revision_)) {
        next_revision_ = *next;
        tries = 0;
        continue;
      }
    } else if (end.why == WatchEnd::Why::kFailed) {
      handler_.on_problem(end.error);
      has_problem = true;
    }
    if (!sleep_for(stop, backoff(tries++))) return;
  }
}

}  // namespace vipauth::fleet
