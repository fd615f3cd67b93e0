// The wait between a change's commit and the reply to its caller.
#ifndef WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_
#define WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_

#include <functional>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "server/lifecycle/token_store.h"

namespace wemasy::tokens {

// What a wait found.
struct BarrierReceipt {
  int acknowledged_replicas = 0;
  int gone_replicas = 0;
  int expired_replicas = 0;
};

// How long somebody waits.
struct Patience {
  BootTime deadline;
  // Whether the caller has gone away, so that nobody waits any more; empty if
  // the caller cannot go. Called by the waiting thread, now and then.
  std::function<bool()> is_cancelled = nullptr;
};

// Waits until changes are in effect. Implementations are thread-safe.
class ChangeBarrier {
 public:
  virtual ~ChangeBarrier() = default;

  // Returns once the change is in effect, or DeadlineExceeded, saying who has
  // not confirmed it, if it is not when the patience ends: a plain status,
  // whose text is for callers, too.
  virtual absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                               const Patience& patience) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_
