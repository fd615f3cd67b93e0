// Values that many tokens have in common.
#ifndef WEMASY_SERVER_VALIDATE_INTERNER_H_
#define WEMASY_SERVER_VALIDATE_INTERNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/container/node_hash_map.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Keeps one copy of each value, as long as somebody uses it, and knows what all
// of them weigh. Split by the values' hashes, with a lock each, so that threads
// that load millions seldom wait for each other.
//
// Thread-safe. Whoever has a value may read it without a lock.
template <typename T>
class Interner {
 public:
  // `weigh` says what a value weighs, always the same; without it, nothing.
  explicit Interner(int64_t (*weigh)(const T&) = nullptr) : weigh_(weigh) {}
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // Returns the one copy of `value`, for so many users. It stays where it is
  // until each of them has called Release().
  const T* Acquire(const T& value, int64_t users = 1) {
    const size_t hash = Hash(value);
    Part& part = PartOf(hash);
    MutexLock lock(&part.mutex);
    auto found = part.users.find(value, hash);
    if (found == part.users.end()) {
      found = part.users.try_emplace(value, 0).first;
      part.weight += WeightOf(value);
    }
    found->second += users;
    return &found->first;
  }

  void Release(const T* shared) {
    const size_t hash = Hash(*shared);
    Part& part = PartOf(hash);
    MutexLock lock(&part.mutex);
    const auto found = part.users.find(*shared, hash);
    if (--found->second > 0) return;
    part.weight -= WeightOf(found->first);
    part.users.erase(found);
  }

  // Fetches what Acquire() will look at into the processor's cache.
  void Prefetch(const T& value) {
    Part& part = PartOf(Hash(value));
    MutexLock lock(&part.mutex);
    part.users.prefetch(value);
  }

  // Whether somebody uses `value`.
  bool Has(const T& value) const {
    const size_t hash = Hash(value);
    const Part& part = PartOf(hash);
    MutexLock lock(&part.mutex);
    return part.users.find(value, hash) != part.users.end();
  }

  // How many different values there are.
  size_t size() const {
    size_t size = 0;
    for (const Part& part : parts_) {
      MutexLock lock(&part.mutex);
      size += part.users.size();
    }
    return size;
  }

  // What the different values weigh.
  int64_t weight() const {
    int64_t weight = 0;
    for (const Part& part : parts_) {
      MutexLock lock(&part.mutex);
      weight += part.weight;
    }
    return weight;
  }

 private:
  static constexpr int kPartBits = 5;
  // The tables use the lowest bits first.
  static constexpr int kPartShift =
      std::numeric_limits<size_t>::digits - kPartBits;

  // Its nodes stay where they are.
  using Users = absl::node_hash_map<T, int64_t>;
  struct alignas(64) Part {
    mutable Mutex mutex;
    Users users ABSL_GUARDED_BY(mutex);
    int64_t weight ABSL_GUARDED_BY(mutex) = 0;
  };

  static size_t Hash(const T& value) { return typename Users::hasher()(value); }
  Part& PartOf(size_t hash) { return parts_[hash >> kPartShift]; }
  const Part& PartOf(size_t hash) const { return parts_[hash >> kPartShift]; }
  int64_t WeightOf(const T& value) const {
    return weigh_ == nullptr ? 0 : weigh_(value);
  }

  int64_t (*const weigh_)(const T&);
  std::array<Part, size_t{1} << kPartBits> parts_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_INTERNER_H_
