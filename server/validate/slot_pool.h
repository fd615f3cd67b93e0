// Memory for the slots of the index.
#ifndef WEMASY_SERVER_VALIDATE_SLOT_POOL_H_
#define WEMASY_SERVER_VALIDATE_SLOT_POOL_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "common/mutex.h"

namespace wemasy::tokens {

// Values of one type, packed. Takes memory from the system in pieces of a huge
// page, where it has these: a processor that looks for one of millions of
// values knows where each such page is, and of ordinary ones it does not. What
// was given back is for the next ones, and goes back to the system with the
// pool.
//
// Thread-safe.
template <typename T>
class SlotPool {
 public:
  SlotPool() = default;
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  // The copy stays where it is until it is given back.
  T* Take(const T& value) { return new (TakePlace()) T(value); }

  void GiveBack(T* value) {
    MutexLock lock(&mutex_);
    free_.push_back(value);
  }

 private:
  static_assert(std::is_trivially_destructible_v<T>, "none is destroyed");

  static constexpr size_t kHugePage = size_t{2} << 20;
  static constexpr size_t kPerPiece = kHugePage / sizeof(T);

  struct Free {
    void operator()(void* piece) const { std::free(piece); }
  };

  void* TakePlace() {
    MutexLock lock(&mutex_);
    if (!free_.empty()) {
      T* const place = free_.back();
      free_.pop_back();
      return place;
    }
    if (taken_ == pieces_.size() * kPerPiece) {
      void* const piece = std::aligned_alloc(kHugePage, kHugePage);
      if (piece == nullptr) throw std::bad_alloc();
      // Without it everything works, but slower.
      ::madvise(piece, kHugePage, MADV_HUGEPAGE);
      pieces_.emplace_back(piece);
    }
    return static_cast<T*>(pieces_.back().get()) + taken_++ % kPerPiece;
  }

  Mutex mutex_;
  std::vector<std::unique_ptr<void, Free>> pieces_ ABSL_GUARDED_BY(mutex_);
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<T*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_SLOT_POOL_H_
