// The replica's side of the coherence protocol, a step at a time.
//
// docs/coherence.md numbers the rules that the comments name.
#ifndef WEMASY_SERVER_COHERENCE_SYNC_POINTS_H_
#define WEMASY_SERVER_COHERENCE_SYNC_POINTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "server/coherence/barrier.h"
#include "server/coherence/reaper.h"
#include "server/coherence/replica_options.h"
#include "server/coherence/replica_store.h"
#include "server/coherence/watch_hub.h"
#include "server/validate/lease.h"
#include "server/validate/token_index.h"

namespace wemasy::tokens {

// Why a replica closed. Each but kStopped means that the process must be
// replaced: its index cannot be repaired in place.
enum class CloseReason {
  // It was asked to.
  kStopped,
  // Its row is not in the database any more: others may have stopped waiting
  // for it.
  kRowGone,
  // A change is missing.
  kHole,
  // A change is of a kind that this version does not know.
  kUnknownOperation,
  // The database has forgotten changes that this replica has applied.
  kHistoryLost,
};

// What happens to a replica, for logs and metrics. Called by the thread that
// runs the steps; must not block.
class ReplicaObserver {
 public:
  virtual ~ReplicaObserver() = default;
  // The index was loaded, and the row is registered.
  virtual void OnLoaded(int64_t entries, int64_t head) = 0;
  // A sync point ended; `applied` is the last change in the index.
  virtual void OnSyncPoint(int64_t applied, BootTime lease_end) = 0;
  // A step failed, and will be tried again.
  virtual void OnFailure(const absl::Status& status) = 0;
  // Something that an operator should know; the replica goes on.
  virtual void OnNotice(absl::string_view text) = 0;
  // The row of another replica, which had not renewed it for longer than a
  // lease, was deleted.
  virtual void OnReaped(absl::string_view id) = 0;
  // The replica closed.
  virtual void OnClosed(CloseReason reason, absl::string_view text) = 0;
};

// What should follow a step.
enum class NextStep {
  // Nothing until the next sync point is due.
  kRest,
  // A sync point that acknowledges what was just applied: others wait for it.
  kAcknowledge,
  // The same, as soon as the caching clients have acknowledged it.
  kAwaitClients,
  // A step at once: this one is not finished.
  kGoOn,
};

// Loads the index, registers the replica, and runs sync points.
//
// Not thread-safe: one thread runs the steps. The index and the lease that it
// writes are read by others.
class SyncPoints {
 public:
  // All must outlive this object.
  SyncPoints(ReplicaOptions options, ReplicaStore* store, TokenIndex* index,
             Lease* lease, WatchHub* watches, Barrier* barrier,
             const BootClock* clock, RandomSource* random,
             ReplicaObserver* observer);

  enum class State {
    // Not loaded and registered yet.
    kStarting,
    // Loaded and registered: sync points run.
    kRunning,
    // Without a lease for good; the row stays until the last grant has ended.
    kClosing,
    // Over.
    kClosed,
  };
  State state() const { return state_; }

  // The last change in the index.
  int64_t applied() const { return applied_; }

  // Takes the next step: loads and registers, or runs one sync point. Returns
  // what should follow; a status that is not OK means that the step is to be
  // tried again later. Must not be called when closed.
  absl::StatusOr<NextStep> Step();

  // When to step though nothing else asks for it: clients' grants end then.
  BootTime NextExpiry() const;

  // Rule 13: ends the lease. Further steps delete the row when the last grant
  // has ended. Idempotent.
  void Stop();

 private:
  absl::StatusOr<NextStep> Load();
  absl::StatusOr<NextStep> SyncPoint();
  // Applies them up to one that does not follow the one before.
  void Apply(const std::vector<Change>& changes);
  // What shows that the database lost history, if something does.
  absl::optional<std::string> LossIn(const RenewalOutcome& outcome) const;
  // The database is on another timeline than the row.
  absl::StatusOr<NextStep> AdoptTimeline();
  // Rule 12. Best effort.
  void ReapDead();
  // Rule 11. Always returns kRest.
  NextStep Close(CloseReason reason, absl::string_view text);
  // Best effort: whoever waits for a row that stayed does so no longer than the
  // longest lease's length.
  absl::StatusOr<NextStep> FinishClosing();
  // Fails, and changes no more than the lease, unless the database is marked.
  absl::StatusOr<NextStep> CloseForLostHistory(absl::string_view text);

  const ReplicaOptions options_;
  ReplicaStore& store_;
  TokenIndex& index_;
  Lease& lease_;
  WatchHub& watches_;
  Barrier& barrier_;
  const BootClock& clock_;
  RandomSource& random_;
  ReplicaObserver& observer_;
  Reaper reaper_;

  State state_ = State::kStarting;
  ReplicaRow row_;
  int64_t applied_ = 0;
  // What was acknowledged at most: it never becomes false.
  int64_t acked_ = 0;
  bool told_lost_history_ = false;
  // What the database of the row's timeline has lost, once that was seen: later
  // changes there may have the numbers of those that are gone.
  absl::optional<std::string> loss_;
  // There is no lease any more, as some database had lost history.
  bool is_closed_for_loss_ = false;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_SYNC_POINTS_H_
