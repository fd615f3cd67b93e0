// What a replica needs of the database to stay current: docs/coherence.md has
// the protocol, whose safety rests on what is promised here.
#ifndef WEMASY_SERVER_COHERENCE_REPLICA_STORE_H_
#define WEMASY_SERVER_COHERENCE_REPLICA_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/token/change.h"

namespace wemasy::tokens {

// The state of the database as one snapshot shows it.
struct FeedHead {
  // The number of the last change that the snapshot contains.
  int64_t seq = 0;
  // PostgreSQL's timeline, eight hexadecimal digits.
  std::string timeline;
  // Set if history was lost and no operator has accepted that yet: what is
  // known of it.
  absl::optional<std::string> lost_history;
};

// What a replica's row in the database says.
struct ReplicaRow {
  // Random, drawn anew for every index load: the replica's incarnation.
  std::string id;
  std::string timeline;
  // The renewals that are known to be committed.
  int64_t renewals = 0;
};

// What another reader of the table sees of a replica.
struct ListedReplica {
  ReplicaRow row;
  // The last change that it and its clients have applied: it only rises.
  int64_t acked = 0;
  // How long its leases may last. Zero if it is of a release that did not say:
  // then as long as the reader's own.
  absl::Duration ttl = absl::ZeroDuration();
};

// How many changes a renewal brings at most.
inline constexpr int kChangesPerRenewal = 1000;

// The answer to a committed renewal.
struct Renewal {
  // The head when the renewal was made: every change up to it is committed.
  int64_t head = 0;
  // clock_timestamp() of the renewal.
  absl::Time database_time;
  int64_t renewals = 0;
  // As FeedHead has it.
  absl::optional<std::string> lost_history;
  // The changes after the one that was named, up to the head, in order; the
  // first kChangesPerRenewal of them.
  std::vector<Change> changes;
  // All replicas, in the snapshot that the head is from: the renewed row as it
  // was before. Who is not in here was gone before the renewal was made.
  std::vector<ListedReplica> replicas;
};

// What became of a renewal.
enum class RenewalRefusal {
  // The row is not there any more.
  kRowGone,
  // Nor is the last change that was named: history was lost.
  kHistoryLost,
  // The database is on another timeline than the row.
  kOtherTimeline,
};

// Either a renewal, or why there was none. `renewal` is set or `refusal` is.
struct RenewalOutcome {
  absl::optional<Renewal> renewal;
  absl::optional<RenewalRefusal> refusal;
};

// Why a row was not moved to another timeline.
enum class AdoptionRefusal {
  // Another replica took the row away, with all its renewals: no history was
  // lost.
  kReaped,
  // The row is not there or lacks renewals: history was lost.
  kHistoryLost,
};

// Either the row as it is now, or why it was not moved. `row` is set or
// `refusal` is.
struct AdoptionOutcome {
  absl::optional<ReplicaRow> row;
  absl::optional<AdoptionRefusal> refusal;
};

// Access to the replicas' rows and the change log. Each method is one short
// exchange on a connection that only this object uses; a connection that
// failed is replaced on the next call. A status that is not OK means that the
// outcome is unknown, a commit included: any notice during a commit counts as
// a failure.
//
// Not thread-safe: one thread at a time.
class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  // Takes entries of a load, some at a time, which it must not refer to later.
  using EntrySink = absl::FunctionRef<void(absl::Span<const SharedEntry>)>;

  // Gives `sink` the live secrets of all tokens, those that expired in the last
  // 30 days, and those revoked or replaced ones that died last, at most
  // `max_dead`, each of them once, all in one REPEATABLE READ snapshot; returns
  // that snapshot's head. Several threads may call `sink` at
  // a time, none of them after the return. If history was lost, gives nothing.
  // Returns FailedPrecondition if the database is not fit.
  virtual absl::StatusOr<FeedHead> LoadSnapshot(int64_t max_dead,
                                                EntrySink sink) = 0;

  // Inserts the replica's row, committed, with how long its leases may last.
  // Returns false, having written nothing, if the database is not on `timeline`
  // now.
  virtual absl::StatusOr<bool> Register(const std::string& id,
                                        const std::string& timeline,
                                        absl::Duration ttl) = 0;

  // Renews the row, committed, raises its acknowledged number to `acked`, and
  // brings the changes after `applied`. Returns DataLoss if one of those is of
  // an operation that this binary does not know, or cannot be read: the replica
  // must fail closed.
  virtual absl::StatusOr<RenewalOutcome> Renew(const ReplicaRow& row,
                                               int64_t acked,
                                               int64_t applied) = 0;

  // Moves the row to the database's present timeline, committed, if the row
  // has kept at least the renewals known to be committed, which proves that
  // no history before them was lost. Moved is also a row that an earlier call,
  // whose answer was lost, had moved already.
  virtual absl::StatusOr<AdoptionOutcome> AdoptTimeline(
      const ReplicaRow& row) = 0;

  // Marks, committed, that history was lost, so that every replica stays
  // closed until an operator accepts the loss. Keeps the first mark.
  virtual absl::Status MarkHistoryLost(const std::string& what) = 0;

  // Deletes the row; fine if it is gone already.
  virtual absl::Status Deregister(const std::string& id) = 0;

  // Deletes another replica's row, committed, if it is as `row` says: it has
  // not renewed since. Returns whether it was. That it was reaped, with these
  // renewals, is remembered.
  virtual absl::StatusOr<bool> Reap(const ReplicaRow& row) = 0;
};

// Hears of changes. Only speeds things up: what it misses, the next sync point
// finds. Used by one thread.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;

  // Returns true once a notification has come since the last call, or after
  // every new connection (as some may have been missed), and false after
  // `timeout`. Returns Unavailable if there is no connection now.
  virtual absl::StatusOr<bool> Wait(absl::Duration timeout) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_REPLICA_STORE_H_
