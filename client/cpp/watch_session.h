// One stream of changes at the client, and the answers kept under it: rules 7,
// 8 and 14 of docs/coherence.md.
#ifndef WEMASY_CLIENT_CPP_WATCH_SESSION_H_
#define WEMASY_CLIENT_CPP_WATCH_SESSION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
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
  // The number of the stream that tells of what changes the answer; 0 for each
  // stream of a server that tells all of them of everything.
  int64_t stream = 0;
};

// What whoever has copies of a session's answers has to look at. Thread-safe.
class SessionState {
 public:
  // Until when answers may be used, as far as is known.
  BootTime lease_end() const {
    return BootTime::FromNanos(lease_end_.load(std::memory_order_acquire));
  }
  // Another number whenever an answer that was found before may not be found
  // any more; at least 1.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  friend class WatchSession;

  std::atomic<int64_t> lease_end_{0};
  std::atomic<uint64_t> version_{1};
};

// Answers, and the lease to use them. Nothing outlives its stream: after a
// broken one, a new object begins without answers and without a lease, while
// who still holds the old one may finish with its lease.
//
// Thread-safe; the stream's events come from one thread.
class WatchSession {
 public:
  // The stream of that number begins: it tells of changes after `origin`.
  // `clock` must outlive this object.
  WatchSession(AnswerOrigin origin, size_t max_answers, size_t max_unknown,
               const BootClock* clock);

  // The stream's events.

  // A change, told after change `previous_seq`; `token` is the resource name of
  // what it is about, or empty. Returns DataLoss if another one was told
  // before: the session is to be ended.
  absl::Status Apply(int64_t previous_seq, int64_t seq,
                     const std::string& token, bool is_live);
  // Leave for `ttl`, asked for at `pinged_at`, for who has applied all changes
  // that were told up to `seq`.
  void Grant(BootTime pinged_at, absl::Duration ttl, int64_t seq);
  // The stream is over: no answer is kept any more.
  void End();

  // Returns the answer that is kept, if there is one and the lease holds.
  absl::optional<Answer> Find(const TokenDigest& digest);

  // Keeps an answer, if it is surely as new as what the stream has told.
  // Returns whether it does.
  bool Keep(const TokenDigest& digest, const Answer& answer,
            const AnswerOrigin& origin);

  // Lives on with who has copies.
  const std::shared_ptr<const SessionState>& state() const { return public_; }

  // Its replica.
  const std::string& incarnation() const { return incarnation_; }
  // The stream's number.
  int64_t stream() const { return stream_; }
  // Whether the session's stream tells of what changes the answer.
  bool TellsOf(const AnswerOrigin& origin) const {
    return origin.incarnation == incarnation_ && origin.stream == stream_;
  }
  // The last change that was applied.
  int64_t applied() const;
  // Whether the lease holds now.
  bool has_lease() const { return clock_.Now() < state_->lease_end(); }

 private:
  void MakeVersion() {
    state_->version_.fetch_add(1, std::memory_order_release);
  }

  const std::string incarnation_;
  const int64_t stream_;
  const BootClock& clock_;
  const std::shared_ptr<SessionState> state_ = std::make_shared<SessionState>();
  const std::shared_ptr<const SessionState> public_ = state_;

  // What orders the stream's events and the answers that come in.
  mutable Mutex mutex_;
  int64_t applied_ ABSL_GUARDED_BY(mutex_);
  bool is_over_ ABSL_GUARDED_BY(mutex_) = false;
  // Written under the mutex; look-ups need none.
  AnswerCache cache_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_WATCH_SESSION_H_
