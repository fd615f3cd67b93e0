// Every token of the database, in memory: what Validate looks tokens up in.
#ifndef WEMASY_SERVER_VALIDATE_TOKEN_INDEX_H_
#define WEMASY_SERVER_VALIDATE_TOKEN_INDEX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/digest.h"
#include "common/mutex.h"
#include "server/token/change.h"
#include "server/token/token_use.h"

namespace wemasy::tokens {

// What answers say of a token, in the form in which they are sent: made once,
// when the token is learned, and copied into every answer.
struct EncodedToken {
  std::string bytes;
  // So many of them, at the beginning, name the token; all of them are for
  // VALID.
  uint8_t named = 0;
  // What is before the name itself.
  uint8_t name_at = 0;

  // The token's resource name. Valid as long as this object.
  absl::string_view name() const {
    return absl::string_view(bytes).substr(name_at, named - name_at);
  }
};

// Encodes for whoever answers; nothing for users who do without.
using TokenEncoder = EncodedToken (*)(const IndexEntry&);

// What a token says of itself, shared between its index entry and the answers
// made of it. Immutable.
struct TokenAttributes {
  ProjectId project;
  ScopeSet scopes;
  EncodedToken encoded;
};

// One secret in the index.
struct IndexSlot {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  TokenId token;
  std::shared_ptr<const TokenAttributes> attributes;
  // Nanoseconds since the Unix epoch, by the database's clock.
  int64_t expire_nanos = kNever;
  int64_t dead_nanos = kNever;
  // The last minute since the Unix epoch in which the secret was used; 0 if it
  // was not since it was loaded.
  uint32_t used_minute = 0;
  bool is_old = false;
};

// A hash table from digest to token. Live secrets are all in it; dead ones for
// a bounded time and number, so that Validate can say what became of them.
//
// Split into shards with a lock each, by the digest's first bits, so that a
// growing shard stops few look-ups, and those shortly. Nobody can steer
// digests, so nobody can fill one shard or lengthen a probe.
//
// Thread-safe. Writers: one at a time for any one digest.
class TokenIndex {
 public:
  explicit TokenIndex(TokenEncoder encoder = nullptr) : encoder_(encoder) {}
  TokenIndex(const TokenIndex&) = delete;
  TokenIndex& operator=(const TokenIndex&) = delete;

  // Calls `visit(IndexSlot&)` for the secret of `digest`, under its shard's
  // lock: it must be short and not use the index. Returns whether it is there.
  template <typename Visitor>
  bool Visit(const TokenDigest& digest, Visitor&& visit) {
    Shard& shard = ShardOf(digest);
    MutexLock lock(&shard.mutex);
    const auto found = shard.slots.find(digest);
    if (found == shard.slots.end()) return false;
    const uint32_t used_before = found->second.used_minute;
    visit(found->second);
    // A changed minute is remembered for DrainUses.
    if (found->second.used_minute != used_before) {
      shard.used.push_back(digest);
    }
    return true;
  }

  // Makes `entry` the whole truth about its digest.
  void Put(const IndexEntry& entry);

  // Forgets everything. Only before the first lease: an answer in flight must
  // not miss what was there.
  void Clear();

  // Takes the uses since the last call, at most one for each secret.
  std::vector<TokenUse> DrainUses();

  // How many secrets are in the index, as of the last EvictDead.
  struct Census {
    int64_t live = 0;
    int64_t dead = 0;
  };
  // Forgets the secrets that died or expired longer than `max_age` before
  // `now`, and, the oldest first, as many as are needed to leave no more than
  // `max_dead` or a tenth of the live, whichever is more. Looks at every
  // secret, a shard at a time.
  Census EvictDead(absl::Time now, absl::Duration max_age, int64_t max_dead);

  // The number of secrets, live and dead.
  int64_t size() const;

 private:
  static constexpr size_t kShards = 1024;

  struct alignas(64) Shard {
    mutable Mutex mutex;
    absl::flat_hash_map<TokenDigest, IndexSlot> slots ABSL_GUARDED_BY(mutex);
    std::vector<TokenDigest> used ABSL_GUARDED_BY(mutex);
  };

  // The hash table within a shard uses the digest's first bytes too, so the
  // shard is chosen by its last.
  Shard& ShardOf(const TokenDigest& digest) {
    const absl::string_view bytes = digest.bytes();
    const size_t low = static_cast<uint8_t>(bytes[TokenDigest::kSize - 1]);
    const size_t high = static_cast<uint8_t>(bytes[TokenDigest::kSize - 2]);
    return (*shards_)[(high << 8 | low) % kShards];
  }

  const TokenEncoder encoder_;
  std::unique_ptr<std::array<Shard, kShards>> shards_ =
      std::make_unique<std::array<Shard, kShards>>();
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_TOKEN_INDEX_H_
