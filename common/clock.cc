#include "common/clock.h"

#include <time.h>

namespace wemasy::tokens {

BootTime SystemBootClock::Now() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return BootTime::FromNanos(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
}

}  // namespace wemasy::tokens
