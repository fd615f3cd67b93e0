// Values that many tokens have in common.
#ifndef WEMASY_SERVER_VALIDATE_INTERNER_H_
#define WEMASY_SERVER_VALIDATE_INTERNER_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/node_hash_map.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Keeps one copy of each value, as long as somebody uses it.
//
// Thread-safe. Whoever has a value may read it without a lock.
template <typename T>
class Interner {
 public:
  Interner() = default;
  Interner(const Interner&) = delete;
  Interner& operator=(const Interner&) = delete;

  // Returns the one copy of `value`. It stays where it is until Release() was
  // called as often as this.
  const T* Acquire(const T& value) {
    MutexLock lock(&mutex_);
    auto& shared = *users_.try_emplace(value, 0).first;
    ++shared.second;
    return &shared.first;
  }

  void Release(const T* shared) {
    MutexLock lock(&mutex_);
    const auto found = users_.find(*shared);
    if (--found->second == 0) users_.erase(found);
  }

  // How many different values there are.
  size_t size() const {
    MutexLock lock(&mutex_);
    return users_.size();
  }

 private:
  mutable Mutex mutex_;
  // Its nodes stay where they are.
  absl::node_hash_map<T, int64_t> users_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_INTERNER_H_
