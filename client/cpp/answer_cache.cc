#include "client/cpp/answer_cache.h"

#include <algorithm>
#include <utility>

namespace wemasy::tokens {
namespace {

size_t LimitOfShard(size_t limit, size_t shards) {
  return (limit + shards - 1) / shards;
}

}  // namespace

const Answer* AnswerGenerations::Find(const TokenDigest& digest) {
  const auto young = young_.find(digest);
  if (young != young_.end()) return &young->second;
  const auto old = old_.find(digest);
  if (old == old_.end()) return nullptr;
  Put(digest, Answer(old->second));
  return &young_.find(digest)->second;
}

void AnswerGenerations::Put(const TokenDigest& digest, Answer answer) {
  if (limit_ == 0) return;
  if (young_.size() >= std::max<size_t>(1, limit_ / 2)) {
    old_ = std::exchange(young_, Map());
  }
  old_.erase(digest);
  young_[digest] = std::move(answer);
}

void AnswerGenerations::Drop(const TokenDigest& digest) {
  young_.erase(digest);
  old_.erase(digest);
}

void AnswerGenerations::Clear() {
  young_.clear();
  old_.clear();
}

AnswerCache::AnswerCache(size_t max_answers, size_t max_unknown)
    : max_names_(2 * max_answers) {
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    shard.known.set_limit(LimitOfShard(max_answers, kShards));
    shard.unknown.set_limit(LimitOfShard(max_unknown, kShards));
  }
}

absl::optional<Answer> AnswerCache::Find(const TokenDigest& digest) {
  Shard& shard = ShardOf(digest);
  MutexLock lock(&shard.mutex);
  const Answer* answer = shard.known.Find(digest);
  if (answer == nullptr) answer = shard.unknown.Find(digest);
  if (answer == nullptr) return absl::nullopt;
  return *answer;
}

void AnswerCache::Put(const TokenDigest& digest, Answer answer) {
  if (answer.identity != nullptr) {
    if (digests_.size() >= max_names_) ForgetGone();
    auto& digests = digests_[answer.identity->name];
    if (std::find(digests.begin(), digests.end(), digest) == digests.end()) {
      digests.push_back(digest);
    }
  }
  Shard& shard = ShardOf(digest);
  MutexLock lock(&shard.mutex);
  (answer.identity == nullptr ? shard.unknown : shard.known)
      .Put(digest, std::move(answer));
}

void AnswerCache::Drop(const std::string& token_name) {
  const auto found = digests_.find(token_name);
  if (found == digests_.end()) return;
  for (const TokenDigest& digest : found->second) {
    Shard& shard = ShardOf(digest);
    MutexLock lock(&shard.mutex);
    shard.known.Drop(digest);
  }
  digests_.erase(found);
}

void AnswerCache::DropUnknown() {
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    shard.unknown.Clear();
  }
}

bool AnswerCache::IsKnown(const TokenDigest& digest) {
  Shard& shard = ShardOf(digest);
  MutexLock lock(&shard.mutex);
  return shard.known.Has(digest);
}

void AnswerCache::ForgetGone() {
  for (auto it = digests_.begin(); it != digests_.end();) {
    auto& digests = it->second;
    digests.erase(std::remove_if(digests.begin(), digests.end(),
                                 [this](const TokenDigest& digest) {
                                   return !IsKnown(digest);
                                 }),
                  digests.end());
    if (digests.empty()) {
      digests_.erase(it++);
    } else {
      ++it;
    }
  }
}

}  // namespace wemasy::tokens
