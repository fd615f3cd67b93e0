// Use times in PostgreSQL.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_USAGE_STORE_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_USAGE_STORE_H_

#include <vector>

#include "server/jobs/stores.h"
#include "server/storage/connection_pool.h"

namespace wemasy::tokens {

// Thread-safe.
class PostgresUsageStore final : public UsageStore {
 public:
  // `pool` must outlive this object.
  explicit PostgresUsageStore(ConnectionPool* pool) : pool_(*pool) {}

  absl::Status RecordUses(std::vector<TokenUse> uses,
                          BootTime deadline) override;

 private:
  ConnectionPool& pool_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_USAGE_STORE_H_
