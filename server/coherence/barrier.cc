#include "server/coherence/barrier.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace wemasy::tokens {
namespace {

// What a new cluster begins with: no failover comes before it.
constexpr absl::string_view kFirstTimeline = "00000001";
// A caller who went away keeps others from their place no longer than that.
constexpr absl::Duration kCancelledLook = absl::Milliseconds(100);

// Who has not confirmed a change, and how long the wait for them can last yet.
std::string Unconfirmed(const Barrier::Wait& wait, absl::Duration left) {
  if (!wait.missing) return "it is not known yet which replicas have";
  std::string who =
      "the database has failed over, and may have forgotten a replica";
  if (!wait.missing->empty()) {
    const size_t confirmed =
        static_cast<size_t>(wait.receipt.acknowledged_replicas) +
        static_cast<size_t>(wait.receipt.gone_replicas);
    who = absl::StrCat(wait.missing->size(), " of ",
                       wait.missing->size() + confirmed, " replicas have not");
  }
  return absl::StrCat(who, "; the wait is over in at most ",
                      absl::FormatDuration(absl::Ceil(left, absl::Seconds(1))));
}

}  // namespace

Barrier::Barrier(ReplicaOptions options, const BootClock* clock,
                 BarrierObserver* observer)
    : options_(options), clock_(*clock), observer_(*observer) {}

void Barrier::Learn(const ReplicaRow& own, int64_t acked,
                    const Renewal& renewal) {
  MutexLock lock(&mutex_);
  SeeTimeline(own.timeline);
  view_.timeline = own.timeline;
  view_.head = renewal.head;
  view_.replicas.clear();
  for (const ListedReplica& replica : renewal.replicas) {
    view_.replicas[replica.row.id] = replica;
  }
  // The table shows this replica's row as it was before.
  view_.replicas[own.id] = {own, acked, options_.ttl};
  learned_.SignalAll();
}

absl::StatusOr<BarrierReceipt> Barrier::Await(const CommitStamp& commit,
                                              const Patience& patience) {
  const BootTime begun = clock_.Now();
  Wait wait = Begin(commit);
  const WaitEnd end = AwaitEnd(wait, patience);
  observer_.OnWaited(end, clock_.Now() - begun);
  if (end == WaitEnd::kGivenUp) {
    return absl::DeadlineExceededError(
        Unconfirmed(wait, Bound(wait) - clock_.Now()));
  }
  return wait.receipt;
}

Barrier::Wait Barrier::Begin(const CommitStamp& commit) {
  MutexLock lock(&mutex_);
  SeeTimeline(commit.timeline);
  return {commit, timeline_seen_, commit.replicas, commit.longest_ttl};
}

WaitEnd Barrier::AwaitEnd(Wait& wait, const Patience& patience) {
  MutexLock lock(&mutex_);
  while (true) {
    const BootTime now = clock_.Now();
    if (const absl::optional<WaitEnd> end = LookLocked(wait, now)) return *end;
    if (now >= patience.deadline ||
        (patience.is_cancelled && patience.is_cancelled())) {
      return WaitEnd::kGivenUp;
    }
    BootTime wake = std::min(Bound(wait), patience.deadline);
    // Only the timeline's age keeps it.
    if (wait.missing && wait.missing->empty()) {
      wake = std::min(wake, EarliestEnd(wait));
    }
    if (patience.is_cancelled) wake = std::min(wake, now + kCancelledLook);
    learned_.WaitWithTimeout(&mutex_, wake - now);
  }
}

absl::optional<WaitEnd> Barrier::Look(Wait& wait) {
  MutexLock lock(&mutex_);
  return LookLocked(wait, clock_.Now());
}

absl::optional<WaitEnd> Barrier::LookLocked(Wait& wait, BootTime now) {
  Count(view_, wait);
  if (now >= Bound(wait)) {
    wait.receipt.expired_replicas = static_cast<int>(wait.missing->size());
    return WaitEnd::kExpired;
  }
  if (!wait.missing || !wait.missing->empty() || now < EarliestEnd(wait)) {
    return absl::nullopt;
  }
  return wait.receipt.gone_replicas > 0 ? WaitEnd::kGone
                                        : WaitEnd::kAcknowledged;
}

absl::Duration Barrier::Longest(const Wait& wait) const {
  return LongestLease(std::max(options_.ttl, wait.longest_ttl));
}

BootTime Barrier::Bound(const Wait& wait) const {
  // Somebody whom this process has never heard of may hold a longer lease.
  if (!wait.missing) return BootTime::InfiniteFuture();
  return wait.commit.returned_at + Longest(wait);
}

void Barrier::Count(const View& view, Wait& wait) {
  const CommitStamp& commit = wait.commit;
  // A view from this commit or later: whoever is not in it is gone, or came
  // later, and then its first sync point brings it the change. Renewals are
  // committed, so a deposed primary cannot have given it.
  const bool is_after =
      view.timeline == commit.timeline && view.head >= commit.seq;
  if (!wait.missing) {
    // The session that committed ended before it could list the replicas, in a
    // failover maybe.
    if (!is_after && view.timeline <= commit.timeline) return;
    wait.missing.emplace();
    for (const auto& [id, replica] : view.replicas) {
      wait.missing->push_back(id);
      wait.longest_ttl = std::max(wait.longest_ttl, replica.ttl);
    }
  }
  std::vector<std::string>& missing = *wait.missing;
  const auto is_settled = [&](const std::string& id) {
    const auto found = view.replicas.find(id);
    if (found == view.replicas.end()) {
      if (is_after) ++wait.receipt.gone_replicas;
      return is_after;
    }
    // An acknowledgement of another timeline's change of that number is none
    // of this one.
    const bool acknowledged = found->second.row.timeline == commit.timeline &&
                              found->second.acked >= commit.seq;
    if (acknowledged) ++wait.receipt.acknowledged_replicas;
    return acknowledged;
  };
  missing.erase(std::remove_if(missing.begin(), missing.end(), is_settled),
                missing.end());
}

void Barrier::SeeTimeline(const std::string& timeline) {
  // A late commit of an older one makes waits longer, and no less safe. They do
  // not always rise: an upgraded cluster begins with the first again.
  if (timeline == timeline_) return;
  timeline_ = timeline;
  timeline_seen_ = clock_.Now();
}

BootTime Barrier::EarliestEnd(const Wait& wait) const {
  if (options_.synchronous_failover || wait.commit.timeline == kFirstTimeline) {
    return BootTime();
  }
  return wait.timeline_seen + Longest(wait);
}

int64_t Barrier::replicas() const {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(view_.replicas.size());
}

}  // namespace wemasy::tokens
