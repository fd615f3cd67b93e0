#include "server/jobs/maintenance.h"

#include "common/status_macros.h"

namespace wemasy::tokens {

absl::Status Maintenance::TrimChangeLog(absl::Duration timeout) {
  return RunPieces(clock_.Now() + timeout, [this](BootTime deadline) {
    return store_.TrimChangeLog(kChangeLogAge, deadline);
  });
}

absl::Status Maintenance::Purge(absl::Duration timeout) {
  const BootTime now = clock_.Now();
  absl::Status status =
      RunPieces(now + timeout / 2, [this](BootTime piece_deadline) {
        return store_.PurgeSecrets(kDeadSecretAge, piece_deadline);
      });
  // One does not keep the other from its work.
  status.Update(RunPieces(now + timeout, [this](BootTime piece_deadline) {
    return store_.PurgeTokens(kDeadTokenAge, piece_deadline);
  }));
  return status;
}

absl::Status Maintenance::RunPieces(
    BootTime deadline,
    absl::FunctionRef<absl::StatusOr<int64_t>(BootTime deadline)> piece) {
  while (!is_stopping_ && clock_.Now() < deadline) {
    ASSIGN_OR_RETURN(const int64_t removed, piece(deadline));
    if (removed == 0) break;
  }
  return absl::OkStatus();
}

}  // namespace wemasy::tokens
