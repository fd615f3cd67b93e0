// Carries the marks that Validate leaves on used tokens to the database.
#ifndef WEMASY_SERVER_JOBS_USAGE_FLUSH_H_
#define WEMASY_SERVER_JOBS_USAGE_FLUSH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/jobs/stores.h"

namespace wemasy::tokens {

// Keeps what could not be written for the next time, up to a bound: use times
// are coarse, and losing some in an outage is allowed; growing without end is
// not.
//
// Thread-safe.
class UsageFlush {
 public:
  static constexpr size_t kBatchSize = 1000;
  // So many tokens' uses are kept after a failure.
  static constexpr size_t kMaxPending = 200'000;

  // `drain` gives the uses since its last call. `store` and `clock` must
  // outlive this object.
  UsageFlush(std::function<std::vector<TokenUse>()> drain, UsageStore& store,
             const BootClock& clock)
      : drain_(std::move(drain)), store_(store), clock_(clock) {}

  // Writes what has been used since, in batches, all by `timeout` from now.
  // Returns the first batch's failure; that batch and what follows are kept.
  absl::Status Flush(absl::Duration timeout);

  // The uses that were given up.
  int64_t dropped() const { return dropped_; }

 private:
  void TakeDrained() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<std::vector<TokenUse>()> drain_;
  UsageStore& store_;
  const BootClock& clock_;
  Mutex mutex_;
  // In the order of ids, in which they are written; one of each secret.
  std::vector<TokenUse> pending_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int64_t> dropped_{0};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_JOBS_USAGE_FLUSH_H_
