#pragma once

#include <cstddef>

namespace vipauth::test {

/// What this thread has locked since it began; only ever more.
struct Locks {
  std::size_t mutexes = 0;       ///< pthread_mutex_t, and so std::mutex
  std::size_t reader_locks = 0;  ///< pthread_rwlock_t, to read: RE2 takes one for each match
  std::size_t writer_locks = 0;

  friend bool operator==(const Locks&, const Locks&) = default;
};
Locks locks() noexcept;

/// What `action` locks, all libraries included.
template <typename Action>
Locks locks_of(Action action) {
  const Locks before = locks();
  action();
  const Locks after = locks();
  return {after.mutexes - before.mutexes, after.reader_locks - before.reader_locks,
          after.writer_locks - before.writer_locks};
}

}  // namespace vipauth::test
