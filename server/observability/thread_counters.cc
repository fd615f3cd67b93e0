#include "server/observability/thread_counters.h"

#include <vector>

#include "common/mutex.h"

namespace wemasy::tokens {
namespace {

// Hands out the exclusive places. Its mutex orders a thread's last count
// before the first one of the next thread in the same place.
class SlotPool {
 public:
  SlotPool() {
    // The lowest first.
    for (int slot = kExclusiveThreadSlots - 1; slot >= 0; --slot) {
      free_.push_back(slot);
    }
  }

  int Take() {
    MutexLock lock(&mutex_);
    if (free_.empty()) return kExclusiveThreadSlots;
    const int slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void GiveBack(int slot) {
    if (slot == kExclusiveThreadSlots) return;
    MutexLock lock(&mutex_);
    free_.push_back(slot);
  }

 private:
  Mutex mutex_;
  std::vector<int> free_ ABSL_GUARDED_BY(mutex_);
};

// Never destroyed: threads may end after main does.
SlotPool& Pool() {
  static SlotPool* const pool = new SlotPool;
  return *pool;
}

struct SlotOwner {
  SlotOwner() : slot(Pool().Take()) {}
  ~SlotOwner() { Pool().GiveBack(slot); }
  const int slot;
};

}  // namespace

int ThreadSlot() {
  thread_local const SlotOwner owner;
  return owner.slot;
}

}  // namespace wemasy::tokens
