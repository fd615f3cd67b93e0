#include "server/observability/thread_counters.h"

#include <vector>

#include "common/mutex.h"

namespace wemasy::tokens {
namespace {

// Hands out the exclusive places. Its mutex orders a thread's last count
// before the first one of the next thread in the same place.
class CounterPlaces {
 public:
  CounterPlaces() {
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
CounterPlaces& Places() {
  static CounterPlaces* const pool = new CounterPlaces;
  return *pool;
}

struct SlotOwner {
  SlotOwner() : slot(Places().Take()) {}
  ~SlotOwner() { Places().GiveBack(slot); }
  const int slot;
};

}  // namespace

int ThreadSlot() {
  thread_local const SlotOwner owner;
  return owner.slot;
}

}  // namespace wemasy::tokens
