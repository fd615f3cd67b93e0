// What becomes of the replica, for the log, metrics, health and the process.
#ifndef WEMASY_SERVER_REPLICA_WATCH_H_
#define WEMASY_SERVER_REPLICA_WATCH_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "common/clock.h"
#include "server/coherence/barrier.h"
#include "server/coherence/sync_points.h"
#include "server/observability/log.h"
#include "server/observability/metrics.h"
#include "server/process.h"
#include "server/validate/lease.h"

namespace wemasy::tokens {

// Stops the process when the replica cannot go on: a supervisor starts a new
// one, which loads afresh. Thread-safe.
class ReplicaWatch final : public ReplicaObserver, public BarrierObserver {
 public:
  // `sync_patience` is how long after a sync point the next one must have
  // come for the database to count as reached. All must outlive this object.
  ReplicaWatch(absl::Duration sync_patience, const BootClock& clock,
               const Logger& logger, WaitMetrics& waits, StopRequests& stop)
      : sync_patience_(sync_patience),
        clock_(clock),
        logger_(logger),
        waits_(waits),
        stop_(stop) {}

  void OnLoaded(int64_t entries, int64_t head) override;
  void OnSyncPoint(int64_t applied, BootTime lease_end) override;
  void OnFailure(const absl::Status& status) override;
  void OnNotice(absl::string_view text) override;
  void OnReaped(absl::string_view id) override;
  void OnClosed(CloseReason reason, absl::string_view text) override;
  void OnWaited(WaitEnd end, absl::Duration waited) override;

  // Whether the last step reached the database, a short time ago.
  bool reaches_database() const;

  // Adds the metrics of the replica. `lease` and `barrier` must outlive their
  // reading.
  void AddMetrics(const Lease& lease, const Barrier& barrier,
                  SampledMetrics& metrics) const;

 private:
  absl::Duration SinceSyncPoint() const;

  const absl::Duration sync_patience_;
  const BootClock& clock_;
  const Logger& logger_;
  WaitMetrics& waits_;
  StopRequests& stop_;
  std::atomic<int64_t> sync_points_{0};
  std::atomic<int64_t> failures_{0};
  std::atomic<int64_t> reaped_{0};
  std::atomic<bool> failed_last_{true};
  std::atomic<bool> is_loaded_{false};
  // Of the boot-time clock; 0 before the first one.
  std::atomic<int64_t> last_sync_nanos_{0};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_REPLICA_WATCH_H_
