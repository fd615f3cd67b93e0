// The answers that a thread had just before, close to it.
#ifndef WEMASY_CLIENT_CPP_HOT_ANSWERS_H_
#define WEMASY_CLIENT_CPP_HOT_ANSWERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/optional.h"
#include "client/cpp/answer_cache.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "common/crypto/digest.h"

namespace wemasy::tokens {

// Copies of a session's answers, in a slot for each thread, so that threads
// that ask for the same token write to no memory in common, and none waits for
// another. A copy is good until the session's next change, whatever that is
// about; then the session is asked again.
//
// Thread-safe. Waits for nobody: threads whose slots are the same may find
// nothing.
class HotAnswers {
 public:
  // `clock` must outlive this object.
  explicit HotAnswers(const BootClock* clock) : clock_(*clock) {}

  // Returns the copy, if there is one and its session's lease holds.
  absl::optional<Answer> Find(const TokenDigest& digest);

  // Copies an answer that `session` gave after it was of `version`.
  void Keep(const WatchSession& session, uint64_t version,
            const TokenDigest& digest, const Answer& answer);

  // How many copies were found.
  int64_t hits() const;

 private:
  // Threads beyond that share slots. A slot's answers are the last that its
  // thread asked for; one that is not there costs a look-up in the session.
  static constexpr size_t kSlots = 64;
  static constexpr size_t kAnswers = 64;

  struct Copy {
    // 0 for none: a session's versions begin with 1.
    uint64_t version = 0;
    TokenDigest digest;
    Answer answer;
  };

  struct alignas(64) Slot {
    std::atomic_flag is_taken = ATOMIC_FLAG_INIT;
    // Written by who has the slot.
    std::atomic<int64_t> hits{0};
    // The rest is for who has the slot.
    std::shared_ptr<const SessionState> session;
    // Made when a thread first has an answer to copy.
    std::unique_ptr<std::array<Copy, kAnswers>> copies;

    Copy& CopyOf(const TokenDigest& digest) {
      return (*copies)[digest.Prefix() % kAnswers];
    }
  };

  // Has a thread's slot until its end, if nobody else has it.
  class Holder {
   public:
    explicit Holder(Slot& slot)
        : slot_(slot.is_taken.test_and_set(std::memory_order_acquire) ? nullptr
                                                                      : &slot) {
    }
    ~Holder() {
      if (slot_ != nullptr) slot_->is_taken.clear(std::memory_order_release);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    // Null if somebody has it.
    Slot* get() const { return slot_; }

   private:
    Slot* const slot_;
  };

  Slot& SlotOfThread();

  const BootClock& clock_;
  const std::unique_ptr<std::array<Slot, kSlots>> slots_ =
      std::make_unique<std::array<Slot, kSlots>>();
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_HOT_ANSWERS_H_
