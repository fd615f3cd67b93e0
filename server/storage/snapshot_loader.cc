#include "server/storage/snapshot_loader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/record_rows.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// The limits that keep other sessions short would end a load of millions. A
// join of whole tables is best hashed in memory, within reason.
constexpr char kLiftLimits[] =
    "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'";

absl::StatusOr<FeedHead> ReadHead(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Execute(sql::kReadHead));
  if (rows.empty()) {
    return MakeError(ErrorReason::kInternal, "the change head is missing");
  }
  FieldReader row = rows.Row(0);
  FeedHead head;
  head.seq = row.Int();
  head.timeline = std::string(row.Text());
  if (row.NextIsNull()) {
    row.Skip();
  } else {
    head.lost_history = std::string(row.Text());
  }
  RETURN_IF_ERROR(row.status());
  return head;
}

absl::Status CopyEntries(PostgresConnection& connection, absl::string_view name,
                         absl::string_view query,
                         absl::FunctionRef<void(IndexEntry)> sink) {
  std::vector<Field> fields;
  EntryCache cache;
  absl::Status malformed;
  RETURN_IF_ERROR(connection.CopyOut(name, query, [&](std::string& line) {
    // What is left of the copy has to be read in any case.
    if (!malformed.ok()) return;
    SplitCopyLine(line, fields);
    FieldReader row(fields);
    IndexEntry entry = ReadEntry(row, &cache);
    malformed = row.status();
    if (malformed.ok()) sink(std::move(entry));
  }));
  return malformed;
}

}  // namespace

absl::StatusOr<FeedHead> LoadIndexSnapshot(
    PostgresConnection& connection, int64_t max_dead,
    absl::FunctionRef<void(IndexEntry)> sink) {
  RETURN_IF_ERROR(
      connection.Begin(PostgresConnection::Isolation::kReadOnlySnapshot));
  RETURN_IF_ERROR(connection.ExecuteScript("lift_limits", kLiftLimits));
  ASSIGN_OR_RETURN(FeedHead head, ReadHead(connection));
  RETURN_IF_ERROR(
      CopyEntries(connection, "load_live", sql::kLoadLiveSecrets, sink));
  if (max_dead > 0) {
    RETURN_IF_ERROR(CopyEntries(connection, "load_dead",
                                absl::StrCat(sql::kLoadDeadSecrets, max_dead),
                                sink));
  }
  RETURN_IF_ERROR(connection.Commit());
  return head;
}

}  // namespace wemasy::tokens
