// The rules of a token's life: what may be done to it, and when that is done.
#ifndef WEMASY_SERVER_LIFECYCLE_TOKEN_LIFECYCLE_H_
#define WEMASY_SERVER_LIFECYCLE_TOKEN_LIFECYCLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "common/mutex.h"
#include "server/lifecycle/change_barrier.h"
#include "server/lifecycle/metadata_room.h"
#include "server/lifecycle/page_tokens.h"
#include "server/lifecycle/requests.h"
#include "server/lifecycle/token_store.h"

namespace wemasy::tokens {

// The bounds an operator may set.
struct LifecycleLimits {
  // Neither expired nor revoked.
  int64_t active_tokens_per_project = 1000;
};

// Creates, shows, changes and ends tokens, each in one transaction, and
// answers once the change is in effect.
//
// Assumes that the caller may do what it asks for; checks everything else.
// Every error carries a reason (server/token/error.h). Errors common to all
// methods: kFieldInvalid, those of TokenStore, and for those that change
// something kChangeUnconfirmed.
//
// Thread-safe.
class TokenLifecycle {
 public:
  // All must outlive this object.
  TokenLifecycle(TokenStore* store, ChangeBarrier* barrier,
                 const MetadataRoom* metadata_room, const BootClock* clock,
                 RandomSource* random, LifecycleLimits limits);

  // Also kRequestIdReused, kRequestIdExpired, kActiveTokenLimit,
  // kMetadataLimit, and for a retry kTokenNotActive.
  absl::StatusOr<IssuedToken> Create(const CallContext& context,
                                     const CreateRequest& request);

  // Also kTokenNotFound.
  absl::StatusOr<TokenView> Get(const CallContext& context,
                                absl::string_view name);

  // Also kPageTokenInvalid.
  absl::StatusOr<TokenViewPage> List(const CallContext& context,
                                     const ListRequest& request);

  // Also kTokenNotFound, kTokenNotActive, kEtagMismatch, kMetadataLimit.
  absl::StatusOr<TokenView> Update(const CallContext& context,
                                   const UpdateRequest& request);

  // Also kTokenNotFound.
  absl::StatusOr<RevokedToken> Revoke(const CallContext& context,
                                      const RevokeRequest& request);

  // Also kTokenNotFound, kTokenNotActive, kRequestIdReused,
  // kRequestIdExpired.
  absl::StatusOr<IssuedToken> Rotate(const CallContext& context,
                                     const RotateRequest& request);

  absl::StatusOr<LeakResult> RevokeLeaked(const CallContext& context,
                                          const LeakRequest& request);

  // Also kPageTokenInvalid.
  absl::StatusOr<AuditView> ListAudit(const CallContext& context,
                                      const AuditRequest& request);

 private:
  using Body = absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)>;
  using ErrorKeys = absl::FunctionRef<std::map<std::string, std::string>()>;
  using HasEffect = absl::FunctionRef<bool()>;

  // Commits a transaction and waits until it is in effect, so that an answer
  // still reaches a caller who gives up at `context.deadline`. Both are asked
  // after the commit: `error_keys` for the metadata of a kChangeUnconfirmed,
  // `has_effect` for whether there is anything to wait for.
  absl::StatusOr<Receipt> Commit(
      const CallContext& context, Body body, ErrorKeys error_keys,
      HasEffect has_effect = [] { return true; });

  // Made with the key that the store keeps, once it could be read.
  absl::StatusOr<std::shared_ptr<const PageTokens>> GetPageTokens(
      BootTime deadline);

  TokenStore& store_;
  ChangeBarrier& barrier_;
  const MetadataRoom& metadata_room_;
  const BootClock& clock_;
  RandomSource& random_;
  const LifecycleLimits limits_;
  Mutex mutex_;
  std::shared_ptr<const PageTokens> page_tokens_ ABSL_GUARDED_BY(mutex_);
};

// The etag of a token: its revision, quoted (RFC 9110).
std::string EtagOf(const TokenRecord& record);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_TOKEN_LIFECYCLE_H_
