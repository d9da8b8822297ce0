#include "hot_path/locks.hpp"

#include <dlfcn.h>
#include <pthread.h>

namespace vipauth::test {
namespace {

thread_local constinit Locks done;

/// The one that would have been called.
template <typename Function>
Function* next(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

Locks locks() noexcept { return done; }

}  // namespace vipauth::test

// The program's own, for all of it: the C++ library's mutexes call these.
extern "C" {
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const lock = vipauth::test::next<int(pthread_mutex_t*)>("pthread_mutex_lock");
  ++vipauth::test::done.mutexes;
  return lock(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static auto* const lock = vipauth::test::next<int(pthread_mutex_t*)>("pthread_mutex_trylock");
  ++vipauth::test::done.mutexes;
  return lock(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* rwlock) noexcept {
  static auto* const lock = vipauth::test::next<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  ++vipauth::test::done.reader_locks;
  return lock(rwlock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* rwlock) noexcept {
  static auto* const lock = vipauth::test::next<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  ++vipauth::test::done.writer_locks;
  return lock(rwlock);
}
}
