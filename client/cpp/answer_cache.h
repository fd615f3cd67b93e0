// Answers of AuthService.Validate, by token, in bounded memory.
#ifndef WEMASY_CLIENT_CPP_ANSWER_CACHE_H_
#define WEMASY_CLIENT_CPP_ANSWER_CACHE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/optional.h"
#include "client/cpp/token_client.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// What a server said of a token, no requirements asked.
struct Answer {
  v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
  // Null for UNKNOWN.
  std::shared_ptr<const TokenIdentity> identity;
  // When a VALID one ends by itself.
  BootTime end = BootTime::InfiniteFuture();
};

// About so many entries at most, no fewer than two: half of them are old. An
// entry that is not used until the new half is full goes with the old one.
class AnswerGenerations {
 public:
  void set_limit(size_t limit) { limit_ = limit; }
  // Null if it is not there. Valid until the next call.
  const Answer* Find(const TokenDigest& digest);
  bool Has(const TokenDigest& digest) const {
    return young_.contains(digest) || old_.contains(digest);
  }
  void Put(const TokenDigest& digest, Answer answer);
  void Drop(const TokenDigest& digest);
  void Clear();

 private:
  using Map = absl::flat_hash_map<TokenDigest, Answer>;

  size_t limit_ = 0;
  Map young_;
  Map old_;
};

// Split into shards with a lock each, so that look-ups do not wait for each
// other.
//
// Find is thread-safe; the others are for one thread at a time.
class AnswerCache {
 public:
  AnswerCache(size_t max_answers, size_t max_unknown);

  absl::optional<Answer> Find(const TokenDigest& digest);

  void Put(const TokenDigest& digest, Answer answer);
  // Forgets what is known of the token's secrets.
  void Drop(const std::string& token_name);
  // Forgets which tokens were UNKNOWN.
  void DropUnknown();

 private:
  static constexpr size_t kShards = 64;

  struct alignas(64) Shard {
    Mutex mutex;
    AnswerGenerations known ABSL_GUARDED_BY(mutex);
    AnswerGenerations unknown ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardOf(const TokenDigest& digest) {
    // The hash table uses the first bytes.
    return (*shards_)[static_cast<unsigned char>(
                          digest.bytes()[TokenDigest::kSize - 1]) %
                      kShards];
  }
  // Not a use of it.
  bool IsKnown(const TokenDigest& digest);
  void ForgetGone();

  const size_t max_names_;
  const std::unique_ptr<std::array<Shard, kShards>> shards_ =
      std::make_unique<std::array<Shard, kShards>>();
  // The secrets of a token whose answers were put; some may be gone already.
  absl::flat_hash_map<std::string, absl::InlinedVector<TokenDigest, 2>>
      digests_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_ANSWER_CACHE_H_
