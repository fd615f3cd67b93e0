// A mutation's transaction on one connection.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_TRANSACTION_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_TRANSACTION_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/lifecycle/token_store.h"
#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {

// The transaction must be open already, in READ COMMITTED. Not thread-safe.
class PostgresTokenTransaction final : public TokenTransaction {
 public:
  // `connection` must outlive this object.
  explicit PostgresTokenTransaction(PostgresConnection* connection)
      : connection_(*connection) {}

  absl::StatusOr<LockedProject> LockProject(const ProjectId& project) override;
  absl::StatusOr<LockedToken> LockToken(const TokenName& name) override;
  absl::StatusOr<LockedTokens> LockTokensByDigest(
      const std::vector<TokenDigest>& digests) override;
  absl::StatusOr<absl::optional<IssuedRequest>> FindRequest(
      const ProjectId& project, const std::string& request_id) override;

  // Writes and numbers it all; what is left is to commit. Returns
  // kReplicaTooOld, kRequestIdReused, or kInternal if a row to be updated is
  // not there.
  absl::StatusOr<CommitStamp> Write(const Mutation& mutation);

 private:
  struct Locked {
    absl::Time now;
    std::vector<StoredToken> tokens;
  };

  struct Query {
    const Statement& statement;
    Params params;
  };

  // Locks tokens in the order of ids, then reads what they are.
  absl::StatusOr<Locked> Lock(const Query& lock, const Query& read);
  absl::Status WriteTokens(const Mutation& mutation);
  absl::Status WriteSecrets(const Mutation& mutation);
  absl::StatusOr<CommitStamp> AppendChanges(const Mutation& mutation);
  // Expects that `count` rows are touched.
  absl::Status Touch(const Statement& statement, const Params& params,
                     size_t count);

  PostgresConnection& connection_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_TOKEN_TRANSACTION_H_
