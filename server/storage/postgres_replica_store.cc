#include "server/storage/postgres_replica_store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/record_rows.h"
#include "server/storage/snapshot_loader.h"
#include "server/storage/watchdog.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// The newest operation that this binary can read.
constexpr int kMaxOperation = static_cast<int>(ChangeOperation::kPut);

// The columns of the replica table, each as one array.
absl::StatusOr<std::vector<ListedReplica>> ReadReplicas(FieldReader& row) {
  std::vector<ListedReplica> replicas;
  if (row.NextIsNull()) {
    for (int i = 0; i < 5; ++i) row.Skip();
    return replicas;
  }
  const std::vector<std::string> ids = row.Array();
  const std::vector<std::string> renewals = row.Array();
  const std::vector<std::string> acked = row.Array();
  const std::vector<std::string> timelines = row.Array();
  const std::vector<std::string> ttls = row.Array();
  bool well_formed =
      renewals.size() == ids.size() && acked.size() == ids.size() &&
      timelines.size() == ids.size() && ttls.size() == ids.size();
  for (size_t i = 0; well_formed && i < ids.size(); ++i) {
    ListedReplica replica;
    replica.row.id = ids[i];
    replica.row.timeline = timelines[i];
    int64_t ttl_ms = 0;
    well_formed = absl::SimpleAtoi(renewals[i], &replica.row.renewals) &&
                  absl::SimpleAtoi(acked[i], &replica.acked) &&
                  absl::SimpleAtoi(ttls[i], &ttl_ms);
    replica.ttl = absl::Milliseconds(ttl_ms);
    replicas.push_back(std::move(replica));
  }
  if (well_formed) return replicas;
  return MakeError(ErrorReason::kInternal, "the replica table is malformed");
}

// The columns of a renewal that come before those of a change.
constexpr int kOutcomeColumns = 11;

absl::StatusOr<RenewalOutcome> ReadOutcome(FieldReader row, int64_t applied) {
  RenewalOutcome outcome;
  const bool renewed = !row.NextIsNull();
  Renewal renewal;
  if (renewed) {
    renewal.renewals = row.Int();
    renewal.database_time = row.Time();
  } else {
    row.Skip();
    row.Skip();
  }
  renewal.head = row.Int();
  renewal.lost_history = row.OptionalText();
  const bool same_timeline = row.Bool();
  const bool row_moved = row.Bool();
  ASSIGN_OR_RETURN(renewal.replicas, ReadReplicas(row));
  RETURN_IF_ERROR(row.status());
  if (renewed) {
    outcome.renewal = std::move(renewal);
  } else if (!same_timeline || row_moved) {
    outcome.refusal = RenewalRefusal::kOtherTimeline;
  } else {
    outcome.refusal = renewal.head < applied ? RenewalRefusal::kHistoryLost
                                             : RenewalRefusal::kRowGone;
  }
  return outcome;
}

absl::StatusOr<Change> ReadChange(FieldReader row) {
  Change change;
  change.seq = row.Int();
  const int64_t operation = row.Int();
  change.operation = static_cast<ChangeOperation>(operation);
  switch (change.operation) {
    case ChangeOperation::kNoop:
      return change;
    case ChangeOperation::kPut:
      change.entry = ReadEntry(row);
      if (row.status().ok()) return change;
      return absl::DataLossError(
          absl::StrCat("change ", change.seq, " is malformed"));
  }
  return absl::DataLossError(absl::StrCat("change ", change.seq,
                                          " has operation ", operation,
                                          ", want 1..", kMaxOperation));
}

}  // namespace

PostgresReplicaStore::PostgresReplicaStore(const PostgresOptions* options,
                                           const BootClock* clock)
    : options_(*options),
      clock_(*clock),
      watchdog_(std::make_unique<Watchdog>(clock)) {}

PostgresReplicaStore::~PostgresReplicaStore() = default;

absl::StatusOr<std::unique_ptr<PostgresConnection>>
PostgresReplicaStore::Open() {
  auto opened = PostgresConnection::Open(options_, watchdog_.get(),
                                         PostgresConnection::Purpose::kService);
  if (opened.ok()) return opened;
  if (options_.log) {
    options_.log(StorageSeverity::kError,
                 absl::StrCat("cannot connect to the database: ",
                              opened.status().message()));
  }
  // Which waiting does not change.
  if (absl::IsFailedPrecondition(opened.status())) return opened.status();
  return PublicStatus(FailureKind::kUnavailable);
}

