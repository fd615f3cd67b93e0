#include "server/storage/migrator.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "embedded/wemasy_migrations.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/schema_version.h"
#include "server/storage/watchdog.h"

namespace wemasy::tokens {
namespace {

constexpr Statement kLockMigrations{
    "lock_migrations", "SELECT pg_advisory_lock(8605171436806635521)"};

constexpr char kCreateVersions[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version integer PRIMARY KEY,"
    " name text NOT NULL,"
    " checksum text NOT NULL,"
    " compatible_with integer NOT NULL,"
    " apply_time timestamptz NOT NULL DEFAULT clock_timestamp())";

constexpr Statement kReadVersions{
    "read_versions",
    "SELECT version, name, checksum, compatible_with FROM schema_migrations"
    " ORDER BY version"};

constexpr Statement kChecksum{
    "checksum", "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')"};

constexpr Statement kInsertVersion{
    "insert_version",
    "INSERT INTO schema_migrations (version, name, checksum, compatible_with)"
    " VALUES ($1::integer, $2, $3, $4::integer)"};

// What the service does, and no more: it can neither drop nor alter, and
// cannot rewrite the audit log. A role or schema follows each. What an earlier
// release granted, and this one does not, is taken away first.
constexpr const char* kGrants[] = {
    ("REVOKE ALL ON projects, tokens, token_digests, requests, replicas,"
     " reaped_replicas, token_usage, change_head, change_log, audit_log,"
     " index_entries, sealing_keys, schema_migrations FROM "),
    ("GRANT SELECT, INSERT, UPDATE, DELETE ON tokens, token_digests, replicas,"
     " token_usage TO "),
    "GRANT SELECT, INSERT, DELETE ON requests, change_log, reaped_replicas TO ",
    "GRANT UPDATE (issued) ON requests TO ",
    "GRANT SELECT, INSERT, UPDATE ON projects TO ",
    "GRANT SELECT, UPDATE ON change_head TO ",
    "GRANT SELECT, INSERT ON audit_log TO ",
    "GRANT SELECT ON index_entries, sealing_keys, schema_migrations TO ",
};

// The schema's owner needs no grant, and would lose by the revoke.
constexpr Statement kReadOwner{"read_owner",
                               "SELECT current_user, current_schema()"};

absl::StatusOr<std::string> Checksum(PostgresConnection& connection,
                                     const Migration& migration) {
  ASSIGN_OR_RETURN(const Rows rows,
                   connection.Execute(kChecksum, Params().Text(migration.sql)));
  return std::string(rows.Row(0).Text());
}

// What a migration's first line says.
absl::StatusOr<int> CompatibleWith(const Migration& migration) {
  absl::string_view line = migration.sql;
  line = line.substr(0, line.find('\n'));
  absl::string_view number = line;
  int version = 0;
  if (!absl::ConsumePrefix(&number, "-- compatible-with: ") ||
      !absl::SimpleAtoi(number, &version) || version < 1 ||
      version > migration.version) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the first line of migration ", migration.name, " is \"", line,
        "\", want \"-- compatible-with: N\", N in 1..", migration.version));
  }
  return version;
}

// Before the first of them is applied.
absl::Status CheckMigrations(const std::vector<Migration>& migrations) {
  int version = 0;
  for (const Migration& migration : migrations) {
    if (migration.version != ++version) {
      return absl::InvalidArgumentError(
          absl::StrCat("migration ", migration.name, " has number ",
                       migration.version, ", want ", version));
    }
    RETURN_IF_ERROR(CompatibleWith(migration).status());
  }
  return absl::OkStatus();
}

// Returns which version the database has, if it can be migrated from there or
// left as it is.
absl::StatusOr<int> CheckApplied(PostgresConnection& connection,
                                 const std::vector<Migration>& migrations) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Execute(kReadVersions));
  SchemaState state;
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader row = rows.Row(i);
    const int64_t version = row.Int();
    const std::string name(row.Text());
    const std::string applied(row.Text());
    const int64_t compatible_with = row.Int();
    if (version != state.version + 1) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database has migration ", version, " (", name,
                       ") where ", state.version + 1, " is wanted"));
    }
    state.version = version;
    if (i >= migrations.size()) {
      state.compatible_with = std::max(state.compatible_with, compatible_with);
      continue;
    }
    ASSIGN_OR_RETURN(const std::string known,
                     Checksum(connection, migrations[i]));
    if (applied != known) {
      return absl::FailedPreconditionError(absl::StrCat(
          "migration ", version, " (", name,
          ") is not the one that this binary has as ", migrations[i].name));
    }
  }
  RETURN_IF_ERROR(CheckNotTooNew(state, static_cast<int>(migrations.size())));
  return static_cast<int>(state.version);
}

