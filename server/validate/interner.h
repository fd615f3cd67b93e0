// Values that many tokens have in common.
#ifndef WEMASY_SERVER_VALIDATE_INTERNER_H_
#define WEMASY_SERVER_VALIDATE_INTERNER_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/node_hash_map.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Keeps one copy of each value, as long as somebody uses it, and knows what all
// of them weigh.
//
// Thread-safe. Whoever has a value may read it without a lock.
template <typename T>
class Interner {
 public:
  // `weigh` says what a value weighs, always the same; without it, nothing.
  explicit Interner(int64_t (*weigh)(const T&) = nullptr) : weigh_(weigh) {}
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // Returns the one copy of `value`. It stays where it is until Release() was
  // called as often as this.
  const T* Acquire(const T& value) {
    MutexLock lock(&mutex_);
    const auto [found, is_new] = users_.try_emplace(value, 0);
    if (is_new) weight_ += WeightOf(value);
    ++found->second;
    return &found->first;
  }

  void Release(const T* shared) {
    MutexLock lock(&mutex_);
    const auto found = users_.find(*shared);
    if (--found->second > 0) return;
    weight_ -= WeightOf(found->first);
    users_.erase(found);
  }

  // Whether somebody uses `value`.
  bool Has(const T& value) const {
    MutexLock lock(&mutex_);
    return users_.contains(value);
  }

  // How many different values there are.
  size_t size() const {
    MutexLock lock(&mutex_);
    return users_.size();
  }

  // What the different values weigh.
  int64_t weight() const {
    MutexLock lock(&mutex_);
    return weight_;
  }

 private:
  int64_t WeightOf(const T& value) const {
    return weigh_ == nullptr ? 0 : weigh_(value);
  }

  int64_t (*const weigh_)(const T&);
  mutable Mutex mutex_;
  // Its nodes stay where they are.
  absl::node_hash_map<T, int64_t> users_ ABSL_GUARDED_BY(mutex_);
  int64_t weight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_INTERNER_H_
