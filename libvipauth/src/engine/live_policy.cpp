#include <vipauth/live_policy.hpp>

#include <array>
#include <cstddef>

namespace vipauth {
namespace {

/// What a thread was told last. It keeps no policy: a thread that asks no more must not.
struct LastTold {
  std::uint64_t live = 0;
  std::uint64_t generation = 0;
  std::weak_ptr<const PolicySnapshot> snapshot;
};
/// Other objects of a thread may ask when this is gone.
constinit thread_local bool is_memory_gone = false;

struct Memory {
  static constexpr std::size_t kTold = 4;  // a live policy and its shadow are asked in turn
  std::array<LastTold, kTold> last_told;

  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { is_memory_gone = true; }

  static LastTold* of_this_thread(std::uint64_t live) {
    if (is_memory_gone) return nullptr;
    thread_local Memory memory;
    return &memory.last_told[live % kTold];
  }
};

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> count{0};
  return ++count;
}

}  // namespace

LivePolicy::LivePolicy(PolicySnapshot first)
    : number_(next_number()), snapshot_(std::make_shared<const PolicySnapshot>(std::move(first))) {}

LivePolicy::Version LivePolicy::current() const {
  const std::uint64_t now = generation();
  LastTold* const last = Memory::of_this_thread(number_);
  if (last != nullptr && last->live == number_ && last->generation == now) {
    if (auto snapshot = last->snapshot.lock()) return {std::move(snapshot), now};
  }
  const std::lock_guard lock(mutex_);
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed);
  if (last != nullptr) *last = {number_, generation, snapshot_};
  return {snapshot_, generation};
}

std::uint64_t LivePolicy::publish(PolicySnapshot next) {
  auto snapshot = std::make_shared<const PolicySnapshot>(std::move(next));
  const std::lock_guard lock(mutex_);
  snapshot_.swap(snapshot);
  return generation_.fetch_add(1, std::memory_order_release) + 1;
}

}  // namespace vipauth
