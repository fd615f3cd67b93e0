#include "server/validate/lease.h"

#include <algorithm>

namespace wemasy::tokens {
namespace {

// How far a floor may be ahead before it is taken for a mistake.
constexpr int64_t kMaxFloorAheadNanos = int64_t{60} * 1'000'000'000;

// `nanos` on a clock that runs as fast as this one possibly fails to:
// nanos / (1 - 1/1000).
int64_t Fast(int64_t nanos) { return nanos + nanos / (kClockDriftDivisor - 1); }

}  // namespace

int64_t CapturedDatabaseTime::NanosAt(BootTime now) const {
  return std::max(floor_nanos, offset_nanos + Fast(now.nanos()));
}

void Lease::Extend(BootTime end) {
  MutexLock lock(&mutex_);
  if (closed_ || end.nanos() <= end_.load(std::memory_order_relaxed)) return;
  end_.store(end.nanos(), std::memory_order_release);
}

void Lease::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  end_.store(0, std::memory_order_release);
}

bool Lease::SetDatabaseTime(BootTime asked_at, absl::Time reading,
                            BootTime now) {
  CapturedDatabaseTime next;
  next.offset_nanos = absl::ToUnixNanos(reading) - Fast(asked_at.nanos());
  const int64_t before = CaptureDatabaseTime().NanosAt(now);
  const bool dropped = before - next.NanosAt(now) > kMaxFloorAheadNanos;
  floor_nanos_.store(dropped ? 0 : before, std::memory_order_release);
  offset_nanos_.store(next.offset_nanos, std::memory_order_release);
  return dropped;
}

}  // namespace wemasy::tokens
