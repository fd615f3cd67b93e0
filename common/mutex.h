// The mutex of this code base: absl::Mutex, made visible to ThreadSanitizer.
//
// Debian builds Abseil without TSan's annotations, so that under TSan every
// access guarded by an absl::Mutex would look like a race. The wrapper adds
// the calls, and clang's thread safety annotations. Use it everywhere.
#ifndef WEMASY_COMMON_MUTEX_H_
#define WEMASY_COMMON_MUTEX_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#if defined(__SANITIZE_THREAD__)
#define WEMASY_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEMASY_TSAN 1
#endif
#endif

#ifdef WEMASY_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace wemasy::tokens {

// Mutual exclusion. Not reentrant. Thread-safe.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() {
#ifdef WEMASY_TSAN
    __tsan_mutex_create(this, __tsan_mutex_not_static);
#endif
  }
  ~Mutex() {
#ifdef WEMASY_TSAN
    __tsan_mutex_destroy(this, __tsan_mutex_not_static);
#endif
  }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
#ifdef WEMASY_TSAN
    __tsan_mutex_pre_lock(this, 0);
#endif
    mutex_.Lock();
#ifdef WEMASY_TSAN
    __tsan_mutex_post_lock(this, 0, 0);
#endif
  }

  void Unlock() ABSL_UNLOCK_FUNCTION() {
#ifdef WEMASY_TSAN
    __tsan_mutex_pre_unlock(this, 0);
#endif
    mutex_.Unlock();
#ifdef WEMASY_TSAN
    __tsan_mutex_post_unlock(this, 0);
#endif
  }

 private:
  friend class CondVar;
  absl::Mutex mutex_;
};

// Holds a Mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(*mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits for changes of what a Mutex guards. Wakes up spuriously: wait in a
// loop. Thread-safe.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Returns after a signal, after `timeout`, or for no reason.
  void WaitWithTimeout(Mutex* mutex, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
#ifdef WEMASY_TSAN
    __tsan_mutex_pre_unlock(mutex, 0);
    __tsan_mutex_post_unlock(mutex, 0);
#endif
    cond_var_.WaitWithTimeout(&mutex->mutex_, timeout);
#ifdef WEMASY_TSAN
    __tsan_mutex_pre_lock(mutex, 0);
    __tsan_mutex_post_lock(mutex, 0, 0);
#endif
  }

  // Returns after a signal, or for no reason.
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    WaitWithTimeout(mutex, absl::InfiniteDuration());
  }

  void Signal() { cond_var_.Signal(); }
  void SignalAll() { cond_var_.SignalAll(); }

 private:
  absl::CondVar cond_var_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_MUTEX_H_
