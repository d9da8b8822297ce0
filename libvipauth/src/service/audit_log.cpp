#include <vipauth/audit_log.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/quiet_threads.hpp"
#include "service/accepted_digest.hpp"
#include "service/repeat_digest.hpp"
#include "store/audit_folder.hpp"

namespace vipauth {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Most events of one write.
constexpr std::size_t kBatch = 256;

/// What may fill the queue for itself alone.
enum class Lane : std::size_t { kRefusal, kStranger, kAccepted, kOther };
constexpr std::array<const char*, 4> kLaneNames{"refusals", "strangers", "accepted", "others"};
template <typename T>
using OfLanes = std::array<T, kLaneNames.size()>;

template <typename T>
T& of(OfLanes<T>& values, Lane lane) {
  return values[static_cast<std::size_t>(lane)];
}

Lane lane_of(const AuditEvent& event) {
  if (event.kind == AuditEvent::Kind::kRefusal) return Lane::kRefusal;
  if (event.kind != AuditEvent::Kind::kAuthentication) return Lane::kOther;
  return event.allowed.value_or(false) ? Lane::kAccepted : Lane::kStranger;
}

AuditLog::AcceptedPeer peer_of(const AuditEvent& event) {
  return {event.user_id, event.mechanism, event.credentials, event.reason, event.time};
}

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

}  // namespace

struct AuditLog::Impl {
  Impl(AuditFolder the_folder, Options the_options, OnProblem the_on_problem)
      : options(std::move(the_options)),
        on_problem(std::move(the_on_problem)),
        accepted({.per_key = options.accepted_per_key,
                  .in_all = options.accepted,
                  .keys_per_user = options.keys_per_user}),
        folder(std::move(the_folder)),
        repeats({.strangers = options.strangers,
                 .per_address = options.strangers_per_address,
                 .refusals = options.refusals,
                 .per_user = options.refusals_per_user}) {}

  // ---- Any thread ----

  void push(const AuditEvent& event) {
    AuditEvent copy = event;
    const Lane lane = lane_of(event);
    {
      const std::lock_guard lock(mutex);
      if (lane == Lane::kAccepted && !is_stopping && accepted.count(peer_of(event))) {
        if (std::exchange(has_counted, true)) return;
        return wake.notify_one();  // to tell of it in time
      }
      const std::size_t most =
          lane == Lane::kOther ? options.queue : std::max<std::size_t>(options.queue / 4, 1);
      std::size_t& waiting = of(waiting_in, lane);
      if (is_stopping || queue.size() >= options.queue || waiting >= most) {
        drop(lane, 1);
        return;
      }
      if (lane == Lane::kAccepted && !accepted.take(event)) {
        has_counted = true;
      } else {
        queue.push_back(std::move(copy));
        ++waiting;
        ++pushed;
      }
    }
    wake.notify_one();
  }

  bool count(const AcceptedPeer& peer) {
    {
      const std::lock_guard lock(mutex);
      if (is_stopping || !accepted.count(peer)) return false;
      if (std::exchange(has_counted, true)) return true;
    }
    wake.notify_one();
    return true;
  }

  void drop(Lane lane, std::uint64_t count) { of(dropped, lane).fetch_add(count, std::memory_order_relaxed); }

  std::uint64_t all_dropped() const {
    std::uint64_t sum = 0;
    for (const auto& count : dropped) sum += count.load(std::memory_order_relaxed);
    return sum;
  }

