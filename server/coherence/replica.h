// One replica: the threads that keep the index and the lease current.
#ifndef WEMASY_SERVER_COHERENCE_REPLICA_H_
#define WEMASY_SERVER_COHERENCE_REPLICA_H_

#include <cstdint>
#include <thread>

#include "common/clock.h"
#include "common/mutex.h"
#include "server/coherence/replica_store.h"
#include "server/coherence/sync_points.h"
#include "server/lifecycle/change_barrier.h"

namespace wemasy::tokens {

// Runs sync points, on notifications and every fifth of the lease's length,
// and tells who waits when a change is in the index.
//
// As a barrier it waits for this replica only: other replicas follow by
// notification, or at their next sync point.
//
// Thread-safe but for Start and Stop.
class Replica final : public ChangeBarrier {
 public:
  // All must outlive this object. `steps` and `listener` are used by this
  // object's threads only.
  Replica(ReplicaOptions options, SyncPoints* steps, ChangeListener* listener,
          const BootClock* clock);
  // Stops if that was not done.
  ~Replica() override;

  void Start();

  // Ends the lease, deletes the replica's row and ends the threads. Idempotent.
  void Stop();

  // Returns once the change is in this replica's index, or once the lease
  // under which the index would do without it must have run out.
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                       BootTime deadline) override;

 private:
  void RunSyncPoints();
  void RunListener();
  // Waits until the next sync point is due. Returns false when stopping.
  bool WaitForTurn(absl::Duration pause, bool wake_early);
  void Wake();

  const ReplicaOptions options_;
  SyncPoints& steps_;
  ChangeListener& listener_;
  const BootClock& clock_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool wake_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t applied_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread sync_thread_;
  std::thread listen_thread_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_REPLICA_H_
