// What the service keeps of a token and of its secrets.
#ifndef WEMASY_SERVER_TOKEN_RECORD_H_
#define WEMASY_SERVER_TOKEN_RECORD_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/crypto/digest.h"
#include "server/token/resource_name.h"
#include "server/token/scope_set.h"

namespace wemasy::tokens {

// Whether a token may be used. Stored nowhere: it follows from the record and
// the time.
enum class TokenState { kActive, kExpired, kRevoked };

// Why a token was revoked. The numbers are stored, and are the contract's.
enum class RevokeReason {
  kUnspecified = 0,
  kUnused = 1,
  kSuperseded = 2,
  kCompromised = 3,
  kLeakReported = 4,
  kOffboarded = 5,
  kOther = 6,
};

// The end of a token.
struct Revocation {
  absl::Time time;
  std::string revoker;
  RevokeReason reason = RevokeReason::kUnspecified;
  std::string comment;
};

using Metadata = std::map<std::string, std::string>;

// A token as its project sees it; nothing in it is secret. A value type.
struct TokenRecord {
  TokenName name;
  std::string display_name;
  std::string description;
  ScopeSet scopes;
  Metadata metadata;
  std::string creator;
  absl::Time create_time;
  // InfiniteFuture for never.
  absl::Time expire_time = absl::InfiniteFuture();
  absl::optional<Revocation> revocation;
  std::string hint;
  // Counts the changes; the etag is made of it.
  int64_t revision = 1;
  // Written behind, apart from the rest: read with it, never written with it.
  absl::optional<absl::Time> last_used_time;
  absl::optional<absl::Time> old_secret_last_used_time;
  // Until when the secret before the last rotation works, if it does.
  absl::optional<absl::Time> old_secret_expire_time;
};

// The token's state at `now`.
inline TokenState StateAt(const TokenRecord& record, absl::Time now) {
  if (record.revocation.has_value()) return TokenState::kRevoked;
  if (now >= record.expire_time) return TokenState::kExpired;
  return TokenState::kActive;
}

// How a digest was made of a secret. The numbers are stored.
enum class DigestVersion { kSha256 = 1 };

// One of the live secrets of a token. A token has a current one, and during
// the grace period after a rotation an old one.
struct SecretRecord {
  TokenDigest digest;
  DigestVersion version = DigestVersion::kSha256;
  bool is_current = true;
  // When the secret ends by itself: for an old one, the end of its grace
  // period. InfiniteFuture for not before its token.
  absl::Time ends_at = absl::InfiniteFuture();
};

// A token with its live secrets: the current one first.
struct StoredToken {
  TokenRecord record;
  std::vector<SecretRecord> secrets;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_RECORD_H_
