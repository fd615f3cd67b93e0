#include "server/jobs/periodic.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace wemasy::tokens {

PeriodicJobs::PeriodicJobs(std::vector<PeriodicJob> jobs,
                           const BootClock& clock, RandomSource& random,
                           const Logger& logger)
    : clock_(clock), random_(random), logger_(logger) {
  for (PeriodicJob& job : jobs) {
    const BootTime due = NextDue(job.interval);
    jobs_.push_back({std::move(job), due});
  }
}

PeriodicJobs::~PeriodicJobs() { Stop(); }

void PeriodicJobs::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void PeriodicJobs::Stop() {
  {
    MutexLock lock(&mutex_);
    is_stopping_ = true;
  }
  stop_requested_.SignalAll();
  if (thread_.joinable()) thread_.join();
}

absl::Duration PeriodicJobs::RunDue() {
  BootTime next = BootTime::InfiniteFuture();
  for (Scheduled& scheduled : jobs_) {
    if (clock_.Now() >= scheduled.due && !IsStopping()) {
      const BootTime start = clock_.Now();
      const absl::Status status = scheduled.job.run();
      if (!status.ok()) {
        logger_.Warning("background job failed",
                        {{"job", scheduled.job.name},
                         {"error", status.ToString()},
                         {"duration_s", clock_.Now() - start}});
      }
      scheduled.due = NextDue(scheduled.job.interval);
    }
    next = std::min(next, scheduled.due);
  }
  return std::max(absl::ZeroDuration(), next - clock_.Now());
}

void PeriodicJobs::Loop() {
  while (!IsStopping()) {
    const absl::Duration wait = RunDue();
    MutexLock lock(&mutex_);
    // An early wake-up only means one more look at what is due.
    if (!is_stopping_) stop_requested_.WaitWithTimeout(&mutex_, wait);
  }
}

BootTime PeriodicJobs::NextDue(absl::Duration interval) {
  std::array<uint8_t, sizeof(uint16_t)> bytes{};
  random_.Fill(absl::MakeSpan(bytes));
  uint16_t draw = 0;
  std::memcpy(&draw, bytes.data(), sizeof(draw));
  return clock_.Now() + (interval - interval / 10 * (draw / 65536.0));
}

bool PeriodicJobs::IsStopping() {
  MutexLock lock(&mutex_);
  return is_stopping_;
}

}  // namespace wemasy::tokens
