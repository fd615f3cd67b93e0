// One stream of changes at the client, and the answers kept under it: rules 7,
// 8 and 14 of docs/coherence.md.
#ifndef WEMASY_CLIENT_CPP_WATCH_SESSION_H_
#define WEMASY_CLIENT_CPP_WATCH_SESSION_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/answer_cache.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Which memory an answer comes from.
struct AnswerOrigin {
  std::string incarnation;
  // The last change that was in it before the look-up.
  int64_t seq = 0;
};

// Answers, and the lease to use them. Nothing outlives its stream: after a
// broken one, a new object begins without answers and without a lease, while
// who still holds the old one may finish with its lease.
//
// Thread-safe; the stream's events come from one thread.
class WatchSession {
 public:
  // The stream begins: it tells of every change after `origin`. `clock` must
  // outlive this object.
  WatchSession(AnswerOrigin origin, size_t max_answers, size_t max_unknown,
               const BootClock* clock);

  // The stream's events.

  // A change; `token` is the resource name of what it is about, or empty.
  // Returns DataLoss if it is not the next one: the session is to be ended.
  absl::Status Apply(int64_t seq, const std::string& token, bool is_live);
  // Leave for `ttl`, asked for at `pinged_at`, for who has applied all changes
  // up to `seq`.
  void Grant(BootTime pinged_at, absl::Duration ttl, int64_t seq);
  // The stream is over: no answer is kept any more.
  void End();

  // Returns the answer that is kept, if there is one and the lease holds.
  absl::optional<Answer> Find(const TokenDigest& digest);

  // Keeps an answer, if it is surely as new as what the stream has told.
  // Returns whether it does.
  bool Keep(const TokenDigest& digest, const Answer& answer,
            const AnswerOrigin& origin);

  const std::string& incarnation() const { return incarnation_; }
  // The last change that was applied.
  int64_t applied() const;
  // Whether the lease holds now.
  bool has_lease() const { return clock_.Now() < lease_end(); }

 private:
  BootTime lease_end() const {
    return BootTime::FromNanos(lease_end_.load(std::memory_order_acquire));
  }

  const std::string incarnation_;
  const BootClock& clock_;
  std::atomic<int64_t> lease_end_{0};

  // What orders the stream's events and the answers that come in.
  mutable Mutex mutex_;
  int64_t applied_ ABSL_GUARDED_BY(mutex_);
  bool is_over_ ABSL_GUARDED_BY(mutex_) = false;
  // Written under the mutex; look-ups need none.
  AnswerCache cache_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_WATCH_SESSION_H_
