// Work that is done again and again in the background.
#ifndef WEMASY_SERVER_JOBS_PERIODIC_H_
#define WEMASY_SERVER_JOBS_PERIODIC_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "common/mutex.h"
#include "server/observability/log.h"

namespace wemasy::tokens {

// One job.
struct PeriodicJob {
  // For the log.
  std::string name;
  // From one run's end to the next one's start, less up to a tenth that is
  // drawn each time, so that replicas started together do not stay in step.
  absl::Duration interval;
  // A failure is logged, and the job runs again after its interval.
  std::function<absl::Status()> run;
};

// Runs jobs, one at a time, on one thread. A job that takes long delays the
// others: what must not wait belongs to another object of this class.
//
// Start, Stop and RunDue are for one thread.
class PeriodicJobs {
 public:
  // Starts nothing. `clock`, `random` and `logger` must outlive this object,
  // as must all that the jobs use.
  PeriodicJobs(std::vector<PeriodicJob> jobs, const BootClock& clock,
               RandomSource& random, const Logger& logger);
  // Stops.
  ~PeriodicJobs();

  PeriodicJobs(const PeriodicJobs&) = delete;
  PeriodicJobs& operator=(const PeriodicJobs&) = delete;

  // Starts the thread. A job's first run comes one interval later. Once only.
  void Start();

  // Returns when the thread has ended: at once, or when the job that is
  // running returns. Later calls do nothing.
  void Stop();

  // Runs the jobs that are due by the clock, in their order, and returns how
  // long it is until the next one is. For the thread, and for tests instead
  // of it.
  absl::Duration RunDue();

 private:
  struct Scheduled {
    PeriodicJob job;
    BootTime due;
  };

  void Loop();
  BootTime NextDue(absl::Duration interval);
  bool IsStopping();

  const BootClock& clock_;
  RandomSource& random_;
  const Logger& logger_;
  // Used by the thread only.
  std::vector<Scheduled> jobs_;
  Mutex mutex_;
  CondVar stop_requested_;
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_JOBS_PERIODIC_H_
