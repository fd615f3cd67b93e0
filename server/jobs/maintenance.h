// Removes from the database what nobody needs any more.
#ifndef WEMASY_SERVER_JOBS_MAINTENANCE_H_
#define WEMASY_SERVER_JOBS_MAINTENANCE_H_

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "server/jobs/stores.h"

namespace wemasy::tokens {

// A starting replica has no row yet that would hold the trimming back, so rows
// of the change log are kept for twice as long as a load may take
// (PostgresOptions::load_timeout).
inline constexpr absl::Duration kChangeLogAge = absl::Minutes(20);
// Dead tokens stay listed that long, so that their owners learn why an
// integration broke.
inline constexpr absl::Duration kDeadTokenAge = absl::Hours(24 * 400);
// Replaced secrets are recognised as such for that long.
inline constexpr absl::Duration kDeadSecretAge = absl::Hours(24 * 30);

// Works in pieces that the store bounds, until there is nothing left or its
// time is over. Thread-safe.
class Maintenance {
 public:
  // All must outlive this object.
  Maintenance(MaintenanceStore& store, const BootClock& clock)
      : store_(store), clock_(clock) {}

  // Each ends by `timeout` from now, with the status of the store if that
  // failed.
  absl::Status TrimChangeLog(absl::Duration timeout);
  absl::Status Purge(absl::Duration timeout);

  // From now on no piece is begun: a server that stops waits for no more than
  // one.
  void Stop() { is_stopping_ = true; }

 private:
  absl::Status RunPieces(
      BootTime deadline,
      absl::FunctionRef<absl::StatusOr<int64_t>(BootTime deadline)> piece);

  MaintenanceStore& store_;
  const BootClock& clock_;
  std::atomic<bool> is_stopping_{false};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_JOBS_MAINTENANCE_H_
