#include "server/storage/postgres_maintenance_store.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {
namespace {

// Advisory locks have one number space for the whole database: the upper half
// spells "wmsy".
constexpr int64_t kLockSpace = int64_t{0x776d7379} << 32;
constexpr int64_t kTrimLock = kLockSpace | 2;
constexpr int64_t kPurgeTokensLock = kLockSpace | 3;
constexpr int64_t kPurgeSecretsLock = kLockSpace | 4;

// An interval.
Params Age(absl::Duration age) {
  Params params;
  params.Text(absl::StrCat(absl::ToInt64Microseconds(age), " microseconds"));
  return params;
}

}  // namespace

absl::StatusOr<int64_t> PostgresMaintenanceStore::RunLocked(int64_t lock,
                                                            BootTime deadline,
                                                            Piece piece) {
  int64_t removed = 0;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        removed = 0;
        RETURN_IF_ERROR(
            connection.Begin(PostgresConnection::Isolation::kReadCommitted));
        ASSIGN_OR_RETURN(
            const Rows locked,
            connection.Execute(sql::kTryMaintenanceLock, Params().Int(lock)));
        if (!locked.Row(0).Bool()) return absl::OkStatus();
        ASSIGN_OR_RETURN(removed, piece(connection));
        return connection.Commit();
      }));
  return removed;
}

absl::StatusOr<int64_t> PostgresMaintenanceStore::TrimChangeLog(
    absl::Duration min_age, BootTime deadline) {
  return RunLocked(
      kTrimLock, deadline,
      [&](PostgresConnection& connection) -> absl::StatusOr<int64_t> {
        ASSIGN_OR_RETURN(const Rows rows,
                         connection.Execute(sql::kTrimChangeLog, Age(min_age)));
        return static_cast<int64_t>(rows.affected());
      });
}

absl::StatusOr<int64_t> PostgresMaintenanceStore::PurgeTokens(
    absl::Duration min_age, BootTime deadline) {
  return RunLocked(
      kPurgeTokensLock, deadline,
      [&](PostgresConnection& connection) -> absl::StatusOr<int64_t> {
        ASSIGN_OR_RETURN(
            const Rows dead,
            connection.Execute(sql::kLockDeadTokens, Age(min_age)));
        if (dead.empty()) return 0;
        ArrayText ids;
        for (size_t i = 0; i < dead.size(); ++i) ids.Add(dead.Row(i).Text());
        ASSIGN_OR_RETURN(
            const Rows rows,
            connection.Execute(sql::kDeleteTokens, Params().Array(ids)));
        return static_cast<int64_t>(rows.affected());
      });
}

absl::StatusOr<int64_t> PostgresMaintenanceStore::PurgeSecrets(
    absl::Duration min_age, BootTime deadline) {
  return RunLocked(
      kPurgeSecretsLock, deadline,
      [&](PostgresConnection& connection) -> absl::StatusOr<int64_t> {
        ASSIGN_OR_RETURN(const Rows rows,
                         connection.Execute(sql::kPurgeSecrets, Age(min_age)));
        return static_cast<int64_t>(rows.affected());
      });
}

}  // namespace wemasy::tokens
