// The boot-time clock: what leases, deadlines and waits are measured with.
//
// CLOCK_BOOTTIME counts through suspension and is never set, so that only its
// rate has to be trusted. Its readings mean nothing on another machine or
// after a restart of this one; never store or send them.
#ifndef WEMASY_COMMON_CLOCK_H_
#define WEMASY_COMMON_CLOCK_H_

#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace wemasy::tokens {

// The rate at which clocks may differ from real time, at most: one in a
// thousand either way.
inline constexpr int64_t kClockDriftDivisor = 1000;

// A reading of the boot-time clock. A value type.
class BootTime {
 public:
  // The distant past: earlier than any reading.
  constexpr BootTime() = default;

  static constexpr BootTime FromNanos(int64_t nanos) {
    BootTime time;
    time.nanos_ = nanos;
    return time;
  }
  // Later than any reading.
  static constexpr BootTime InfiniteFuture() {
    return FromNanos(std::numeric_limits<int64_t>::max());
  }

  // Nanoseconds since boot.
  constexpr int64_t nanos() const { return nanos_; }

  friend BootTime operator+(BootTime time, absl::Duration d) {
    if (d == absl::InfiniteDuration()) return InfiniteFuture();
    return FromNanos(time.nanos_ + absl::ToInt64Nanoseconds(d));
  }
  friend BootTime operator-(BootTime time, absl::Duration d) {
    return time + -d;
  }
  // Infinite if `a` is the infinite future.
  friend absl::Duration operator-(BootTime a, BootTime b) {
    if (a == InfiniteFuture()) return absl::InfiniteDuration();
    return absl::Nanoseconds(a.nanos_ - b.nanos_);
  }
  friend constexpr bool operator==(BootTime a, BootTime b) {
    return a.nanos_ == b.nanos_;
  }
  friend constexpr bool operator!=(BootTime a, BootTime b) { return !(a == b); }
  friend constexpr bool operator<(BootTime a, BootTime b) {
    return a.nanos_ < b.nanos_;
  }
  friend constexpr bool operator>(BootTime a, BootTime b) { return b < a; }
  friend constexpr bool operator<=(BootTime a, BootTime b) { return !(b < a); }
  friend constexpr bool operator>=(BootTime a, BootTime b) { return !(a < b); }

 private:
  int64_t nanos_ = 0;
};

// Tells the boot time. Implementations are thread-safe.
class BootClock {
 public:
  virtual ~BootClock() = default;
  virtual BootTime Now() const = 0;
};

// The kernel's CLOCK_BOOTTIME.
class SystemBootClock final : public BootClock {
 public:
  BootTime Now() const override;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CLOCK_H_
