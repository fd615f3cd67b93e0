#include "server/storage/snapshot_loader.h"

#include <string>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "server/storage/failure.h"
#include "server/storage/record_rows.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// The limits that keep other sessions short would end a load of millions, and
// one that a busy machine holds up: no change waits for it. The table shall not
// be written anew between the two halves (VACUUM FULL), as rows would move.
constexpr char kPrepareLoad[] =
    "SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = '60s';"
    " LOCK TABLE index_entries IN ACCESS SHARE MODE";

absl::StatusOr<FeedHead> ReadHead(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Execute(sql::kReadHead));
  if (rows.empty()) {
    return MakeError(ErrorReason::kInternal, "the change head is missing");
  }
  FieldReader row = rows.Row(0);
  FeedHead head;
  head.seq = row.Int();
  head.timeline = std::string(row.Text());
  head.lost_history = row.OptionalText();
  RETURN_IF_ERROR(row.status());
  return head;
}

// What a second connection has to know to read the other half.
struct Handover {
  std::string snapshot;
  // The first page of its half.
  int64_t page = 0;
};

absl::StatusOr<Handover> ExportSnapshot(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Execute(sql::kExportSnapshot));
  FieldReader row = rows.Row(0);
  Handover handover;
  handover.snapshot = std::string(row.Text());
  handover.page = row.Int();
  RETURN_IF_ERROR(row.status());
  return handover;
}

// Begins a transaction that sees what the one that exported `snapshot` sees.
absl::Status JoinSnapshot(PostgresConnection& connection,
                          const std::string& snapshot, const FeedHead& head) {
  RETURN_IF_ERROR(
      connection.Begin(PostgresConnection::Isolation::kReadOnlySnapshot));
  // Before any query. The name is of hexadecimal digits and hyphens.
  RETURN_IF_ERROR(connection.ExecuteScript(
      "join_snapshot",
      absl::StrCat("SET TRANSACTION SNAPSHOT '", snapshot, "'")));
  RETURN_IF_ERROR(connection.ExecuteScript("prepare_load", kPrepareLoad));
  // Another server, one that was deposed say, may have a snapshot of that name.
  ASSIGN_OR_RETURN(const FeedHead same, ReadHead(connection));
  if (same.seq == head.seq && same.timeline == head.timeline) {
    return absl::OkStatus();
  }
  return MakeError(ErrorReason::kDatabaseUnavailable,
                   "the connections of a load are not to the same server");
}

// Gives rows to the index, and says how many it has.
class Loader {
 public:
  Loader(const BootClock& clock, const StorageLog& log,
         ReplicaStore::EntrySink sink)
      : clock_(clock), log_(log), sink_(sink), told_(clock.Now()) {}

  absl::Status LoadFirstHalf(PostgresConnection& connection, int64_t page,
                             int64_t max_dead) {
    RETURN_IF_ERROR(
        Load(connection, "load_live",
             absl::StrCat(sql::kLoadLiveEntries, "< '(", page, ",0)'")));
    if (max_dead > 0) {
      RETURN_IF_ERROR(Load(connection, "load_dead",
                           absl::StrCat(sql::kLoadDeadEntries, max_dead)));
    }
    End(connection);
    return absl::OkStatus();
  }

  absl::Status LoadSecondHalf(PostgresConnection& connection, int64_t page) {
    RETURN_IF_ERROR(
        Load(connection, "load_live",
             absl::StrCat(sql::kLoadLiveEntries, ">= '(", page, ",0)'")));
    End(connection);
    return absl::OkStatus();
  }

 private:
  static constexpr absl::Duration kProgressInterval = absl::Seconds(5);

  // Each half for itself: the other one may take longer. There is nothing to
  // commit, and so nothing that a connection lost here could leave in doubt.
  static void End(PostgresConnection& connection) { connection.Rollback(); }

  absl::Status Load(PostgresConnection& connection, absl::string_view name,
                    absl::string_view query) {
    EntryReader reader;
    absl::Status malformed;
    RETURN_IF_ERROR(connection.FetchBinary(name, query, [&](const Rows& rows) {
      if (!malformed.ok()) return;
      const auto entries = reader.Read(rows);
      malformed = entries.status();
      if (!malformed.ok()) return;
      sink_(*entries);
      Count(static_cast<int64_t>(entries->size()));
    }));
    return malformed;
  }

  void Count(int64_t rows) {
    MutexLock lock(&mutex_);
    rows_ += rows;
    if (!log_ || clock_.Now() - told_ < kProgressInterval) return;
    told_ = clock_.Now();
    log_(StorageSeverity::kInfo,
         absl::StrCat("loading the index: ", rows_, " entries so far"));
  }

  const BootClock& clock_;
  const StorageLog& log_;
  const ReplicaStore::EntrySink sink_;
  Mutex mutex_;
  BootTime told_ ABSL_GUARDED_BY(mutex_);
  int64_t rows_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<FeedHead> LoadIndexSnapshot(PostgresConnection& first,
                                           PostgresConnection& second,
                                           int64_t max_dead,
                                           const BootClock& clock,
                                           const StorageLog& log,
                                           ReplicaStore::EntrySink sink) {
  RETURN_IF_ERROR(
      first.Begin(PostgresConnection::Isolation::kReadOnlySnapshot));
  RETURN_IF_ERROR(first.ExecuteScript("prepare_load", kPrepareLoad));
  ASSIGN_OR_RETURN(FeedHead head, ReadHead(first));
  if (head.lost_history) {
    // Nobody may use what would be loaded.
    first.Rollback();
    return head;
  }
  ASSIGN_OR_RETURN(const Handover handover, ExportSnapshot(first));
  RETURN_IF_ERROR(JoinSnapshot(second, handover.snapshot, head));

  Loader loader(clock, log, sink);
  absl::Status first_half;
  absl::Status second_half;
  // The system may have no thread left.
  const absl::optional<Failure> failure = Try([&] {
    std::thread thread(
        [&] { second_half = loader.LoadSecondHalf(second, handover.page); });
    const auto join = absl::MakeCleanup([&thread] { thread.join(); });
    first_half = loader.LoadFirstHalf(first, handover.page, max_dead);
  });
  if (failure) return PublicStatus(failure->kind);
  RETURN_IF_ERROR(first_half);
  RETURN_IF_ERROR(second_half);
  return head;
}

}  // namespace wemasy::tokens
