// The leave to answer: until when this replica may vouch for its memory.
//
// A replica whose index was current at some moment may answer from it until
// every other party has stopped waiting for it, a time that the lease marks on
// the boot-time clock. docs/coherence.md has the argument.
#ifndef WEMASY_SERVER_VALIDATE_LEASE_H_
#define WEMASY_SERVER_VALIDATE_LEASE_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// A lease as one call saw it. Decide by this alone, never by a second look.
struct CapturedLease {
  BootTime end;
  // The number of the last change that was in the index before the look-up.
  int64_t applied = 0;
};

// The database's clock, guessed from above: never behind it, and ahead of it
// by no more than the time since the last reading and its round trip allow.
// Runs on the boot-time clock, not on this machine's wall clock.
struct CapturedDatabaseTime {
  int64_t floor_nanos = 0;
  int64_t offset_nanos = 0;

  // The time at `now`, in nanoseconds since the Unix epoch.
  int64_t NanosAt(BootTime now) const;
  absl::Time At(BootTime now) const {
    return absl::FromUnixNanos(NanosAt(now));
  }
};

// Written by the one thread that runs sync points, read by every Validate.
// Thread-safe for that use.
class Lease {
 public:
  Lease() = default;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Reads the lease, for one answer: before the look-up.
  CapturedLease Capture() const {
    CapturedLease lease;
    lease.end = BootTime::FromNanos(end_.load(std::memory_order_acquire));
    lease.applied = applied_.load(std::memory_order_acquire);
    return lease;
  }
  // Reads the database's clock.
  CapturedDatabaseTime CaptureDatabaseTime() const {
    CapturedDatabaseTime time;
    time.offset_nanos = offset_nanos_.load(std::memory_order_acquire);
    time.floor_nanos = floor_nanos_.load(std::memory_order_acquire);
    return time;
  }

  // Says that the index contains every change up to `applied`.
  void PublishApplied(int64_t applied) {
    applied_.store(applied, std::memory_order_release);
  }
  // Moves the end to `end`, unless it is later already or the lease is closed.
  void Extend(BootTime end);
  // Ends the lease for good: no later Extend has an effect.
  void Close();
  // Takes a reading of the database's clock, asked for at `asked_at`.
  // Returns whether an earlier estimate was more than a minute ahead of it and
  // was dropped, so that the database's clock seems to have been set back.
  bool SetDatabaseTime(BootTime asked_at, absl::Time reading, BootTime now);

 private:
  std::atomic<int64_t> end_{0};
  std::atomic<int64_t> applied_{0};
  // The floor is stored before the offset and read after it, so that a reader
  // who sees a new offset sees its floor.
  std::atomic<int64_t> floor_nanos_{0};
  std::atomic<int64_t> offset_nanos_{0};
  // Orders Extend and Close: a sync point in flight must not publish a lease
  // after the closing.
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_LEASE_H_
