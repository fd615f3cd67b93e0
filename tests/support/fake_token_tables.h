// The tables of FakeTokenStore, and a transaction on a copy of them.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_TOKEN_TABLES_H_
#define WEMASY_TESTS_SUPPORT_FAKE_TOKEN_TABLES_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/lifecycle/token_store.h"

namespace wemasy::tokens {

// What a database would have. Copied for each transaction, and copied back by
// its commit. A value type.
struct FakeTokenTables {
  struct SecretRow {
    TokenId token;
    SecretRecord secret;
    absl::optional<absl::Time> dead_at;
  };
  struct Usage {
    absl::Time last;
    absl::optional<absl::Time> old_secret;
  };

  std::set<ProjectId> projects;
  std::map<TokenId, TokenRecord> tokens;
  std::map<TokenDigest, SecretRow> secrets;
  std::map<std::pair<ProjectId, std::string>, IssuedRequest> requests;
  std::map<TokenId, Usage> usage;
  std::vector<Change> changes;
  std::vector<AuditRecord> audit;

  // The record with what is kept apart from it.
  TokenRecord Complete(TokenRecord record, absl::Time now) const;
};

// Looks at, and changes, one copy of the tables. Not thread-safe.
class FakeTokenTransaction final : public TokenTransaction {
 public:
  // `tables` must outlive this object. `now` is the database's clock.
  FakeTokenTransaction(FakeTokenTables* tables, absl::Time now)
      : tables_(*tables), now_(now) {}

  absl::StatusOr<LockedProject> LockProject(const ProjectId& project) override;
  absl::StatusOr<LockedToken> LockToken(const TokenName& name) override;
  absl::StatusOr<LockedTokens> LockTokensByDigest(
      const std::vector<TokenDigest>& digests) override;
  absl::StatusOr<absl::optional<IssuedRequest>> FindRequest(
      const ProjectId& project, const std::string& request_id) override;

  // All but changes and audit records, in the order that Mutation says.
  // Returns kInternal where a constraint of the database would be violated.
  absl::Status Write(const Mutation& mutation);

 private:
  bool IsLive(const FakeTokenTables::SecretRow& row) const;
  StoredToken Stored(const TokenRecord& record) const;
  absl::Status WriteTokens(const Mutation& mutation);
  absl::Status WriteSecrets(const Mutation& mutation);
  absl::Status WriteRequest(const IssuedRequest& request);
  bool EachTokenHasOneCurrentSecret() const;

  FakeTokenTables& tables_;
  const absl::Time now_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_TOKEN_TABLES_H_
