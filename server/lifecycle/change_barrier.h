// The wait between a change's commit and the reply to its caller.
#ifndef WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_
#define WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_

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

// Waits until changes are in effect. Implementations are thread-safe.
class ChangeBarrier {
 public:
  virtual ~ChangeBarrier() = default;

  // Returns once the change is in effect, or DeadlineExceeded (a plain status
  // without detail) if it is not by `deadline`.
  virtual absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                               BootTime deadline) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_CHANGE_BARRIER_H_
