// A boot-time clock that stands still until a test moves it.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_
#define WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "common/clock.h"

namespace wemasy::tokens {

// Thread-safe.
class FakeBootClock final : public BootClock {
 public:
  BootTime Now() const override { return BootTime::FromNanos(nanos_.load()); }
  void Advance(absl::Duration d) { nanos_ += absl::ToInt64Nanoseconds(d); }

 private:
  // A machine that has been up for an hour.
  std::atomic<int64_t> nanos_{int64_t{3600} * 1'000'000'000};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_CLOCK_H_