absl::StatusOr<PostgresConnection*> PostgresReplicaStore::Connection(
    absl::Duration timeout) {
  if (!connection_ || !connection_->usable()) {
    connection_.reset();
    ASSIGN_OR_RETURN(connection_, Open());
  }
  connection_->ClearFailure();
  connection_->SetDeadline(clock_.Now() + timeout);
  return connection_.get();
}

absl::StatusOr<Rows> PostgresReplicaStore::ExecuteCommitted(
    const Statement& statement, const Params& params) {
  ASSIGN_OR_RETURN(PostgresConnection* const connection,
                   Connection(options_.exchange_timeout));
  absl::StatusOr<Rows> rows = connection->ExecuteCommitted(statement, params);
  connection->ClearDeadline();
  return rows;
}

absl::StatusOr<FeedHead> PostgresReplicaStore::LoadSnapshot(int64_t max_dead,
                                                            EntrySink sink) {
  ASSIGN_OR_RETURN(const std::unique_ptr<PostgresConnection> second, Open());
  second->SetDeadline(clock_.Now() + options_.load_timeout);
  ASSIGN_OR_RETURN(PostgresConnection* const first,
                   Connection(options_.load_timeout));
  absl::StatusOr<FeedHead> head =
      LoadIndexSnapshot(*first, *second, max_dead, clock_, options_.log, sink);
  // Not at the next call: a load may be silent in its transaction for long.
  if (!head.ok()) first->Rollback();
  first->ClearDeadline();
  return head;
}

absl::StatusOr<bool> PostgresReplicaStore::Register(const std::string& id,
                                                    const std::string& timeline,
                                                    absl::Duration ttl) {
  const int64_t ttl_ms =
      absl::ToInt64Milliseconds(absl::Ceil(ttl, absl::Milliseconds(1)));
  ASSIGN_OR_RETURN(
      const Rows rows,
      ExecuteCommitted(
          sql::kRegisterReplica,
          Params().Text(id).Text(timeline).Int(kMaxOperation).Int(ttl_ms)));
  return rows.affected() == 1;
}

absl::StatusOr<RenewalOutcome> PostgresReplicaStore::Renew(
    const ReplicaRow& row, int64_t acked, int64_t applied) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      ExecuteCommitted(sql::kRenewReplica, Params()
                                               .Text(row.id)
                                               .Text(row.timeline)
                                               .Int(acked)
                                               .Int(applied)
                                               .Int(kChangesPerRenewal)));
  if (rows.empty()) {
    return MakeError(ErrorReason::kInternal, "the change head is missing");
  }
  FieldReader first = rows.Row(0);
  ASSIGN_OR_RETURN(RenewalOutcome outcome,
                   ReadOutcome(first.Part(kOutcomeColumns), applied));
  if (!outcome.renewal || first.NextIsNull()) return outcome;
  std::vector<Change>& changes = outcome.renewal->changes;
  changes.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader fields = rows.Row(i);
    fields.Part(kOutcomeColumns);
    ASSIGN_OR_RETURN(Change change, ReadChange(fields));
    changes.push_back(std::move(change));
  }
  return outcome;
}

absl::StatusOr<AdoptionOutcome> PostgresReplicaStore::AdoptTimeline(
    const ReplicaRow& row) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      ExecuteCommitted(
          sql::kAdoptTimeline,
          Params().Text(row.id).Text(row.timeline).Int(row.renewals)));
  AdoptionOutcome outcome;
  if (rows.empty()) {
    outcome.refusal = AdoptionRefusal::kHistoryLost;
    return outcome;
  }
  FieldReader fields = rows.Row(0);
  ReplicaRow adopted;
  adopted.id = row.id;
  adopted.timeline = std::string(fields.Text());
  adopted.renewals = fields.Int();
  const bool was_reaped = fields.Bool();
  RETURN_IF_ERROR(fields.status());
  if (was_reaped) {
    outcome.refusal = AdoptionRefusal::kReaped;
  } else {
    outcome.row = std::move(adopted);
  }
  return outcome;
}

absl::Status PostgresReplicaStore::MarkHistoryLost(const std::string& what) {
  return ExecuteCommitted(sql::kMarkHistoryLost, Params().Text(what)).status();
}

absl::Status PostgresReplicaStore::Deregister(const std::string& id) {
  return ExecuteCommitted(sql::kDeleteReplica, Params().Text(id)).status();
}

absl::StatusOr<bool> PostgresReplicaStore::Reap(const ReplicaRow& row) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      ExecuteCommitted(
          sql::kReapReplica,
          Params().Text(row.id).Text(row.timeline).Int(row.renewals)));
  return rows.affected() == 1;
}

}  // namespace wemasy::tokens
