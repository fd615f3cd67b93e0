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

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/crypto/digest.h"
#include "common/mutex.h"
#include "server/token/change.h"
#include "server/token/token_use.h"
#include "server/validate/interner.h"
#include "server/validate/slot_pool.h"

namespace wemasy::tokens {

// Encodes metadata once, in the form in which replies have it.
using MetadataEncoder = std::string (*)(const Metadata&);

// One secret in the index. There are millions, so that what they have in
// common is elsewhere, and is there as long as the secret.
struct IndexSlot {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  // The minutes since the Unix epoch fit until the year 4011.
  static constexpr int kMinuteBits = 30;

  TokenName name() const { return {*project, token}; }

  TokenDigest digest;
  TokenId token;
  const ProjectId* project = nullptr;
  const std::string* creator = nullptr;
  const ScopeSet* scopes = nullptr;
  // Encoded.
  const std::string* metadata = nullptr;
  // Nanoseconds since the Unix epoch, by the database's clock.
  int64_t expire_nanos = kNever;
  int64_t dead_nanos = kNever;
  // The last minute since the Unix epoch in which the secret was used; 0 if it
  // was not since it was loaded.
  uint32_t used_minute : kMinuteBits;
  // Whether DrainUses has not told of that yet.
  uint32_t has_new_use : 1;
  uint32_t is_old : 1;

  IndexSlot() : used_minute(0), has_new_use(0), is_old(0) {}
};

// A hash table from digest to token. Live secrets are all in it; dead ones for
// a bounded time and number, so that Validate can say what became of them.
//
// Split into shards with a lock each, by the digest's last bits, so that a
// growing shard stops few look-ups, and those shortly. Nobody can steer
// digests, so nobody can fill one shard or lengthen a probe. The slots are
// packed, and the tables have their addresses, as a table has to be half empty
// at times.
//
// Thread-safe. Writers: one at a time for any one digest.
class TokenIndex {
 public:
  explicit TokenIndex(MetadataEncoder encoder = nullptr) : encoder_(encoder) {}
  TokenIndex(const TokenIndex&) = delete;
  TokenIndex& operator=(const TokenIndex&) = delete;

  // Calls `visit(IndexSlot&)` for the secret of `digest`, under its shard's
  // lock: it must be short and not use the index, and may mark a use. Returns
  // whether it is there.
  template <typename Visitor>
  bool Visit(const TokenDigest& digest, Visitor&& visit) {
    Shard& shard = ShardOf(digest);
    MutexLock lock(&shard.mutex);
    // All that a probe reads first at once, not one after the other.
    shard.slots.prefetch(digest);
    const auto found = shard.slots.find(digest);
    if (found == shard.slots.end()) return false;
    IndexSlot& slot = **found;
    const uint32_t used_before = slot.used_minute;
    visit(slot);
    if (slot.used_minute != used_before && !slot.has_new_use) {
      slot.has_new_use = 1;
      shard.used.push_back(&slot);
    }
    return true;
  }

  // Makes `entry` the whole truth about its digest.
  void Put(const IndexEntry& entry);
  // The same for many, each with a digest of its own. Fast where they share,
  // and as memory is waited for by several at once.
  void PutAll(absl::Span<const SharedEntry> entries);

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

  // How many different values the tokens have in common.
  struct Distinct {
    size_t projects = 0;
    size_t creators = 0;
    size_t scope_sets = 0;
    size_t metadata_sets = 0;
  };
  Distinct distinct() const;

  // About what different metadata costs besides its encoded form: the node that
  // keeps it, its place in the table, and what the allocator rounds up.
  static constexpr int64_t kMetadataNodeBytes = 96;
  // The bytes that different metadata takes: each encoded, and its node.
  int64_t metadata_bytes() const { return metadata_.weight(); }
  // Whether a secret has the same metadata.
  bool HasMetadata(const Metadata& metadata) const {
    return metadata_.Has(Encode(metadata));
  }

 private:
  static constexpr size_t kShards = 4096;

  // A slot is known by the digest in it.
  struct SlotHash {
    using is_transparent = void;
    size_t operator()(const TokenDigest& digest) const {
      return digest.Prefix();
    }
    size_t operator()(const IndexSlot* slot) const {
      return slot->digest.Prefix();
    }
  };
  struct SlotEqual {
    using is_transparent = void;
    bool operator()(const IndexSlot* slot, const TokenDigest& digest) const {
      return slot->digest == digest;
    }
    bool operator()(const IndexSlot* a, const IndexSlot* b) const {
      return a->digest == b->digest;
    }
  };

  struct alignas(64) Shard {
    mutable Mutex mutex;
    absl::flat_hash_set<IndexSlot*, SlotHash, SlotEqual> slots
        ABSL_GUARDED_BY(mutex);
    // Those that have a new use.
    std::vector<IndexSlot*> used ABSL_GUARDED_BY(mutex);
  };

  // The hash table within a shard uses the digest's first bytes, so the shard
  // is chosen by its last.
  Shard& ShardOf(const TokenDigest& digest) {
    const absl::string_view bytes = digest.bytes();
    const size_t low = static_cast<uint8_t>(bytes[TokenDigest::kSize - 1]);
    const size_t high = static_cast<uint8_t>(bytes[TokenDigest::kSize - 2]);
    return (*shards_)[(high << 8 | low) % kShards];
  }

  // Empty if nobody encodes.
  std::string Encode(const Metadata& metadata) const {
    return encoder_ == nullptr ? std::string() : encoder_(metadata);
  }
  // Makes `value`, which has its references, the truth about its digest.
  void Insert(const IndexSlot& value);
  // Fetches what Insert() will look at into the processor's cache.
  void Prefetch(const SharedEntry& entry);
  // Gives back `slot`, and what it has in common with others. Nobody may see it
  // any more.
  void Release(IndexSlot* slot);
  // Forgets the slots of which `goes` is true; calls it once for each.
  void Evict(Shard& shard, absl::FunctionRef<bool(const IndexSlot&)> goes);

  const MetadataEncoder encoder_;
  Interner<ProjectId> projects_;
  Interner<std::string> creators_;
  Interner<ScopeSet> scopes_;
  Interner<std::string> metadata_{[](const std::string& encoded) {
    return kMetadataNodeBytes + static_cast<int64_t>(encoded.size());
  }};
  SlotPool<IndexSlot> pool_;
  std::unique_ptr<std::array<Shard, kShards>> shards_ =
      std::make_unique<std::array<Shard, kShards>>();
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_TOKEN_INDEX_H_
