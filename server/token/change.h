// The change log: how what one transaction did reaches every replica's index.
#ifndef WEMASY_SERVER_TOKEN_CHANGE_H_
#define WEMASY_SERVER_TOKEN_CHANGE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/crypto/digest.h"
#include "server/token/record.h"

namespace wemasy::tokens {

// All that Validate needs to know of one secret, live or dead. A value type.
struct IndexEntry {
  TokenDigest digest;
  TokenName name;
  std::string creator;
  ScopeSet scopes;
  Metadata metadata;
  // When the secret ends by itself: the earlier of its own and its token's
  // end. InfiniteFuture for never.
  absl::Time expire_time = absl::InfiniteFuture();
  // When the secret was revoked or replaced, if it was.
  absl::optional<absl::Time> dead_at;
  // Whether the secret is the one before the last rotation.
  bool is_old = false;
};

// An IndexEntry among many, which refers to what they have in common. Entries
// with the same address here have the same value; not all others have another.
struct SharedEntry {
  TokenDigest digest;
  TokenName name;
  std::string creator;
  const ScopeSet* scopes = nullptr;
  const Metadata* metadata = nullptr;
  absl::Time expire_time = absl::InfiniteFuture();
  absl::optional<absl::Time> dead_at;
  bool is_old = false;
};

// What a change does to the index. The numbers are stored. A replica that
// reads one it does not know stops answering.
enum class ChangeOperation {
  // Nothing: takes a place in the order.
  kNoop = 1,
  // The entry is from now on the whole truth about its digest.
  kPut = 2,
};

// One row of the change log.
struct Change {
  // Dense: every change's number is one more than that of the change before.
  int64_t seq = 0;
  ChangeOperation operation = ChangeOperation::kNoop;
  // Meaningful with kPut.
  IndexEntry entry;
};

// Refers to `entry`.
SharedEntry Share(const IndexEntry& entry);
IndexEntry Unshare(const SharedEntry& entry);

// The entry of one live secret of a token.
IndexEntry MakeIndexEntry(const TokenRecord& record,
                          const SecretRecord& secret);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_CHANGE_H_
