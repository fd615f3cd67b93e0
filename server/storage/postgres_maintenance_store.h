// Removes from PostgreSQL what nobody needs any more.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_MAINTENANCE_STORE_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_MAINTENANCE_STORE_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "server/jobs/stores.h"
#include "server/storage/connection_pool.h"

namespace wemasy::tokens {

// Thread-safe.
class PostgresMaintenanceStore final : public MaintenanceStore {
 public:
  // `pool` must outlive this object.
  explicit PostgresMaintenanceStore(ConnectionPool* pool) : pool_(*pool) {}

  absl::StatusOr<int64_t> TrimChangeLog(absl::Duration min_age,
                                        BootTime deadline) override;
  absl::StatusOr<int64_t> PurgeTokens(absl::Duration min_age,
                                      BootTime deadline) override;
  absl::StatusOr<int64_t> PurgeSecrets(absl::Duration min_age,
                                       BootTime deadline) override;

 private:
  using Piece = absl::FunctionRef<absl::StatusOr<int64_t>(PostgresConnection&)>;

  // Runs `piece` in a transaction that holds the job's advisory lock; 0 if
  // another session has that.
  absl::StatusOr<int64_t> RunLocked(int64_t lock, BootTime deadline,
                                    Piece piece);

  ConnectionPool& pool_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_MAINTENANCE_STORE_H_
