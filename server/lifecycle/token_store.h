// What the life cycle of tokens needs of a database.
//
// An implementation is a transactional store with PostgreSQL's READ COMMITTED
// semantics; tests/contract/ says what each must do. All times are by the
// database's clock (clock_timestamp(), not the transaction's start). Every
// call ends by `deadline`.
//
// Errors common to all calls: kDatabaseUnavailable, kOverloaded and
// kDeadlineTooShort (nothing was changed; a retry is safe), kCommitInDoubt
// (only from a commit), kInternal.
#ifndef WEMASY_SERVER_LIFECYCLE_TOKEN_STORE_H_
#define WEMASY_SERVER_LIFECYCLE_TOKEN_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "server/token/audit_record.h"
#include "server/token/change.h"
#include "server/token/record.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

// Which request issued a secret, so that a retry is recognised.
struct IssuedRequest {
  ProjectId project;
  // Unique within the project.
  std::string request_id;
  // Of the request's content.
  TokenDigest payload;
  TokenId token;
  // The digest of the secret that it issued last: a retry may only replace
  // that one.
  TokenDigest issued;
  // When it was first made. Set by the store.
  absl::Time time;
};

// What a locked project looks like.
struct LockedProject {
  absl::Time now;
  // Neither expired nor revoked.
  int64_t active_tokens = 0;
};

// What a token that was asked for looks like, locked.
struct LockedToken {
  absl::Time now;
  // Nothing if the project has no such token.
  absl::optional<StoredToken> token;
};

// A token found by one of its digests, locked.
struct MatchedToken {
  TokenDigest digest;
  // Whether that secret still works (as far as its token does).
  bool is_live = false;
  StoredToken token;
};

// Tokens found by their digests. A digest that no token has is left out.
struct LockedTokens {
  absl::Time now;
  std::vector<MatchedToken> tokens;
};

// A secret to add to a token.
struct NewSecret {
  TokenName token;
  SecretRecord secret;
};

// A secret that ends.
struct DeadSecret {
  TokenDigest digest;
  absl::Time dead_at;
};

// What a transaction shall write. Written in the order of the members.
struct Mutation {
  std::vector<TokenRecord> inserted_tokens;
  // Found by name; use times, creator, creation time are left as they are.
  std::vector<TokenRecord> updated_tokens;
  std::vector<DeadSecret> dead_secrets;
  // Found by digest; `is_current` and `ends_at` are written.
  std::vector<SecretRecord> updated_secrets;
  std::vector<NewSecret> inserted_secrets;
  // Inserted; if it is there already, only `issued` is written.
  absl::optional<IssuedRequest> request;
  // For the change log, in this order; the store numbers them. If there are
  // none, the store writes a kNoop, so that every transaction has a number.
  std::vector<Change> changes;
  std::vector<AuditRecord> audit_records;
};

// A commit that is known to be durable.
struct CommitStamp {
  // The number of the transaction's last change.
  int64_t seq = 0;
  // When it was numbered, by the database's clock.
  absl::Time time;
  // A reading of the boot-time clock before that.
  BootTime sent_at;
  // Another one, after the commit returned.
  BootTime returned_at;
  // The timeline that it was committed on, eight hexadecimal digits.
  std::string timeline;
  // The ids of the replicas that were listed after the commit, as its own
  // database session saw it: whom the changes have to reach. Nothing if that
  // session ended before it could tell.
  absl::optional<std::vector<std::string>> replicas;
  // How long their leases may last: the longest of those that say so.
  absl::Duration longest_ttl = absl::ZeroDuration();
};

// What a transaction may look at, and lock, before it writes. Locks are taken
// in the order project, tokens by id. Used by one thread, within Transact.
class TokenTransaction {
 public:
  virtual ~TokenTransaction() = default;

  // Locks the project, making it known if it is new, and then counts.
  virtual absl::StatusOr<LockedProject> LockProject(
      const ProjectId& project) = 0;
  virtual absl::StatusOr<LockedToken> LockToken(const TokenName& name) = 0;
  // At most 1000 digests.
  virtual absl::StatusOr<LockedTokens> LockTokensByDigest(
      const std::vector<TokenDigest>& digests) = 0;
  virtual absl::StatusOr<absl::optional<IssuedRequest>> FindRequest(
      const ProjectId& project, const std::string& request_id) = 0;
};

// A place in the list of tokens, newest first.
struct TokenPageKey {
  absl::Time create_time;
  TokenId token;
};

// Which tokens a list shall have. Everything that is set must hold.
struct TokenFilter {
  absl::optional<TokenState> state;
  absl::optional<std::string> creator;
  // Last used before, or never used and created before.
  absl::optional<absl::Time> unused_since;
  absl::optional<absl::Time> expires_before;
};

struct TokenQuery {
  // All projects if absent.
  absl::optional<ProjectId> project;
  TokenFilter filter;
  int page_size = 50;
  absl::optional<TokenPageKey> after;
};

struct TokenPage {
  absl::Time now;
  std::vector<TokenRecord> tokens;
  // Where to go on; nothing if there is nothing more.
  absl::optional<TokenPageKey> next;
};

// A place in the audit trail, in commit order.
struct AuditPageKey {
  int64_t seq = 0;
  int ordinal = 0;
};

struct AuditQuery {
  // All projects if absent.
  absl::optional<ProjectId> project;
  absl::optional<absl::Time> start_time;
  int page_size = 50;
  absl::optional<AuditPageKey> after;
};

struct AuditPage {
  std::vector<AuditRecord> records;
  bool has_more = false;
};

// What is known of one token.
struct FoundToken {
  absl::Time now;
  absl::optional<TokenRecord> token;
};

// Stores tokens. Implementations are thread-safe.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  // Runs `body`, writes what it returns, numbers the changes and commits, all
  // in one transaction. If `body` fails, nothing is written and its status is
  // returned. After a serialization failure, a deadlock or a connection lost
  // before the commit, `body` runs again in a new transaction: it must have
  // no effect of its own.
  //
  // Returns kReplicaTooOld if a listed replica cannot read a change.
  virtual absl::StatusOr<CommitStamp> Transact(
      BootTime deadline,
      absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)> body) = 0;

  virtual absl::StatusOr<FoundToken> Find(const TokenName& name,
                                          BootTime deadline) = 0;
  // Newest first. Looks at 10 * page_size tokens at most, so that a page with
  // a filter may be short although there are more.
  virtual absl::StatusOr<TokenPage> List(const TokenQuery& query,
                                         BootTime deadline) = 0;
  // Oldest first, in commit order.
  virtual absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query,
                                              BootTime deadline) = 0;
  // The key that page tokens are sealed with: the same at every replica.
  virtual absl::StatusOr<Secret> SealingKey(BootTime deadline) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_TOKEN_STORE_H_
