#include "server/coherence/reaper.h"

#include <algorithm>
#include <utility>

#include "server/coherence/replica_options.h"

namespace wemasy::tokens {
namespace {

// A look that took longer says nothing about when the row was like that.
constexpr absl::Duration kLongestLook = absl::Milliseconds(500);
// Looks come every fifth of a lease's length, if all is well.
constexpr int kGapsPerTtl = 2;

}  // namespace

Reaper::Reaper(absl::Duration own_ttl) : own_ttl_(own_ttl) {}

void Reaper::Observe(const std::string& own_id,
                     const std::vector<ListedReplica>& replicas,
                     BootTime asked_at, BootTime answered_at) {
  // Whoever could not see the rows for a while was cut off from a database that
  // others may not have reached either: they get their time to come back.
  if (answered_at - last_look_ > own_ttl_ / kGapsPerTtl) sightings_.clear();
  if (answered_at - asked_at > kLongestLook) return;
  last_look_ = answered_at;
  std::map<std::string, Sighting> seen_now;
  for (const ListedReplica& replica : replicas) {
    const ReplicaRow& row = replica.row;
    if (row.id == own_id) continue;
    const auto before = sightings_.find(row.id);
    // A failover can set renewals back: every difference is a sign of life.
    const bool is_same = before != sightings_.end() &&
                         before->second.row.renewals == row.renewals &&
                         before->second.row.timeline == row.timeline;
    const absl::Duration ttl = std::max(own_ttl_, replica.ttl);
    // Both clocks may be off: the reaper's may be fast, the holder's slow.
    const absl::Duration patience =
        LongestLease(ttl) + ttl / kClockDriftDivisor;
    seen_now[row.id] = {row,
                        is_same ? before->second.due : answered_at + patience};
  }
  sightings_ = std::move(seen_now);
}

void Reaper::Forget() { sightings_.clear(); }

std::vector<ReplicaRow> Reaper::Due(BootTime now) const {
  std::vector<ReplicaRow> due;
  for (const auto& [id, sighting] : sightings_) {
    if (now >= sighting.due) due.push_back(sighting.row);
  }
  return due;
}

}  // namespace wemasy::tokens
