// Tokens in PostgreSQL.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_STORE_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_STORE_H_

#include "server/lifecycle/token_store.h"
#include "server/storage/connection_pool.h"

namespace wemasy::tokens {

// Thread-safe.
class PostgresTokenStore final : public TokenStore {
 public:
  // `pool` must outlive this object.
  explicit PostgresTokenStore(ConnectionPool* pool) : pool_(*pool) {}

  absl::StatusOr<CommitStamp> Transact(
      BootTime deadline,
      absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)> body)
      override;
  absl::StatusOr<FoundToken> Find(const TokenName& name,
                                  BootTime deadline) override;
  absl::StatusOr<TokenPage> List(const TokenQuery& query,
                                 BootTime deadline) override;
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query,
                                      BootTime deadline) override;
  absl::StatusOr<Secret> SealingKey(BootTime deadline) override;

 private:
  ConnectionPool& pool_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_STORE_H_