  Result<void> flush() {
    std::unique_lock lock(mutex);
    if (is_done) return last_flush;
    const std::uint64_t ticket = ++flushes_begun;
    flushes_after.push_back(pushed);
    wake.notify_one();
    flushed.wait(lock, [&] { return flushes_done >= ticket || is_done; });
    return last_flush;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      is_stopping = true;
    }
    wake.notify_one();
    const std::lock_guard lock(join_mutex);
    if (writer.joinable()) writer.join();
  }

  // ---- The writing thread ----

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      const auto has_work = [&] {
        return is_stopping || !queue.empty() || !flushes_after.empty() || (has_counted && !repeats_due);
      };
      if (const auto next = next_appointment()) {
        wake.wait_until(lock, *next, has_work);
      } else {
        wake.wait(lock, has_work);
      }
      std::vector<AuditEvent> batch;
      while (!queue.empty() && batch.size() < kBatch) {
        batch.push_back(std::move(queue.front()));
        queue.pop_front();
        --of(waiting_in, lane_of(batch.back()));
      }
      taken += batch.size();
      const bool has_taken = has_counted || !batch.empty();
      if (has_taken && !repeats_due) repeats_due = steady_now() + options.repeat_interval;
      std::uint64_t flushes = 0;
      for (; !flushes_after.empty() && flushes_after.front() <= taken; ++flushes) flushes_after.pop_front();
      const bool is_flush = flushes > 0;
      const bool is_end = is_stopping && queue.empty();
      lock.unlock();
      Result<void> outcome = work(batch, is_flush || is_end);
      lock.lock();
      const bool has_failed = !outcome;
      if (has_failed && since_flush) since_flush = std::move(outcome);
      if (has_failed && is_stopping && !is_end) {  // each further batch might wait as long for the lock
        for (const AuditEvent& event : queue) drop(lane_of(event), 1);
        taken += queue.size();
        queue.clear();
        waiting_in = {};
      }
      if (is_flush || is_end) {
        last_flush = std::exchange(since_flush, Result<void>());
        flushes_done += flushes;
        is_done = is_end;
        flushed.notify_all();
      }
      if (is_end) return;
    }
  }

  std::optional<SteadyTime> next_appointment() const {
    std::optional<SteadyTime> next = sync_due;
    if (repeats_due && (!next || *repeats_due < *next)) next = repeats_due;
    return next;
  }

  Result<void> work(const std::vector<AuditEvent>& batch, bool is_flush) {
    Result<void> outcome;
    try {
      outcome = write_batch(batch, is_flush);
      if (outcome) outcome = sync_when_due(is_flush);
    } catch (const std::exception& error) {  // no memory
      for (const AuditEvent& event : batch) drop(lane_of(event), 1);
      outcome =
          Error{ErrorCode::kUnavailable, std::string("cannot write the audit log: ") + error.what(), ""};
    }
    std::string text = outcome ? std::string() : outcome.error().to_string();
    if (!text.empty() && text != problem && on_problem) on_problem(outcome.error());
    problem = std::move(text);
    return outcome;
  }

  Result<void> write_batch(const std::vector<AuditEvent>& batch, bool is_flush) {
    std::vector<Json> lines;
    std::vector<Lane> lanes;
    for (const AuditEvent& event : batch) {
      if (!repeats.take(event)) continue;
      lines.push_back(to_json(event));
      lanes.push_back(lane_of(event));
    }
    const Timestamp now = options.clock();
    std::uint64_t repeated = 0;
    if (is_flush || (repeats_due && steady_now() >= *repeats_due)) {
      for (Json& line : close_repeats(now)) {
        repeated += std::stoull(line.find("repeats")->as_number().digits);
        lines.push_back(std::move(line));
      }
      repeats_due.reset();
    }
    OfLanes<std::uint64_t> lost{};
    if (auto line = take_dropped(now, lost)) lines.insert(lines.begin(), std::move(*line));
    if (lines.empty()) return {};
    auto appended = folder.append(lines, now, options.patience);
    if (!appended) {
      for (const Lane lane : lanes) drop(lane, 1);
      drop(Lane::kOther, repeated);
      return appended;
    }
    for (std::size_t i = 0; i < lost.size(); ++i) told[i] += lost[i];
    written.fetch_add(lines.size(), std::memory_order_relaxed);
    if (!sync_due) sync_due = steady_now() + options.sync_interval;
    return {};
  }

  std::vector<Json> close_repeats(Timestamp now) {
    RepeatTable let_in;
    {
      const std::lock_guard lock(mutex);
      let_in = accepted.close();
      has_counted = false;
    }
    std::vector<Json> lines;
    let_in.move_lines_to(lines, now);
    std::vector<Json> others = repeats.close(now);
    std::move(others.begin(), others.end(), std::back_inserter(lines));
    return lines;
  }

  /// The line that tells what was dropped since that was told last.
  std::optional<Json> take_dropped(Timestamp now, OfLanes<std::uint64_t>& lost) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < lost.size(); ++i) {
      lost[i] = dropped[i].load(std::memory_order_relaxed) - told[i];
      sum += static_cast<std::int64_t>(lost[i]);
    }
    if (sum == 0) return std::nullopt;
    Json line(Json::Object{{"time", format_timestamp(now)},
                           {"kind", "dropped"},
                           {"message", "so many events could not be written"},
                           {"count", sum}});
    for (std::size_t i = 0; i < lost.size(); ++i) {
      if (lost[i] > 0) line.set(kLaneNames[i], static_cast<std::int64_t>(lost[i]));
    }
    return line;
  }

  Result<void> sync_when_due(bool is_flush) {
    if (!sync_due || (!is_flush && steady_now() < *sync_due)) return {};
    sync_due.reset();
    return folder.sync();
  }

  const Options options;
  const OnProblem on_problem;
  std::atomic<std::uint64_t> written{0};
  OfLanes<std::atomic<std::uint64_t>> dropped{};

  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable flushed;
  std::deque<AuditEvent> queue;
  OfLanes<std::size_t> waiting_in{};  // of the queue
  std::uint64_t pushed = 0;           // events
  std::uint64_t taken = 0;
  std::deque<std::uint64_t> flushes_after;  // how many events each flush waits for
  std::uint64_t flushes_begun = 0;
  std::uint64_t flushes_done = 0;
  Result<void> since_flush;  // the first failure
  Result<void> last_flush;
  AcceptedDigest accepted;
  bool has_counted = false;  // something since the interval began
  bool is_stopping = false;
  bool is_done = false;

  // Of the writing thread alone.
  AuditFolder folder;
  RepeatDigest repeats;
  OfLanes<std::uint64_t> told{};  // of what was dropped
  std::optional<SteadyTime> sync_due;
  std::optional<SteadyTime> repeats_due;
  std::string problem;  // the last one told

  std::mutex join_mutex;
  std::thread writer;
};

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::shared_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& folder, Options options,
                                                 OnProblem on_problem) {
  auto opened = AuditFolder::open_or_make(folder, {options.file_bytes, options.files}, options.strict_modes);
  if (!opened) return opened.error();
  auto impl = std::make_unique<Impl>(std::move(*opened), std::move(options), std::move(on_problem));
  try {
    impl->writer = start_thread([self = impl.get()] { self->run(); });
  } catch (const std::exception& error) {
    return Error{ErrorCode::kUnavailable, std::string("cannot start a thread: ") + error.what(), ""};
  }
  return std::shared_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

AuditLog::~AuditLog() { stop(); }

void AuditLog::write(const AuditEvent& event) noexcept {
  try {
    impl_->push(event);
  } catch (...) {  // no memory: the peer gets its answer all the same
    impl_->drop(lane_of(event), 1);
  }
}

bool AuditLog::count_repeat(const AcceptedPeer& peer) noexcept {
  try {
    return impl_->count(peer);
  } catch (...) {  // no memory: write() says what becomes of it
    return false;
  }
}

Result<void> AuditLog::flush() { return impl_->flush(); }
void AuditLog::stop() { impl_->stop(); }
std::uint64_t AuditLog::written() const noexcept { return impl_->written.load(std::memory_order_relaxed); }
std::uint64_t AuditLog::dropped() const noexcept { return impl_->all_dropped(); }

}  // namespace vipauth
