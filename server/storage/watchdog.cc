#include "server/storage/watchdog.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace wemasy::tokens {

Watchdog::Guard::Guard(Guard&& other) noexcept
    : watchdog_(std::exchange(other.watchdog_, nullptr)), id_(other.id_) {}

Watchdog::Guard& Watchdog::Guard::operator=(Guard&& other) noexcept {
  if (this != &other) {
    Release();
    watchdog_ = std::exchange(other.watchdog_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void Watchdog::Guard::Release() {
  if (watchdog_ != nullptr) std::exchange(watchdog_, nullptr)->Forget(id_);
}

Watchdog::Watchdog(const BootClock* clock)
    : clock_(clock), thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

Watchdog::Guard Watchdog::Watch(int socket, BootTime deadline) {
  MutexLock lock(&mutex_);
  const int64_t id = next_id_++;
  entries_[id] = {socket, deadline};
  // Most guards are gone long before the thread would wake up: it is woken
  // only for a deadline before the one that it sleeps until.
  if (deadline < next_wake_) {
    next_wake_ = deadline;
    changed_.SignalAll();
  }
  return Guard(this, id);
}

void Watchdog::Forget(int64_t id) {
  MutexLock lock(&mutex_);
  entries_.erase(id);
}

void Watchdog::Run() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const BootTime now = clock_->Now();
    next_wake_ = BootTime::InfiniteFuture();
    for (auto& [id, entry] : entries_) {
      if (entry.deadline <= now) {
        // Under the mutex, so that the descriptor cannot have been closed
        // and given to somebody else.
        shutdown(entry.socket, SHUT_RDWR);
        entry.deadline = BootTime::InfiniteFuture();
      }
      next_wake_ = std::min(next_wake_, entry.deadline);
    }
    changed_.WaitWithTimeout(&mutex_, next_wake_ - now);
  }
}

}  // namespace wemasy::tokens
