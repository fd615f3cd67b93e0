#include "server/observability/rate_limit.h"

namespace wemasy::tokens {

bool RateLimit::Admit(BootTime now) {
  const int64_t second = now.nanos() / 1'000'000'000;
  int64_t current = second_.load(std::memory_order_relaxed);
  // One thread opens a new second; a few more lines at its start do no harm.
  if (second != current && second_.compare_exchange_strong(current, second)) {
    count_.store(0, std::memory_order_relaxed);
  }
  return count_.fetch_add(1, std::memory_order_relaxed) < per_second_;
}

}  // namespace wemasy::tokens