absl::Status Apply(PostgresConnection& connection, const Migration& migration) {
  ASSIGN_OR_RETURN(const std::string checksum, Checksum(connection, migration));
  ASSIGN_OR_RETURN(const int compatible_with, CompatibleWith(migration));
  RETURN_IF_ERROR(
      connection.Begin(PostgresConnection::Isolation::kReadCommitted));
  absl::Status status = connection.ExecuteScript(migration.name, migration.sql);
  if (status.ok()) {
    status = connection
                 .Execute(kInsertVersion, Params()
                                              .Int(migration.version)
                                              .Text(migration.name)
                                              .Text(checksum)
                                              .Int(compatible_with))
                 .status();
  }
  if (status.ok()) return connection.Commit();
  connection.Rollback();
  return status;
}

absl::Status Grant(PostgresConnection& connection, absl::string_view role) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Execute(kReadOwner));
  FieldReader row = rows.Row(0);
  if (row.Text() == role) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the role ", role, " owns the schema, want another for the service"));
  }
  ASSIGN_OR_RETURN(const std::string schema, connection.QuoteName(row.Text()));
  ASSIGN_OR_RETURN(const std::string name, connection.QuoteName(role));
  std::string script =
      absl::StrCat("GRANT USAGE ON SCHEMA ", schema, " TO ", name, ";");
  for (const char* grant : kGrants) absl::StrAppend(&script, grant, name, ";");
  RETURN_IF_ERROR(
      connection.Begin(PostgresConnection::Isolation::kReadCommitted));
  if (connection.ExecuteScript("grant", script).ok()) {
    return connection.Commit();
  }
  connection.Rollback();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot grant to the role ", role, ": does it exist?"));
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> OpenOwner(
    const PostgresOptions& options, Watchdog* watchdog) {
  return PostgresConnection::Open(options, watchdog,
                                  PostgresConnection::Purpose::kMigration);
}

}  // namespace

std::vector<Migration> EmbeddedMigrations() {
  std::vector<Migration> migrations;
  for (const auto& file : migrations::EmbeddedFiles()) {
    Migration migration;
    migration.name = std::string(file.name);
    migration.sql = std::string(file.text);
    // The number is the name's first four characters.
    (void)absl::SimpleAtoi(migration.name.substr(0, 4), &migration.version);
    migrations.push_back(std::move(migration));
  }
  return migrations;
}

Migrator::Migrator(const PostgresOptions* options, const BootClock* clock,
                   std::vector<Migration> migrations)
    : options_(*options), clock_(*clock), migrations_(std::move(migrations)) {}

absl::StatusOr<MigrationReport> Migrator::Migrate(
    absl::string_view runtime_role) {
  RETURN_IF_ERROR(CheckMigrations(migrations_));
  Watchdog watchdog(&clock_);
  ASSIGN_OR_RETURN(const std::unique_ptr<PostgresConnection> connection,
                   OpenOwner(options_, &watchdog));
  // Until the session ends.
  RETURN_IF_ERROR(connection->Execute(kLockMigrations).status());
  RETURN_IF_ERROR(
      connection->ExecuteScript("create_versions", kCreateVersions));
  MigrationReport report;
  report.known = static_cast<int>(migrations_.size());
  ASSIGN_OR_RETURN(report.version, CheckApplied(*connection, migrations_));
  // What a newer binary granted is not this one's to take away either.
  if (report.version > report.known) return report;
  while (report.version < report.known) {
    const Migration& next = migrations_[static_cast<size_t>(report.version)];
    RETURN_IF_ERROR(Apply(*connection, next));
    report.applied.push_back(next.name);
    ++report.version;
  }
  if (!runtime_role.empty()) RETURN_IF_ERROR(Grant(*connection, runtime_role));
  return report;
}

absl::StatusOr<absl::optional<std::string>> Migrator::AcceptLostHistory() {
  Watchdog watchdog(&clock_);
  ASSIGN_OR_RETURN(const std::unique_ptr<PostgresConnection> connection,
                   OpenOwner(options_, &watchdog));
  ASSIGN_OR_RETURN(const Rows rows,
                   connection->ExecuteCommitted(sql::kAcceptLostHistory));
  absl::optional<std::string> said;
  if (!rows.empty()) {
    FieldReader row = rows.Row(0);
    if (!row.NextIsNull()) said = std::string(row.Text());
  }
  return said;
}

absl::Status CheckDatabase(const PostgresOptions& options,
                           const BootClock& clock) {
  Watchdog watchdog(&clock);
  return PostgresConnection::Open(options, &watchdog,
                                  PostgresConnection::Purpose::kService)
      .status();
}

}  // namespace wemasy::tokens
