#include "server/replica_watch.h"

#include <algorithm>

#include "absl/status/status.h"

namespace wemasy::tokens {
namespace {

absl::string_view ReasonText(CloseReason reason) {
  switch (reason) {
    case CloseReason::kStopped:
      return "stopped";
    case CloseReason::kRowGone:
      return "row gone";
    case CloseReason::kHole:
      return "hole in the change log";
    case CloseReason::kUnknownOperation:
      return "unknown operation";
    case CloseReason::kHistoryLost:
      return "history lost";
  }
  return "unknown";
}

absl::string_view EndLabel(WaitEnd end) {
  switch (end) {
    case WaitEnd::kAcknowledged:
      return "acknowledged";
    case WaitEnd::kGone:
      return "gone";
    case WaitEnd::kExpired:
      return "expired";
    case WaitEnd::kGivenUp:
      return "given_up";
  }
  return "unknown";
}

}  // namespace

void ReplicaWatch::OnLoaded(int64_t entries, int64_t head) {
  is_loaded_ = true;
  logger_.Info("index loaded", {{"entries", entries}, {"seq", head}});
}

void ReplicaWatch::OnSyncPoint(int64_t applied, BootTime lease_end) {
  last_sync_nanos_ = clock_.Now().nanos();
  sync_points_.fetch_add(1, std::memory_order_relaxed);
  if (failed_last_.exchange(false)) {
    logger_.Info("sync points succeed", {{"seq", applied}});
  }
  logger_.Debug("sync point",
                {{"seq", applied}, {"lease_left_s", lease_end - clock_.Now()}});
}

void ReplicaWatch::OnFailure(const absl::Status& status) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  failed_last_ = true;
  logger_.Warning("step of the replica failed; it will be tried again",
                  {{"error", status.ToString()}});
  // Not fit is not the same as away: waiting does not help. Once loaded it
  // does, as the database that was fit may be back after a failover.
  if (!is_loaded_ && absl::IsFailedPrecondition(status)) {
    stop_.Request(ExitCode::kDatabaseRefused);
  }
}

void ReplicaWatch::OnNotice(absl::string_view text) {
  logger_.Warning("replica", {{"notice", text}});
}

void ReplicaWatch::OnReaped(absl::string_view id) {
  reaped_.fetch_add(1, std::memory_order_relaxed);
  logger_.Warning("took away the row of a replica that has not renewed it",
                  {{"replica", id}});
}

void ReplicaWatch::OnWaited(WaitEnd end, absl::Duration waited) {
  waits_.Observe(EndLabel(end), waited);
}

void ReplicaWatch::OnClosed(CloseReason reason, absl::string_view text) {
  if (reason == CloseReason::kStopped) {
    logger_.Info("replica closed");
    return;
  }
  failed_last_ = true;
  logger_.Error("replica failed closed; the process ends",
                {{"reason", ReasonText(reason)}, {"detail", text}});
  stop_.Request(reason == CloseReason::kHistoryLost ? ExitCode::kLostHistory
                                                    : ExitCode::kFailedClosed);
}

bool ReplicaWatch::reaches_database() const {
  return !failed_last_ && SinceSyncPoint() < sync_patience_;
}

absl::Duration ReplicaWatch::SinceSyncPoint() const {
  const int64_t last = last_sync_nanos_;
  if (last == 0) return absl::InfiniteDuration();
  return clock_.Now() - BootTime::FromNanos(last);
}

void ReplicaWatch::AddMetrics(const Lease& lease, const Barrier& barrier,
                              SampledMetrics& metrics) const {
  metrics.AddGauge(
      "tokend_lease_remaining_seconds",
      "How long this replica may still answer; 0 if it may not.",
      [this, &lease] {
        return std::max(
            0.0, absl::ToDoubleSeconds(lease.Capture().end - clock_.Now()));
      });
  metrics.AddGauge(
      "tokend_feed_applied_seq", "Last change of the log in the index.",
      [&lease] { return static_cast<double>(lease.Capture().applied); });
  metrics.AddGauge("tokend_feed_lag_seconds",
                   "Time since this replica was last known to be current.",
                   [this] { return absl::ToDoubleSeconds(SinceSyncPoint()); });
  metrics.AddCounter("tokend_sync_points_total", "Sync points, by result.",
                     [this] { return static_cast<double>(sync_points_); },
                     {{"result", "ok"}});
  metrics.AddCounter("tokend_sync_points_total", "Sync points, by result.",
                     [this] { return static_cast<double>(failures_); },
                     {{"result", "failed"}});
  metrics.AddGauge(
      "tokend_replicas", "Replicas that a change has to reach.",
      [&barrier] { return static_cast<double>(barrier.replicas()); });
  metrics.AddCounter("tokend_replicas_reaped_total",
                     "Rows of dead replicas that this one took away.",
                     [this] { return static_cast<double>(reaped_); });
  metrics.AddGauge("tokend_database_reached",
                   "1 if the last step reached the database, otherwise 0.",
                   [this] { return reaches_database() ? 1.0 : 0.0; });
}

}  // namespace wemasy::tokens
