// Brings a database's schema up to date; run as a job by `tokend migrate`.
#ifndef WEMASY_SERVER_STORAGE_MIGRATOR_H_
#define WEMASY_SERVER_STORAGE_MIGRATOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

// One numbered step forward. There are none back.
//
// The first line of `sql` states the oldest binary that can still work with
// the schema after it, by the highest version that such a binary knows:
//
//   -- compatible-with: 4
struct Migration {
  int version = 0;
  std::string name;
  std::string sql;
};

// Those that this binary carries, in order.
std::vector<Migration> EmbeddedMigrations();

// What a run did.
struct MigrationReport {
  // The names of the migrations that were applied.
  std::vector<std::string> applied;
  // The database's, now; more than `known` if a newer binary migrated it.
  int version = 0;
  // The newest that the migrator knows.
  int known = 0;
};

// Works as the owner of the schema, whom `options` must name. Messages are for
// operators. Thread-compatible.
class Migrator {
 public:
  // Both must outlive this object.
  Migrator(const PostgresOptions* options, const BootClock* clock,
           std::vector<Migration> migrations = EmbeddedMigrations());

  // Applies what is missing, each in a transaction of its own, under a lock:
  // of two at once, the second waits and finds nothing to do. Then grants
  // `runtime_role`, unless empty, what the service needs and no more. Does
  // nothing, grants included, if the database is newer than the migrations, and
  // compatible with them.
  //
  // Returns InvalidArgument if the migrations are not numbered from 1 without
  // a gap, or one does not state, in its first line, a version up to its own.
  // Returns FailedPrecondition if the server is older than PostgreSQL 15, if
  // the database is newer than the migrations and not compatible with them, or
  // if one that was applied has changed since.
  absl::StatusOr<MigrationReport> Migrate(absl::string_view runtime_role);

  // Takes away the mark that history was lost, so that replicas open again.
  // Returns what the mark said; nothing if there was none.
  absl::StatusOr<absl::optional<std::string>> AcceptLostHistory();

 private:
  const PostgresOptions& options_;
  const BootClock& clock_;
  const std::vector<Migration> migrations_;
};

// Connects as the service would, for a clear word at start: Unavailable or
// FailedPrecondition, with a message for operators.
absl::Status CheckDatabase(const PostgresOptions& options,
                           const BootClock& clock);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_MIGRATOR_H_
