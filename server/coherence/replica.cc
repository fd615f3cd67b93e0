#include "server/coherence/replica.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace wemasy::tokens {
namespace {

constexpr int kSyncPointsPerTtl = 5;
// The first retry after a failure comes after this part of the lease's length,
// every further one after twice the time, up to this time: what an abandoned
// attempt left in the database waits for a lock no longer than that, and must
// not pile up.
constexpr int kFirstRetriesPerTtl = 100;
constexpr absl::Duration kLongestRetry = absl::Seconds(2);
// How long a listener may take to notice that it shall stop.
constexpr absl::Duration kListenerPatience = absl::Milliseconds(200);

// Many changes at once shall cost a few sync points. The changes that one
// brings begin a round, and the next round comes the earliest that long after
// it began: later if several callers wait for what it brought.
constexpr absl::Duration kRoundLength = absl::Milliseconds(5);
constexpr absl::Duration kBusyRoundLength = absl::Milliseconds(20);
constexpr int64_t kBusyChanges = 4;
// How often in a round what was just applied may be acknowledged at once.
constexpr int kAcksPerRound = 2;
constexpr int kAcksPerBusyRound = 1;
// Who waits looks for what the other replicas have acknowledged: soon at first,
// and later less often, by about a quarter of the time waited.
constexpr absl::Duration kFirstLook = absl::Milliseconds(1);
constexpr absl::Duration kLongestLook = absl::Milliseconds(50);

bool IsOpen(SyncPoints::State state) {
  return state == SyncPoints::State::kStarting ||
         state == SyncPoints::State::kRunning;
}

}  // namespace

// Decides when steps are taken.
class Replica::Pace {
 public:
  explicit Pace(absl::Duration ttl)
      : regular_(ttl / kSyncPointsPerTtl),
        first_retry_(ttl / kFirstRetriesPerTtl),
        retry_(first_retry_) {}

  // After a step that failed.
  Turn AfterFailure(BootTime now) {
    const BootTime next = now + retry_;
    retry_ = std::min({retry_ * 2, regular_, kLongestRetry});
    return Turn::At(next);
  }

  // Nobody waits any more: who comes next looks soon again.
  void ForgetLooks() { look_ = kFirstLook; }

  // After one that did not. It began at `began`, and brought the index to
  // change `applied`.
  Turn After(NextStep next, int64_t applied, BootTime began, BootTime now) {
    retry_ = first_retry_;
    if (next == NextStep::kGoOn) return Turn::At(now);
    Count(applied, began);
    const bool may_acknowledge =
        acks_ < (is_busy() ? kAcksPerBusyRound : kAcksPerRound);
    const BootTime acknowledge = may_acknowledge ? now : next_round();
    if (next == NextStep::kAcknowledge) {
      ++acks_;
      return Turn::At(acknowledge);
    }
    if (next == NextStep::kAwaitClients) ++acks_;
    const BootTime look = now + look_;
    look_ = std::min(look_ * 1.25, kLongestLook);
    return {next_round(), acknowledge,
            is_busy() ? std::max(next_round(), look) : look, now + regular_};
  }

 private:
  bool is_busy() const { return applied_ - applied_before_ >= kBusyChanges; }
  BootTime next_round() const {
    return round_began_ + (is_busy() ? kBusyRoundLength : kRoundLength);
  }

  void Count(int64_t applied, BootTime began) {
    if (applied > applied_ && began >= next_round()) {
      round_began_ = began;
      applied_before_ = applied_;
      acks_ = 0;
    }
    applied_ = applied;
  }

  const absl::Duration regular_;
  const absl::Duration first_retry_;
  absl::Duration retry_;
  absl::Duration look_ = kFirstLook;
  // The round.
  BootTime round_began_;
  int acks_ = 0;
  int64_t applied_ = 0;
  // Before the round.
  int64_t applied_before_ = 0;
};

Replica::Replica(ReplicaOptions options, SyncPoints* steps, Barrier* barrier,
                 WatchHub* watches, ChangeListener* listener,
                 const BootClock* clock)
    : options_(options),
      steps_(*steps),
      barrier_(*barrier),
      watches_(*watches),
      listener_(*listener),
      clock_(*clock) {
  watches_.SetReleased([this] {
    MutexLock lock(&mutex_);
    is_released_ = true;
    changed_.SignalAll();
  });
}

Replica::~Replica() {
  Stop();
  watches_.SetReleased(nullptr);
}

void Replica::Start() {
  sync_thread_ = std::thread([this] { RunSyncPoints(); });
  listen_thread_ = std::thread([this] { RunListener(); });
}

void Replica::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (sync_thread_.joinable()) sync_thread_.join();
  if (listen_thread_.joinable()) listen_thread_.join();
}

void Replica::RunSyncPoints() {
  Pace pace(options_.ttl);
  while (true) {
    const BootTime began = clock_.Now();
    const absl::StatusOr<NextStep> next = steps_.Step();
    if (!IsOpen(steps_.state())) break;
    const BootTime now = clock_.Now();
    if (HasRested()) pace.ForgetLooks();
    if (!WaitForTurn(next.ok() ? pace.After(*next, steps_.applied(), began, now)
                               : pace.AfterFailure(now))) {
      break;
    }
  }
  steps_.Stop();
  while (steps_.state() != SyncPoints::State::kClosed) {
    SleepUntil(steps_.NextExpiry());
    steps_.Step().IgnoreError();
  }
}

bool Replica::HasRested() {
  MutexLock lock(&mutex_);
  return std::exchange(has_rested_, false);
}

bool Replica::WaitForTurn(const Turn& turn) {
  const BootTime latest =
      std::min(turn.latest, std::max(turn.news, steps_.NextExpiry()));
  MutexLock lock(&mutex_);
  while (!stopping_) {
    BootTime next = latest;
    if (has_news_) next = std::min(next, turn.news);
    if (is_released_) next = std::min(next, turn.released);
    if (waiters_ > 0) next = std::min(next, turn.look);
    const absl::Duration left = next - clock_.Now();
    if (left <= absl::ZeroDuration()) {
      has_news_ = false;
      is_released_ = false;
      return true;
    }
    changed_.WaitWithTimeout(&mutex_, left);
  }
  return false;
}

void Replica::SleepUntil(BootTime time) {
  MutexLock lock(&mutex_);
  while (clock_.Now() < time) {
    changed_.WaitWithTimeout(&mutex_, time - clock_.Now());
  }
}

void Replica::RunListener() {
  while (true) {
    const absl::StatusOr<bool> heard = listener_.Wait(kListenerPatience);
    MutexLock lock(&mutex_);
    if (stopping_) return;
    if (heard.ok()) {
      if (*heard) {
        has_news_ = true;
        changed_.SignalAll();
      }
      continue;
    }
    // No connection: polling goes on without it.
    const BootTime next_try = clock_.Now() + options_.ttl / kSyncPointsPerTtl;
    while (!stopping_ && clock_.Now() < next_try) {
      changed_.WaitWithTimeout(&mutex_, next_try - clock_.Now());
    }
    if (stopping_) return;
  }
}

absl::StatusOr<BarrierReceipt> Replica::Await(const CommitStamp& commit,
                                              const Patience& patience) {
  {
    MutexLock lock(&mutex_);
    ++waiters_;
    has_news_ = true;
    changed_.SignalAll();
  }
  absl::StatusOr<BarrierReceipt> receipt = barrier_.Await(commit, patience);
  MutexLock lock(&mutex_);
  if (--waiters_ == 0) has_rested_ = true;
  changed_.SignalAll();
  return receipt;
}

}  // namespace wemasy::tokens
