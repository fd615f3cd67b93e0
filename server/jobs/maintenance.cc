#include "server/jobs/maintenance.h"

#include "common/status_macros.h"

namespace wemasy::tokens {

absl::Status Maintenance::TrimChangeLog(absl::Duration timeout) {
  return RunPieces(clock_.Now() + timeout, [this](BootTime deadline) {
    return store_.TrimChangeLog(kChangeLogAge, deadline);
  });
}

absl::Status Maintenance::Purge(absl::Duration timeout) {
  const BootTime deadline = clock_.Now() + timeout;
  RETURN_IF_ERROR(RunPieces(deadline, [this](BootTime piece_deadline) {
    return store_.PurgeSecrets(kDeadSecretAge, piece_deadline);
  }));
  return RunPieces(deadline, [this](BootTime piece_deadline) {
    return store_.PurgeTokens(kDeadTokenAge, piece_deadline);
  });
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
