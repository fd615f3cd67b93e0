// A boot-time clock that stands still until a test moves it.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_
#define WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/time/time.h"
#include "common/clock.h"

namespace wemasy::tokens {

// Thread-safe.
class FakeBootClock final : public BootClock {
 public:
  BootTime Now() const override {
    ++reads_;
    return BootTime::FromNanos(nanos_.load());
  }
  // How often it was read: a sign that another thread has come so far.
  int reads() const { return reads_; }
  void Advance(absl::Duration d) { nanos_ += absl::ToInt64Nanoseconds(d); }

 private:
  // A machine that has been up for an hour.
  std::atomic<int64_t> nanos_{int64_t{3600} * 1'000'000'000};
  mutable std::atomic<int> reads_{0};
};

// A clock that runs a hook, once, when it is read: something that happens
// between a look-up and the reading. Thread-compatible.
class HookedClock final : public BootClock {
 public:
  explicit HookedClock(FakeBootClock* clock) : clock_(*clock) {}
  BootTime Now() const override {
    if (hook) std::exchange(hook, nullptr)();
    return clock_.Now();
  }
  mutable std::function<void()> hook;

 private:
  FakeBootClock& clock_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_
