// One replica: the threads that keep the index and the lease current.
#ifndef WEMASY_SERVER_COHERENCE_REPLICA_H_
#define WEMASY_SERVER_COHERENCE_REPLICA_H_

#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/coherence/barrier.h"
#include "server/coherence/replica_options.h"
#include "server/coherence/replica_store.h"
#include "server/coherence/sync_points.h"
#include "server/coherence/watch_hub.h"
#include "server/lifecycle/change_barrier.h"

namespace wemasy::tokens {

// Runs sync points: on notifications, every fifth of the lease's length, when
// the caching clients have caught up, and in quick succession while somebody
// waits at the barrier, which sees acknowledgements only through them.
//
// Thread-safe but for Start and Stop.
class Replica final : public ChangeBarrier {
 public:
  // All must outlive this object. `steps` and `listener` are used by this
  // object's threads only.
  Replica(ReplicaOptions options, SyncPoints* steps, Barrier* barrier,
          WatchHub* watches, ChangeListener* listener, const BootClock* clock);
  // Stops if that was not done.
  ~Replica() override;

  void Start();

  // Ends the lease, waits until no client's grant is left, deletes the
  // replica's row and ends the threads. Idempotent.
  void Stop();

  // Waits at the barrier, and keeps sync points coming meanwhile.
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                       const Patience& patience) override;

 private:
  void RunSyncPoints();
  void RunListener();
  // Waits until `latest`; with news until `earliest`, with all clients'
  // acknowledgements until `released`. Returns false when stopping.
  bool WaitForTurn(BootTime earliest, BootTime released, BootTime latest);
  void SleepUntil(BootTime time);
  bool HasWaiters();

  const ReplicaOptions options_;
  SyncPoints& steps_;
  Barrier& barrier_;
  WatchHub& watches_;
  ChangeListener& listener_;
  const BootClock& clock_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Something was committed that this replica may not have yet.
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;
  // All clients have acknowledged what the last sync point applied.
  bool is_released_ ABSL_GUARDED_BY(mutex_) = false;
  int waiters_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread sync_thread_;
  std::thread listen_thread_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_REPLICA_H_
