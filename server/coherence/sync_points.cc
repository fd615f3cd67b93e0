#include "server/coherence/sync_points.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

SyncPoints::SyncPoints(ReplicaOptions options, ReplicaStore* store,
                       TokenIndex* index, Lease* lease, WatchHub* watches,
                       Barrier* barrier, const BootClock* clock,
                       RandomSource* random, ReplicaObserver* observer)
    : options_(options),
      store_(*store),
      index_(*index),
      lease_(*lease),
      watches_(*watches),
      barrier_(*barrier),
      clock_(*clock),
      random_(*random),
      observer_(*observer),
      reaper_(options.ttl) {}

absl::StatusOr<NextStep> SyncPoints::Step() {
  if (state_ == State::kClosing) return FinishClosing();
  absl::StatusOr<NextStep> next =
      state_ == State::kStarting ? Load() : SyncPoint();
  if (!next.ok()) observer_.OnFailure(next.status());
  return next;
}

// Rule 2: load, then register, then lease by a sync point. The load itself
// gives no lease: what it saw may be old by the time the row is there.
absl::StatusOr<NextStep> SyncPoints::Load() {
  // No lease was ever given in this state, so nobody misses what goes.
  index_.Clear();
  ASSIGN_OR_RETURN(
      const FeedHead head,
      store_.LoadSnapshot(options_.max_dead,
                          [&](absl::Span<const SharedEntry> entries) {
                            index_.PutAll(entries);
                          }));
  if (head.lost_history) {
    if (!std::exchange(told_lost_history_, true)) {
      observer_.OnNotice(absl::StrCat(
          "history was lost (", *head.lost_history,
          "); staying closed until an operator runs accept-lost-history"));
    }
    return NextStep::kRest;
  }
  row_ = {TokenId::Generate(random_).ToString(), head.timeline, 0};
  const absl::StatusOr<bool> registered =
      store_.Register(row_.id, row_.timeline, options_.ttl);
  if (!registered.ok()) {
    // The row may be there. Nobody uses its id again.
    store_.Deregister(row_.id).IgnoreError();
    return registered.status();
  }
  // Another timeline: the load may have seen what a failover lost.
  if (!*registered) return NextStep::kGoOn;
  applied_ = head.seq;
  acked_ = head.seq;
  lease_.PublishApplied(applied_);
  watches_.Open({row_.id, row_.timeline}, applied_);
  state_ = State::kRunning;
  observer_.OnLoaded(index_.size(), head.seq);
  return NextStep::kGoOn;
}

// Rules 3 and 6.
absl::StatusOr<NextStep> SyncPoints::SyncPoint() {
  acked_ = std::max(acked_, watches_.Acked(applied_));
  // Before sending: the answer is at least as new as this.
  const BootTime asked_at = clock_.Now();
  const absl::StatusOr<RenewalOutcome> renewed =
      store_.Renew(row_, acked_, applied_);
  if (absl::IsDataLoss(renewed.status())) {
    return Close(CloseReason::kUnknownOperation, renewed.status().message());
  }
  RETURN_IF_ERROR(renewed.status());
  const RenewalOutcome& outcome = *renewed;
  if (outcome.refusal == RenewalRefusal::kOtherTimeline) return AdoptTimeline();
  if (!loss_) loss_ = LossIn(outcome);
  if (loss_) return CloseForLostHistory(*loss_);
  if (!outcome.renewal) {
    return Close(CloseReason::kRowGone,
                 "the replica's row is gone from the database");
  }
  row_.renewals = outcome.renewal->renewals;
  reaper_.Observe(row_.id, outcome.renewal->replicas, asked_at, clock_.Now());
  if (is_closed_for_loss_) {
    return Close(CloseReason::kHistoryLost,
                 "a database that had lost history could not be marked, and "
                 "another one answers now");
  }
  // Who marked it knows what this replica may not: that it said VALID of what
  // was revoked.
  if (outcome.renewal->lost_history) {
    return Close(CloseReason::kHistoryLost,
                 absl::StrCat("the database is marked: ",
                              *outcome.renewal->lost_history));
  }

  barrier_.Learn(row_, acked_, *outcome.renewal);
  const int64_t applied_before = applied_;
  Apply(outcome.renewal->changes);
  const int64_t head = outcome.renewal->head;
  // A renewal whose changes are not all applied extends nothing.
  if (applied_ < head) {
    if (applied_ - applied_before == kChangesPerRenewal) return NextStep::kGoOn;
    return Close(CloseReason::kHole,
                 absl::StrCat("the change log has no change ", applied_ + 1,
                              " though its head is ", head));
  }

  if (lease_.SetDatabaseTime(asked_at, outcome.renewal->database_time,
                             clock_.Now())) {
    observer_.OnNotice(
        "the database's clock went back by more than a minute; expiry follows "
        "it");
  }
  const BootTime lease_end = asked_at + SafeTtl(options_.ttl);
  lease_.Extend(lease_end);
  observer_.OnSyncPoint(applied_, lease_end);
  ReapDead();
  if (acked_ == applied_) return NextStep::kRest;
  return watches_.Acked(applied_) > acked_ ? NextStep::kAcknowledge
                                           : NextStep::kAwaitClients;
}

