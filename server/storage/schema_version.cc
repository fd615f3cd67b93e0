#include "server/storage/schema_version.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "embedded/wemasy_migrations.h"
#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {
namespace {

constexpr Statement kHasVersions{
    "has_versions", "SELECT to_regclass('schema_migrations') IS NOT NULL"};

// An empty table has version 0. Of the versions that the reader does not know,
// the one that wants the newest binary decides.
constexpr Statement kReadVersion{
    "read_version",
    "SELECT COALESCE(max(version), 0),"
    " COALESCE(max(compatible_with) FILTER (WHERE version > $1::integer), 0)"
    " FROM schema_migrations"};

}  // namespace

int MaxSchemaVersion() {
  return static_cast<int>(migrations::EmbeddedFiles().size());
}

absl::Status CheckNotTooNew(const SchemaState& state, int known) {
  if (state.version <= known || state.compatible_with <= known) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the database's schema has version ", state.version,
      " and wants a binary that knows version ", state.compatible_with,
      ", this binary knows up to ", known, "; run a newer binary"));
}

absl::Status CheckSchemaVersion(PostgresConnection& connection) {
  const int known = MaxSchemaVersion();
  ASSIGN_OR_RETURN(const Rows exists, connection.Execute(kHasVersions));
  SchemaState state;
  if (exists.Row(0).Bool()) {
    ASSIGN_OR_RETURN(const Rows rows,
                     connection.Execute(kReadVersion, Params().Int(known)));
    FieldReader row = rows.Row(0);
    state.version = row.Int();
    state.compatible_with = row.Int();
  }
  if (state.version < kMinSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database's schema has version ", state.version,
                     ", this binary wants ", kMinSchemaVersion,
                     " or newer; run `tokend migrate`"));
  }
  return CheckNotTooNew(state, known);
}

}  // namespace wemasy::tokens
