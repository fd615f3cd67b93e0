// The streams of caching clients, and what was granted on them: rules 5, 6 and
// 13 of docs/coherence.md.
#ifndef WEMASY_SERVER_COHERENCE_WATCH_HUB_H_
#define WEMASY_SERVER_COHERENCE_WATCH_HUB_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/api/watch_streams.h"
#include "server/coherence/noted_tokens.h"
#include "server/token/change.h"
#include "server/validate/lease.h"

namespace wemasy::tokens {

struct WatchOptions {
  // The longest grant: how long a client that is stopped or cut off can delay
  // a revocation.
  absl::Duration client_ttl = absl::Seconds(2);
  // More streams are refused.
  int max_streams = 1024;
  // A stream that is further behind is ended. The changes are kept once for
  // all streams.
  size_t max_backlog = 16'384;
  // About how long a stream lives. The transport must let each live a third
  // longer, even on a connection that it is about to end: a stream that breaks
  // holds up revocations until its grant has ended.
  absl::Duration stream_life = absl::Minutes(5);
};

// A client whose acknowledgement of a change is overdue by more than that gets
// no further grant until it comes, so that it delays no revocation for longer
// than the grant it has.
inline constexpr absl::Duration kAcknowledgePatience = absl::Milliseconds(250);

// Keeps the latest changes, which of them each stream has to tell of, and its
// grant. Memory is bounded: the changes are shared, and a stream has the
// numbers of so many at most, one grant to be sent, and a filter.
//
// Thread-safe.
class WatchHub final : public WatchStreams {
 public:
  // Both must outlive this object.
  WatchHub(WatchOptions options, const Lease* lease, const BootClock* clock);

  // For the API.
  absl::StatusOr<StreamId> Join(
      std::shared_ptr<WatchListener> listener) override;
  void TellOnlyOfNoted(StreamId id) override;
  bool Note(StreamId id, const absl::optional<TokenId>& token,
            int64_t applied) override;
  void Ping(StreamId id, int64_t ping) override;
  absl::Status Acknowledge(StreamId id, int64_t seq) override;
  WatchMessage Take(StreamId id) override;
  void Leave(StreamId id) override;
  ReplicaIdentity identity() const override;

  // For the thread that runs sync points.

  // The index is loaded up to `applied`; from now on streams may join. Must
  // not be called twice.
  void Open(const ReplicaIdentity& replica, int64_t applied);
  // The replica goes on, on another timeline.
  void SetTimeline(const std::string& timeline);
  // The index has the change, which is the next one. Before it is published
  // as applied.
  void Queue(const Change& change);
  // Tells the streams that have something to tell.
  void Deliver();
  // Lets no other stream join, gives no more grants, and ends each stream when
  // its last one has ended: at the next ping or call of Acked. Idempotent.
  void Retire();
  // Ends all streams at once, and lets no other join. Idempotent.
  void Close();

  // Ends the streams that have retired and whose clients say nothing more. The
  // last change, up to `applied`, that every client has applied, or need
  // not, that may still answer from its cache. An earlier answer for the same
  // `applied` may be higher, and stays true.
  int64_t Acked(int64_t applied);
  // When what Acked returned last may change though no client says anything:
  // a grant ends then. InfiniteFuture for never.
  BootTime NextExpiry() const;
  // When the last grant will have ended; in the past if none runs.
  BootTime GrantsEnd() const;
  // Calls `released` when all clients have caught up with what Acked was last
  // called with; by any thread, under no lock of this object. Empty for
  // nobody. A call may still come while this one runs, and not after it.
  void SetReleased(std::function<void()> released);

  // How many streams there are.
  int64_t streams() const;

 private:
  struct QueuedChange {
    WatchedChange change;
    // Nothing for a change that is about no token.
    absl::optional<TokenId> token;
    BootTime queued_at;
  };
  struct Stream {
    std::shared_ptr<WatchListener> listener;
    bool has_hello = true;
    // Nothing was left to take: the listener may be called. Not before the
    // first Take.
    bool is_idle = false;
    // What the client may keep answers about, if it is told only of that.
    bool is_told_only_of_noted = false;
    NotedTokens noted;
    bool has_noted_unknown = false;
    // The changes that the client has to acknowledge, of which the first `told`
    // were taken.
    std::deque<int64_t> due;
    size_t told = 0;
    // The last change that was taken, or that of Hello.
    int64_t last_told = 0;
    // There was too much to tell.
    bool is_behind = false;
    BootTime grant_end;
    absl::optional<WatchGrant> grant;
    // From then on it gets no grants.
    BootTime retires_at;
    // To be ended now.
    bool is_over = false;
    // Among the `awaited_`.
    bool is_awaited = false;

    bool HasToTell() const { return told < due.size(); }
    // Whether the client has yet to acknowledge a change up to `seq`.
    bool Lacks(int64_t seq) const { return !due.empty() && due.front() <= seq; }
  };

  int64_t LastQueued() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return first_ + static_cast<int64_t>(changes_.size()) - 1;
  }
  // The change, one of those that are kept.
  const QueuedChange& At(int64_t seq) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return changes_[static_cast<size_t>(seq - first_)];
  }
  // Whether the stream gets no more grants, and holds up nothing any more.
  bool HasRetired(const Stream& stream, BootTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the stream has to tell of the change.
  static bool Matters(const QueuedChange& queued, const Stream& stream);
  // When the next stream shall retire: not all at the same time.
  BootTime NextRetirement() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOverdue(const Stream& stream, BootTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndRetired();
  // Tells the idle ones of the streams that are ready. It is called for all of
  // them, with the mutex held.
  void CallIdle(absl::FunctionRef<bool(Stream&)> is_ready)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetExpired(BootTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CallReleased();

  const WatchOptions options_;
  const Lease& lease_;
  const BootClock& clock_;

  mutable Mutex mutex_;
  bool is_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_retiring_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  ReplicaIdentity replica_ ABSL_GUARDED_BY(mutex_);
  // The latest changes; the first is number `first_`.
  std::deque<QueuedChange> changes_ ABSL_GUARDED_BY(mutex_);
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 1;
  StreamId last_stream_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<StreamId, Stream> streams_ ABSL_GUARDED_BY(mutex_);
  // Grants of streams that ended: by what was acknowledged on them, when the
  // last one ends.
  std::map<int64_t, BootTime> orphans_ ABSL_GUARDED_BY(mutex_);
  // What Acked was last called with, how many streams kept it from being
  // returned, and when the first of their grants ends.
  int64_t target_ ABSL_GUARDED_BY(mutex_) = 0;
  int awaited_ ABSL_GUARDED_BY(mutex_) = 0;
  BootTime next_expiry_ ABSL_GUARDED_BY(mutex_) = BootTime::InfiniteFuture();

  // Held while it is called.
  Mutex released_mutex_;
  std::function<void()> released_ ABSL_GUARDED_BY(released_mutex_) = nullptr;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_WATCH_HUB_H_
