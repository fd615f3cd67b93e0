// Preloaded into a server, lets the fault harness set its wall clock.
//
// WALL_CLOCK_FILE names a file of eight bytes: the nanoseconds by which the
// wall clock is wrong, in the machine's order of bytes. They may change at any
// time. The machine's own clock is left alone, and so are the clocks that
// nobody can set.
//
// Waits that end at a time of the wall clock are faked, too: Abseil waits with
// FUTEX_CLOCK_REALTIME. The kernel would notice a jump at once; this looks
// every few milliseconds.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLookEvery = 5'000'000;

// Zero for ever without the file.
const volatile int64_t* Offset() {
  static const volatile int64_t* const offset = [] {
    static const int64_t none = 0;
    const volatile int64_t* found = &none;
    const char* path = getenv("WALL_CLOCK_FILE");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return found;
    void* memory =
        mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) found = static_cast<const int64_t*>(memory);
    return found;
  }();
  return offset;
}

template <typename F>
F Next(F /*of its type*/, const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

int64_t Nanos(const timespec& time) {
  return time.tv_sec * kSecond + time.tv_nsec;
}

timespec Timespec(int64_t nanos) {
  return {static_cast<time_t>(nanos / kSecond),
          static_cast<decltype(timespec::tv_nsec)>(nanos % kSecond)};
}

bool IsWall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int64_t RealNow() {
  static const auto next = Next(&clock_gettime, "clock_gettime");
  timespec time;
  next(CLOCK_REALTIME, &time);
  return Nanos(time);
}

// Calls `wait` with ends of the real clock until it returns something other
// than `timed_out`, or the wrong clock has come to `end`.
template <typename Wait>
auto WaitUntil(const timespec& end,
               decltype(std::declval<Wait>()(end)) timed_out, Wait wait) {
  while (true) {
    const int64_t now = RealNow();
    const int64_t real_end = Nanos(end) - *Offset();
    const timespec part =
        Timespec(std::max<int64_t>(0, std::min(real_end, now + kLookEvery)));
    const auto result = wait(part);
    if (result != timed_out || RealNow() + *Offset() >= Nanos(end)) {
      return result;
    }
  }
}

}  // namespace

// The C library's functions, with its types and our names of parameters.
// NOLINTBEGIN(google-runtime-int)
// NOLINTBEGIN(performance-no-int-to-ptr)
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
  static const auto next = Next(&clock_gettime, "clock_gettime");
  const int result = next(clock, time);
  if (result == 0 && IsWall(clock)) *time = Timespec(Nanos(*time) + *Offset());
  return result;
}

int gettimeofday(timeval* time, void*) noexcept {
  const timespec now = Timespec(RealNow() + *Offset());
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const time_t now = Timespec(RealNow() + *Offset()).tv_sec;
  if (out) *out = now;
  return now;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* end) {
  static const auto next =
      Next(&pthread_cond_timedwait, "pthread_cond_timedwait");
  // Whether the condition counts by another clock cannot be seen: nobody here
  // has one that does, but gRPC, by the monotonic clock, which is far behind.
  if (Nanos(*end) < RealNow() / 2) return next(condition, mutex, end);
  return WaitUntil(*end, ETIMEDOUT, [&](const timespec& part) {
    return next(condition, mutex, &part);
  });
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           clockid_t clock, const timespec* end) {
  static const auto next =
      Next(&pthread_cond_clockwait, "pthread_cond_clockwait");
  if (!IsWall(clock)) return next(condition, mutex, clock, end);
  return WaitUntil(*end, ETIMEDOUT, [&](const timespec& part) {
    return next(condition, mutex, clock, &part);
  });
}

long syscall(long number, ...) noexcept {
  static const auto next = Next(&syscall, "syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& each : a) each = va_arg(list, long);
  va_end(list);
  const auto call = [&](long timeout) {
    return next(number, a[0], a[1], a[2], timeout, a[4], a[5]);
  };
  constexpr long kWait = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
  if (number != SYS_futex || (a[1] & ~FUTEX_PRIVATE_FLAG) != kWait ||
      a[3] == 0) {
    return call(a[3]);
  }
  const timespec end = *reinterpret_cast<const timespec*>(a[3]);
  // As a result, so that errno is not looked at in between.
  const int error = WaitUntil(end, ETIMEDOUT, [&](const timespec& part) {
    return call(reinterpret_cast<long>(&part)) == 0 ? 0 : errno;
  });
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
// NOLINTEND(performance-no-int-to-ptr)
// NOLINTEND(google-runtime-int)
