#include "server/validate/token_index.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

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

// What is in a slot besides references to what tokens have in common.
template <typename Entry>
IndexSlot MakeBareSlot(const Entry& entry) {
  IndexSlot slot;
  slot.digest = entry.digest;
  slot.token = entry.name.token;
  slot.expire_nanos = NanosOrNever(entry.expire_time);
  slot.dead_nanos =
      entry.dead_at ? NanosOrNever(*entry.dead_at) : IndexSlot::kNever;
  slot.is_old = entry.is_old;
  return slot;
}

// The users of one value among entries, and the copy that they share.
template <typename T>
struct Common {
  int64_t users = 0;
  const T* shared = nullptr;
};

}  // namespace

void TokenIndex::Release(IndexSlot* slot) {
  projects_.Release(slot->project);
  creators_.Release(slot->creator);
  scopes_.Release(slot->scopes);
  metadata_.Release(slot->metadata);
  pool_.GiveBack(slot);
}

void TokenIndex::Put(const IndexEntry& entry) {
  IndexSlot slot = MakeBareSlot(entry);
  slot.project = projects_.Acquire(entry.name.project);
  slot.creator = creators_.Acquire(entry.creator);
  slot.scopes = scopes_.Acquire(entry.scopes);
  slot.metadata = metadata_.Acquire(Encode(entry.metadata));
  Insert(slot);
}

void TokenIndex::PutAll(absl::Span<const SharedEntry> entries) {
  // Once for all that share a value, as it would be hashed, and metadata
  // encoded, for each.
  absl::flat_hash_map<const ScopeSet*, Common<ScopeSet>> scopes;
  absl::flat_hash_map<const Metadata*, Common<std::string>> metadata;
  for (const SharedEntry& entry : entries) {
    ++scopes[entry.scopes].users;
    ++metadata[entry.metadata].users;
  }
  for (auto& [value, common] : scopes) {
    common.shared = scopes_.Acquire(*value, common.users);
  }
  for (auto& [value, common] : metadata) {
    common.shared = metadata_.Acquire(Encode(*value), common.users);
  }

  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i + 2 * kAhead < entries.size()) {
      __builtin_prefetch(&ShardOf(entries[i + 2 * kAhead].digest), 1);
    }
    if (i + kAhead < entries.size()) Prefetch(entries[i + kAhead]);
    const SharedEntry& entry = entries[i];
    IndexSlot slot = MakeBareSlot(entry);
    slot.project = projects_.Acquire(entry.name.project);
    slot.creator = creators_.Acquire(entry.creator);
    slot.scopes = scopes.find(entry.scopes)->second.shared;
    slot.metadata = metadata.find(entry.metadata)->second.shared;
    Insert(slot);
  }
}

void TokenIndex::Prefetch(const SharedEntry& entry) {
  projects_.Prefetch(entry.name.project);
  creators_.Prefetch(entry.creator);
  Shard& shard = ShardOf(entry.digest);
  MutexLock lock(&shard.mutex);
  shard.slots.prefetch(entry.digest);
}

void TokenIndex::Insert(const IndexSlot& value) {
  IndexSlot* const slot = pool_.Take(value);
  Shard& shard = ShardOf(value.digest);
  {
    MutexLock lock(&shard.mutex);
    const auto [found, is_new] = shard.slots.insert(slot);
    if (is_new) return;
    IndexSlot& there = **found;
    slot->used_minute = there.used_minute;
    slot->has_new_use = there.has_new_use;
    std::swap(*slot, there);
  }
  Release(slot);
}

void TokenIndex::Clear() {
  for (Shard& shard : *shards_) {
    Evict(shard, [](const IndexSlot&) { return true; });
  }
}

std::vector<TokenUse> TokenIndex::DrainUses() {
  std::vector<TokenUse> uses;
  for (Shard& shard : *shards_) {
    MutexLock lock(&shard.mutex);
    for (IndexSlot* const slot : shard.used) {
      slot->has_new_use = 0;
      uses.push_back({slot->token, slot->is_old != 0,
                      absl::FromUnixSeconds(int64_t{60} * slot->used_minute)});
    }
    shard.used.clear();
  }
  return uses;
}

void TokenIndex::Evict(Shard& shard,
                       absl::FunctionRef<bool(const IndexSlot&)> goes) {
  std::vector<IndexSlot*> gone;
  {
    MutexLock lock(&shard.mutex);
    absl::erase_if(shard.slots, [&](IndexSlot* slot) {
      if (!goes(*slot)) return false;
      slot->has_new_use = 0;
      gone.push_back(slot);
      return true;
    });
    if (gone.empty()) return;
    shard.used.erase(
        std::remove_if(shard.used.begin(), shard.used.end(),
                       [](IndexSlot* slot) { return !slot->has_new_use; }),
        shard.used.end());
  }
  for (IndexSlot* const slot : gone) Release(slot);
}

TokenIndex::Census TokenIndex::EvictDead(absl::Time now, absl::Duration max_age,
                                         int64_t max_dead) {
  const int64_t now_nanos = absl::ToUnixNanos(now);
  const int64_t too_old = absl::ToUnixNanos(now - max_age);
  Census census;
  std::vector<int64_t> ends;
  for (Shard& shard : *shards_) {
    Evict(shard, [&](const IndexSlot& slot) {
      const int64_t end = EndOf(slot);
      if (end < too_old) return true;
      if (end <= now_nanos) {
        ends.push_back(end);
      } else {
        ++census.live;
      }
      return false;
    });
  }
  census.dead = static_cast<int64_t>(ends.size());

  const int64_t excess = census.dead - std::max(max_dead, census.live / 10);
  if (excess <= 0) return census;
  const auto youngest_to_go = ends.begin() + excess - 1;
  std::nth_element(ends.begin(), youngest_to_go, ends.end());
  const int64_t cutoff = *youngest_to_go;
  for (Shard& shard : *shards_) {
    Evict(shard, [&](const IndexSlot& slot) {
      const bool goes = EndOf(slot) <= cutoff;
      if (goes) --census.dead;
      return goes;
    });
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

TokenIndex::Distinct TokenIndex::distinct() const {
  return {projects_.size(), creators_.size(), scopes_.size(), metadata_.size()};
}

}  // namespace wemasy::tokens