// A database that was put back to an earlier state has the same timeline, and
// may have more changes by now than this replica has applied: but they are
// others, and this replica's renewals are missing.
absl::optional<std::string> SyncPoints::LossIn(
    const RenewalOutcome& outcome) const {
  if (outcome.refusal == RenewalRefusal::kHistoryLost) {
    return absl::StrCat(
        "the database has neither this replica's row nor change ", applied_,
        ", which it has applied");
  }
  if (!outcome.renewal) return absl::nullopt;
  const Renewal& renewal = *outcome.renewal;
  if (renewal.head < applied_) {
    return absl::StrCat("the database's last change is ", renewal.head,
                        ", this replica has ", applied_);
  }
  if (renewal.renewals <= row_.renewals) {
    return absl::StrCat("the database counts ", renewal.renewals,
                        " renewals of a replica that made more than ",
                        row_.renewals);
  }
  return absl::nullopt;
}

void SyncPoints::ReapDead() {
  for (const ReplicaRow& row : reaper_.Due(clock_.Now())) {
    const absl::StatusOr<bool> reaped = store_.Reap(row);
    if (!reaped.ok()) {
      observer_.OnFailure(reaped.status());
      return;
    }
    if (*reaped) observer_.OnReaped(row.id);
  }
}

void SyncPoints::Apply(const std::vector<Change>& changes) {
  if (changes.empty()) return;
  for (const Change& change : changes) {
    if (change.seq != applied_ + 1) break;
    if (change.operation == ChangeOperation::kPut) index_.Put(change.entry);
    watches_.Queue(change);
    applied_ = change.seq;
  }
  lease_.PublishApplied(applied_);
  watches_.Deliver();
}

// Rule 11: adopt before any other write there. Nothing applied is lost if the
// row has all its renewals, as each followed what it acknowledged.
absl::StatusOr<NextStep> SyncPoints::AdoptTimeline() {
  ASSIGN_OR_RETURN(AdoptionOutcome adoption, store_.AdoptTimeline(row_));
  if (adoption.refusal == AdoptionRefusal::kReaped) {
    if (loss_) return CloseForLostHistory(*loss_);
    return Close(CloseReason::kRowGone,
                 "the replica's row was taken away while it was cut off");
  }
  if (!adoption.row) {
    return CloseForLostHistory(
        absl::StrCat("the database's new timeline lacks renewal ",
                     row_.renewals, " of timeline ", row_.timeline, "; change ",
                     applied_, " and others before it may be missing"));
  }
  observer_.OnNotice(absl::StrCat("adopted the database's new timeline ",
                                  adoption.row->timeline, " without a gap"));
  row_ = *std::move(adoption.row);
  watches_.SetTimeline(row_.timeline);
  reaper_.Forget();
  return NextStep::kGoOn;
}

absl::StatusOr<NextStep> SyncPoints::CloseForLostHistory(
    absl::string_view text) {
  // The lease ends first; the mark can wait. Without it the next process would
  // take what is left for all there ever was, so that this one stays, and looks
  // again: what answers then may be another database.
  lease_.Close();
  is_closed_for_loss_ = true;
  RETURN_IF_ERROR(store_.MarkHistoryLost(std::string(text)));
  return Close(CloseReason::kHistoryLost, text);
}

NextStep SyncPoints::Close(CloseReason reason, absl::string_view text) {
  lease_.Close();
  watches_.Close();
  state_ = State::kClosing;
  observer_.OnClosed(reason, text);
  return NextStep::kRest;
}

absl::StatusOr<NextStep> SyncPoints::FinishClosing() {
  if (clock_.Now() < watches_.GrantsEnd()) return NextStep::kRest;
  const absl::Status deleted = store_.Deregister(row_.id);
  if (!deleted.ok()) observer_.OnFailure(deleted);
  state_ = State::kClosed;
  return NextStep::kRest;
}

BootTime SyncPoints::NextExpiry() const {
  return state_ == State::kClosing ? watches_.GrantsEnd()
                                   : watches_.NextExpiry();
}

void SyncPoints::Stop() {
  if (state_ == State::kRunning) {
    Close(CloseReason::kStopped, "stopped");
  } else if (state_ == State::kStarting) {
    lease_.Close();
    watches_.Close();
    state_ = State::kClosed;
  }
}

}  // namespace wemasy::tokens
