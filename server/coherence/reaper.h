// Finds the rows that dead replicas left behind: rule 12 of docs/coherence.md.
#ifndef WEMASY_SERVER_COHERENCE_REAPER_H_
#define WEMASY_SERVER_COHERENCE_REAPER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "server/coherence/replica_store.h"

namespace wemasy::tokens {

// Watches how the rows of other replicas are renewed. A row that stays as it
// is for longer than a lease belongs to a replica that holds none, and would
// make every Revoke wait for it. A pure state machine.
//
// Not thread-safe.
class Reaper {
 public:
  // `own_ttl` is that of the replica that reaps.
  explicit Reaper(absl::Duration own_ttl);

  // Takes the table of replicas, asked for at `asked_at` and known at
  // `answered_at`.
  void Observe(const std::string& own_id,
               const std::vector<ListedReplica>& replicas, BootTime asked_at,
               BootTime answered_at);

  // Starts again: on another timeline of the database a row may be as it was
  // seen although it was renewed in between, as a failover loses renewals.
  void Forget();

  // The rows that may go now, if the database still has them as they were
  // seen: compare, and delete.
  std::vector<ReplicaRow> Due(BootTime now) const;

 private:
  struct Sighting {
    ReplicaRow row;
    // When all its leases must have ended: they were asked for before it was
    // known that the row is like that.
    BootTime due;
  };

  const absl::Duration own_ttl_;
  BootTime last_look_;
  std::map<std::string, Sighting> sightings_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_REAPER_H_
