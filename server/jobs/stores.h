// What the background jobs need of a database.
#ifndef WEMASY_SERVER_JOBS_STORES_H_
#define WEMASY_SERVER_JOBS_STORES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "server/token/token_use.h"

namespace wemasy::tokens {

// Stores when tokens were used. Implementations are thread-safe.
class UsageStore {
 public:
  virtual ~UsageStore() = default;

  // Writes the uses; a time that is stored never goes back. Writes in the
  // order of the ids, so that two replicas never deadlock. Losing some is
  // allowed.
  virtual absl::Status RecordUses(std::vector<TokenUse> uses,
                                  BootTime deadline) = 0;
};

// Removes what nobody needs any more. Each call does one bounded piece under
// an advisory lock, and returns how many rows it removed: 0 if there was
// nothing to do, or another replica is at it. Implementations are thread-safe.
class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  // Changes that every listed replica has acknowledged and that are older
  // than `min_age`.
  virtual absl::StatusOr<int64_t> TrimChangeLog(absl::Duration min_age,
                                                BootTime deadline) = 0;
  // Tokens that have been dead for longer than `min_age`, with their digests,
  // use times and requests.
  virtual absl::StatusOr<int64_t> PurgeTokens(absl::Duration min_age,
                                              BootTime deadline) = 0;
  // Digests of secrets that were replaced longer ago than `min_age`.
  virtual absl::StatusOr<int64_t> PurgeSecrets(absl::Duration min_age,
                                               BootTime deadline) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_JOBS_STORES_H_
