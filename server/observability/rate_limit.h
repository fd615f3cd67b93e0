// A bound on lines that anybody can cause.
#ifndef WEMASY_SERVER_OBSERVABILITY_RATE_LIMIT_H_
#define WEMASY_SERVER_OBSERVABILITY_RATE_LIMIT_H_

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace wemasy::tokens {

// Lets some through and turns the rest away. Thread-safe.
class RateLimit {
 public:
  explicit RateLimit(int64_t per_second) : per_second_(per_second) {}
  // Whether one more is within the limit at `now`.
  bool Admit(BootTime now);

 private:
  const int64_t per_second_;
  std::atomic<int64_t> second_{0};
  std::atomic<int64_t> count_{0};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_RATE_LIMIT_H_
