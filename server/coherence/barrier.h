// The wait until a change is in effect at every replica: rule 9 of
// docs/coherence.md.
#ifndef WEMASY_SERVER_COHERENCE_BARRIER_H_
#define WEMASY_SERVER_COHERENCE_BARRIER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/coherence/replica_options.h"
#include "server/coherence/replica_store.h"
#include "server/lifecycle/change_barrier.h"

namespace wemasy::tokens {

// How a wait for a change ended.
enum class WaitEnd {
  // Every replica had acknowledged the change.
  kAcknowledged,
  // The last ones not to have acknowledged it were gone.
  kGone,
  // The lease of a replica that did not acknowledge must have run out.
  kExpired,
  // The caller's deadline came first, or the caller went away.
  kGivenUp,
};

// Hears of the waits, for metrics. Called by the threads that wait.
class BarrierObserver {
 public:
  virtual ~BarrierObserver() = default;
  virtual void OnWaited(WaitEnd end, absl::Duration waited) = 0;
};

// Waits with what this server's own sync points see of the table of replicas:
// all who wait share them. Never asks the database itself.
//
// Thread-safe.
class Barrier final : public ChangeBarrier {
 public:
  // Both must outlive this object.
  Barrier(ReplicaOptions options, const BootClock* clock,
          BarrierObserver* observer);

  // Takes the table that a confirmed renewal of the row `own` returned, which
  // acknowledged `acked`.
  void Learn(const ReplicaRow& own, int64_t acked, const Renewal& renewal);

  // Returns once every replica that was listed after the commit has
  // acknowledged it or is gone, or once none of those can still hold a lease
  // from before the commit. On a timeline that this process has not known for
  // that long, always waits until then: a failover may have lost the row of a
  // replica that lives. As long as nobody could list them, waits.
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                       const Patience& patience) override;

  // One wait, as far as it has come.
  struct Wait {
    const CommitStamp commit;
    // When this process first saw the commit's timeline.
    const BootTime timeline_seen;
    // Whom to wait for; nothing as long as nobody has listed them.
    absl::optional<std::vector<std::string>> missing;
    // The longest of the leases' lengths that they say.
    absl::Duration longest_ttl;
    BarrierReceipt receipt = {};
  };

  // A wait for a change that was just committed.
  Wait Begin(const CommitStamp& commit);

  // Looks without waiting. Returns how the wait has ended, nothing if it has
  // not yet.
  absl::optional<WaitEnd> Look(Wait& wait);

  // When the wait ends whatever happens.
  BootTime Bound(const Wait& wait) const;

  // How many replicas the last renewal has seen.
  int64_t replicas() const;

 private:
  // What the last renewal saw.
  struct View {
    std::string timeline;
    int64_t head = -1;
    std::map<std::string, ListedReplica> replicas;
  };

  // Moves those whom `view` shows to have acknowledged, or to be gone, from the
  // missing to the receipt.
  static void Count(const View& view, Wait& wait);
  // Says since when the timeline is known, which a commit may be first to see.
  void SeeTimeline(const std::string& timeline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How long a lease from before the commit may last.
  absl::Duration Longest(const Wait& wait) const;
  // From when on a wait may end before its bound.
  BootTime EarliestEnd(const Wait& wait) const;
  absl::optional<WaitEnd> LookLocked(Wait& wait, BootTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns how the wait has ended.
  WaitEnd AwaitEnd(Wait& wait, const Patience& patience);

  const ReplicaOptions options_;
  const BootClock& clock_;
  BarrierObserver& observer_;
  mutable Mutex mutex_;
  CondVar learned_;
  View view_ ABSL_GUARDED_BY(mutex_);
  // The newest timeline, and when this process first saw it.
  std::string timeline_ ABSL_GUARDED_BY(mutex_);
  BootTime timeline_seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_BARRIER_H_
