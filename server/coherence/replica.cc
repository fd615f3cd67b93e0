#include "server/coherence/replica.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/validate/lease.h"

namespace wemasy::tokens {
namespace {

constexpr int kSyncPointsPerTtl = 5;
// The first retry after a failure comes after this part of the lease's length,
// every further one after twice the time, up to the time between sync points:
// what an abandoned attempt left in the database must not pile up.
constexpr int kFirstRetriesPerTtl = 100;
// How long a listener may take to notice that it shall stop.
constexpr absl::Duration kListenerPatience = absl::Milliseconds(200);
// The waiter's own scheduling.
constexpr absl::Duration kTimerSlack = absl::Milliseconds(100);

}  // namespace

Replica::Replica(ReplicaOptions options, SyncPoints* steps,
                 ChangeListener* listener, const BootClock* clock)
    : options_(options), steps_(*steps), listener_(*listener), clock_(*clock) {}

Replica::~Replica() { Stop(); }

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
  steps_.Stop();
}

void Replica::RunSyncPoints() {
  const absl::Duration regular = options_.ttl / kSyncPointsPerTtl;
  const absl::Duration first_retry = options_.ttl / kFirstRetriesPerTtl;
  absl::Duration retry = first_retry;
  while (steps_.state() != SyncPoints::State::kClosed) {
    const absl::StatusOr<bool> again = steps_.Step();
    {
      MutexLock lock(&mutex_);
      applied_ = steps_.applied();
      changed_.SignalAll();
    }
    absl::Duration pause = regular;
    if (!again.ok()) {
      pause = retry;
      retry = std::min(retry * 2, regular);
    } else {
      retry = first_retry;
      if (*again) pause = absl::ZeroDuration();
    }
    if (!WaitForTurn(pause, /*wake_early=*/again.ok())) return;
  }
}

bool Replica::WaitForTurn(absl::Duration pause, bool wake_early) {
  const BootTime due = clock_.Now() + pause;
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Duration left = due - clock_.Now();
    if (left <= absl::ZeroDuration() || (wake_ && wake_early)) {
      wake_ = false;
      return true;
    }
    changed_.WaitWithTimeout(&mutex_, left);
  }
  return false;
}

void Replica::RunListener() {
  while (true) {
    const absl::StatusOr<bool> heard = listener_.Wait(kListenerPatience);
    MutexLock lock(&mutex_);
    if (stopping_) return;
    if (heard.ok()) {
      if (*heard) {
        wake_ = true;
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

void Replica::Wake() {
  MutexLock lock(&mutex_);
  wake_ = true;
  changed_.SignalAll();
}

absl::StatusOr<BarrierReceipt> Replica::Await(const CommitStamp& commit,
                                              BootTime deadline) {
  Wake();
  const BootTime expired = commit.returned_at + options_.ttl +
                           options_.ttl / kClockDriftDivisor + kTimerSlack;
  MutexLock lock(&mutex_);
  BarrierReceipt receipt;
  while (applied_ < commit.seq) {
    const BootTime now = clock_.Now();
    if (now >= expired) {
      receipt.expired_replicas = 1;
      return receipt;
    }
    if (now >= deadline) {
      return absl::DeadlineExceededError("the change is not applied yet");
    }
    changed_.WaitWithTimeout(&mutex_, std::min(expired, deadline) - now);
  }
  receipt.acknowledged_replicas = 1;
  return receipt;
}

}  // namespace wemasy::tokens
