#include "server/validate/token_index.h"

#include <algorithm>
#include <utility>

namespace wemasy::tokens {
namespace {

int64_t NanosOrNever(absl::Time time) {
  return time == absl::InfiniteFuture() ? IndexSlot::kNever
                                        : absl::ToUnixNanos(time);
}

// When the secret stopped or stops working.
int64_t EndOf(const IndexSlot& slot) {
  return std::min(slot.dead_nanos, slot.expire_nanos);
}

}  // namespace

void TokenIndex::Put(const IndexEntry& entry) {
  auto attributes = std::make_shared<TokenAttributes>();
  attributes->project = entry.name.project;
  attributes->scopes = entry.scopes;
  if (encoder_ != nullptr) attributes->encoded = encoder_(entry);

  Shard& shard = ShardOf(entry.digest);
  MutexLock lock(&shard.mutex);
  IndexSlot& slot = shard.slots[entry.digest];
  slot.token = entry.name.token;
  // Whoever holds the former attributes frees them.
  slot.attributes = std::move(attributes);
  slot.expire_nanos = NanosOrNever(entry.expire_time);
  slot.dead_nanos =
      entry.dead_at ? NanosOrNever(*entry.dead_at) : IndexSlot::kNever;
  slot.is_old = entry.is_old;
}

void TokenIndex::Clear() {
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    shard.slots.clear();
    shard.used.clear();
  }
}

std::vector<TokenUse> TokenIndex::DrainUses() {
  std::vector<TokenUse> uses;
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    std::sort(shard.used.begin(), shard.used.end());
    shard.used.erase(std::unique(shard.used.begin(), shard.used.end()),
                     shard.used.end());
    for (const TokenDigest& digest : shard.used) {
      const auto found = shard.slots.find(digest);
      if (found == shard.slots.end()) continue;
      const IndexSlot& slot = found->second;
      uses.push_back({slot.token, slot.is_old,
                      absl::FromUnixSeconds(int64_t{60} * slot.used_minute)});
    }
    shard.used.clear();
  }
  return uses;
}

TokenIndex::Census TokenIndex::EvictDead(absl::Time now, absl::Duration max_age,
                                         int64_t max_dead) {
  const int64_t now_nanos = absl::ToUnixNanos(now);
  const int64_t too_old = absl::ToUnixNanos(now - max_age);
  Census census;
  std::vector<int64_t> ends;
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    absl::erase_if(shard.slots, [&](const auto& item) {
      return EndOf(item.second) < too_old;
    });
    for (const auto& [digest, slot] : shard.slots) {
      if (EndOf(slot) <= now_nanos) ends.push_back(EndOf(slot));
    }
    census.live += static_cast<int64_t>(shard.slots.size());
  }
  census.dead = static_cast<int64_t>(ends.size());
  census.live -= census.dead;

  const int64_t excess = census.dead - std::max(max_dead, census.live / 10);
  if (excess <= 0) return census;
  const auto youngest_to_go = ends.begin() + excess - 1;
  std::nth_element(ends.begin(), youngest_to_go, ends.end());
  const int64_t cutoff = *youngest_to_go;
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    census.dead -=
        static_cast<int64_t>(absl::erase_if(shard.slots, [&](const auto& item) {
          return EndOf(item.second) <= cutoff;
        }));
  }
  return census;
}

int64_t TokenIndex::size() const {
  int64_t size = 0;
  for (const Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    size += static_cast<int64_t>(shard.slots.size());
  }
  return size;
}

}  // namespace wemasy::tokens
