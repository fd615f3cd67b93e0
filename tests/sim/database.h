// The database that all replicas of a schedule share, and each one's way to it.
#ifndef WEMASY_TESTS_SIM_DATABASE_H_
#define WEMASY_TESTS_SIM_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/coherence/replica_store.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

// What a server holds that leads, or led.
struct DatabaseState {
  std::string timeline;
  // The log begins after `first`.
  int64_t first = 0;
  std::vector<Change> log;
  std::vector<IndexEntry> entries;
  std::map<std::string, ListedReplica> rows;
  // The renewals of rows that were reaped.
  std::map<std::string, int64_t> reaped;
  absl::optional<std::string> lost_history;

  int64_t head() const { return first + static_cast<int64_t>(log.size()); }
};

// A cluster. Statements act at one moment, as committed, unless said otherwise.
class Database {
 public:
  explicit Database(const World* world);

  DatabaseState& leader() { return leader_; }
  // Who led before: still answers those who only read.
  const DatabaseState& deposed() const { return deposed_; }
  // Which leader it is; every failover makes another.
  int epoch() const { return epoch_; }
  bool is_reachable() const { return world_.now() >= away_until_; }
  void GoAway(Nanos until) { away_until_ = until; }
  absl::Time Clock() const;

  // Appends changes in one transaction, and brings the entries up to date. A
  // change that has no entry is a kNoop. Returns the last one's number.
  int64_t Commit(const std::vector<absl::optional<IndexEntry>>& changes);

  // From now on the standby gets nothing.
  void StallStandby() { standby_ = leader_; }
  // Whether a standby that lagged has ever taken over.
  bool has_lost() const { return has_lost_; }
  bool is_standby_stalled() const { return standby_.has_value(); }
  void CatchUpStandby() { standby_.reset(); }
  // Whether the standby lacks the row of a replica with leases longer than
  // `ttl`.
  bool StandbyLacksLongerLeaseThan(absl::Duration ttl) const;
  // The standby takes over, on a new timeline: with all that was committed,
  // unless it was stalled.
  void FailOver();

  // One statement each.
  bool Register(const std::string& id, const std::string& timeline,
                absl::Duration ttl);
  // Changes the row; the rest of the answer is of the snapshot `seen`.
  RenewalOutcome Renew(const ReplicaRow& row, int64_t acked, int64_t applied,
                       const DatabaseState& seen);
  AdoptionOutcome AdoptTimeline(const ReplicaRow& row);
  bool Reap(const ReplicaRow& row);

 private:
  const World& world_;
  DatabaseState leader_;
  DatabaseState deposed_;
  absl::optional<DatabaseState> standby_;
  int epoch_ = 0;
  bool has_lost_ = false;
  Nanos away_until_ = 0;
};

// One process's connection. Calls take time, in which others act; requests and
// replies are lost, and a statement may act after its sender has given up.
class StoreFront final : public ReplicaStore {
 public:
  StoreFront(World* world, Database* database, Tally* tally,
             std::shared_ptr<Life> life)
      : world_(*world),
        database_(*database),
        tally_(*tally),
        life_(std::move(life)) {}

  // Nothing reaches the database from here, until then.
  void CutOff(Nanos until) { cut_off_until_ = until; }

  absl::StatusOr<FeedHead> LoadSnapshot(int64_t max_dead,
                                        EntrySink sink) override;
  absl::StatusOr<bool> Register(const std::string& id,
                                const std::string& timeline,
                                absl::Duration ttl) override;
  absl::StatusOr<RenewalOutcome> Renew(const ReplicaRow& row, int64_t acked,
                                       int64_t applied) override;
  absl::StatusOr<AdoptionOutcome> AdoptTimeline(const ReplicaRow& row) override;
  absl::Status MarkHistoryLost(const std::string& what) override;
  absl::Status Deregister(const std::string& id) override;
  absl::StatusOr<bool> Reap(const ReplicaRow& row) override;

 private:
  bool Reaches() const {
    return world_.now() >= cut_off_until_ && database_.is_reachable();
  }
  // Sends something: returns OK where it has arrived.
  absl::Status Send(const char* what);
  // What a reader sees who has arrived, nothing if that is over.
  const DatabaseState* Readable() const;
  // The exchange has failed; the connection is gone.
  absl::Status Fail(const char* what, const char* why);
  // Has `statement` done by the leader, or not, or later.
  template <typename T>
  absl::StatusOr<T> Write(const char* what, std::function<T()> statement);

  World& world_;
  Database& database_;
  Tally& tally_;
  const std::shared_ptr<Life> life_;
  // The leader of the connection; negative without one.
  int epoch_ = -1;
  Nanos cut_off_until_ = 0;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_DATABASE_H_
