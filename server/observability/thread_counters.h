// Counters for the hot path: an increment costs about a nanosecond and never
// waits.
//
// Every thread counts in cache lines of its own, which only a reader adds up.
#ifndef WEMASY_SERVER_OBSERVABILITY_THREAD_COUNTERS_H_
#define WEMASY_SERVER_OBSERVABILITY_THREAD_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace wemasy::tokens {

// The threads that have a place of their own; all others share one more.
inline constexpr int kExclusiveThreadSlots = 63;
inline constexpr int kThreadSlots = kExclusiveThreadSlots + 1;

// The calling thread's place, given back when the thread ends: below
// kExclusiveThreadSlots it is the thread's alone.
int ThreadSlot();

// `N` numbers that only grow. Thread-safe.
template <size_t N>
class ThreadCounters {
 public:
  ThreadCounters() : slots_(std::make_unique<Slots>()) {}
  ThreadCounters(const ThreadCounters&) = delete;
  ThreadCounters& operator=(const ThreadCounters&) = delete;

  // Adds `amount` to counter `i` of a thread whose ThreadSlot() is `slot`.
  void Add(int slot, size_t i, uint64_t amount = 1) {
    std::atomic<uint64_t>& cell = (*slots_)[slot].cells[i];
    if (slot < kExclusiveThreadSlots) {
      // Nobody else writes it, so no locked instruction is needed.
      cell.store(cell.load(std::memory_order_relaxed) + amount,
                 std::memory_order_relaxed);
    } else {
      cell.fetch_add(amount, std::memory_order_relaxed);
    }
  }

  // Counter `i` of all threads together.
  uint64_t Sum(size_t i) const {
    uint64_t sum = 0;
    for (const Slot& slot : *slots_) {
      sum += slot.cells[i].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  struct alignas(64) Slot {
    std::array<std::atomic<uint64_t>, N> cells{};
  };
  using Slots = std::array<Slot, kThreadSlots>;

  std::unique_ptr<Slots> slots_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_THREAD_COUNTERS_H_
