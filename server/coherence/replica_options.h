// How a replica runs, and the bounds that follow from it.
#ifndef WEMASY_SERVER_COHERENCE_REPLICA_OPTIONS_H_
#define WEMASY_SERVER_COHERENCE_REPLICA_OPTIONS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "server/validate/lease.h"

namespace wemasy::tokens {

struct ReplicaOptions {
  // The longest that this replica may answer without having heard from the
  // database. Whoever waits for it knows it from its row.
  absl::Duration ttl = absl::Seconds(30);
  // How many dead secrets to load at most.
  int64_t max_dead = 100'000;
  // Whether the operator declares that no failover loses what was committed.
  // Otherwise a new timeline may lack the row of a replica that is alive.
  bool synchronous_failover = false;
};

// The scheduling of whoever waits for a lease to end.
inline constexpr absl::Duration kTimerSlack = absl::Milliseconds(100);

// A lease's length by its holder's clock, which may run slow.
inline absl::Duration SafeTtl(absl::Duration ttl) {
  return ttl - ttl / kClockDriftDivisor;
}

// How long to wait, by a clock that may run fast, until every lease that was
// asked for before the waiting began has ended.
inline absl::Duration LongestLease(absl::Duration ttl) {
  return ttl + ttl / kClockDriftDivisor + kTimerSlack;
}

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_REPLICA_OPTIONS_H_
