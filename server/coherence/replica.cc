#include "server/coherence/replica.h"

#include <algorithm>

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

// Many changes at once shall cost a few sync points: a round of them begins at
// the earliest that long after the one before, and later if that one brought
// what several callers wait for.
constexpr absl::Duration kRoundLength = absl::Milliseconds(5);
constexpr absl::Duration kBusyRoundLength = absl::Milliseconds(20);
constexpr int64_t kBusyChanges = 4;
// A round is a sync point, one that acknowledges what it applied, and, unless
// the next round comes soon enough for that, one that sees what the other
// replicas, who do the same, have acknowledged.
constexpr int kQuickStepsPerRound = 2;
constexpr int kQuickStepsPerBusyRound = 1;
constexpr absl::Duration kOthersTake = absl::Milliseconds(1);
// Who waits longer looks less often, by about a quarter of the time waited.
constexpr absl::Duration kFirstLook = absl::Milliseconds(2);
constexpr absl::Duration kLongestLook = absl::Milliseconds(50);

// When to take the next step: not before `earliest` for news from the database,
// not before `released` when all clients have acknowledged, at `latest` without
// either.
struct Turn {
  BootTime earliest;
  BootTime released;
  BootTime latest;
};

class Pace {
 public:
  explicit Pace(absl::Duration ttl)
      : regular_(ttl / kSyncPointsPerTtl),
        first_retry_(ttl / kFirstRetriesPerTtl),
        retry_(first_retry_) {}

  // After a step that failed.
  Turn AfterFailure(BootTime now) {
    const BootTime next = now + retry_;
    retry_ = std::min({retry_ * 2, regular_, kLongestRetry});
    return {next, next, next};
  }

  // After one that did not. It began at `began`, and brought the index to
  // change `applied`.
  Turn After(NextStep next, int64_t applied, bool has_waiters, BootTime began,
             BootTime now) {
    retry_ = first_retry_;
    if (next == NextStep::kGoOn) return {now, now, now};
    if (quick_steps_ == 0) {
      round_began_ = began;
      applied_before_ = applied_;
    }
    applied_ = applied;
    const bool is_busy = applied_ - applied_before_ >= kBusyChanges;
    const BootTime next_round =
        round_began_ + (is_busy ? kBusyRoundLength : kRoundLength);
    if (next == NextStep::kRest && !has_waiters) {
      quick_steps_ = 0;
      look_ = kFirstLook;
      return {next_round, next_round, now + regular_};
    }
    if (quick_steps_ <
        (is_busy ? kQuickStepsPerBusyRound : kQuickStepsPerRound)) {
      ++quick_steps_;
      switch (next) {
        case NextStep::kAcknowledge:
          return {now, now, now};
        case NextStep::kAwaitClients:
          return {next_round, now, now + NextLook()};
        default:
          return {now + kOthersTake, now + kOthersTake, now + kOthersTake};
      }
    }
    quick_steps_ = 0;
    if (next == NextStep::kAcknowledge) {
      return {next_round, next_round, next_round};
    }
    const BootTime look = now + NextLook();
    return {next_round, next_round,
            is_busy ? std::max(next_round, look) : look};
  }

 private:
  absl::Duration NextLook() {
    const absl::Duration look = look_;
    look_ = std::min(look_ * 1.25, kLongestLook);
    return look;
  }

  const absl::Duration regular_;
  const absl::Duration first_retry_;
  absl::Duration retry_;
  absl::Duration look_ = kFirstLook;
  BootTime round_began_;
  int quick_steps_ = 0;
  int64_t applied_ = 0;
  // Before the round.
  int64_t applied_before_ = 0;
};

bool IsOpen(SyncPoints::State state) {
  return state == SyncPoints::State::kStarting ||
         state == SyncPoints::State::kRunning;
}

}  // namespace

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
    const Turn turn = next.ok() ? pace.After(*next, steps_.applied(),
                                             HasWaiters(), began, now)
                                : pace.AfterFailure(now);
    if (!WaitForTurn(turn.earliest, turn.released, turn.latest)) break;
  }
  steps_.Stop();
  while (steps_.state() != SyncPoints::State::kClosed) {
    SleepUntil(steps_.NextExpiry());
    steps_.Step().IgnoreError();
  }
}

bool Replica::HasWaiters() {
  MutexLock lock(&mutex_);
  return waiters_ > 0;
}

bool Replica::WaitForTurn(BootTime earliest, BootTime released,
                          BootTime latest) {
  latest = std::min(latest, std::max(earliest, steps_.NextExpiry()));
  MutexLock lock(&mutex_);
  while (!stopping_) {
    BootTime turn = latest;
    if (has_news_) turn = std::min(turn, earliest);
    if (is_released_) turn = std::min(turn, released);
    const absl::Duration left = turn - clock_.Now();
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
  --waiters_;
  return receipt;
}

}  // namespace wemasy::tokens
