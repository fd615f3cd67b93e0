#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/observability/metrics.h"

namespace wemasy::tokens {
namespace {

double ResidentBytes() {
  // Its second number is the resident pages (proc(5)).
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double ProcessorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) +
                               absl::DurationFromTimeval(usage.ru_stime));
}

double OpenFileDescriptors() {
  DIR* const directory = ::opendir("/proc/self/fd");
  // Likely because there is no descriptor left to open it with.
  if (directory == nullptr) return -1;
  int entries = 0;
  while (::readdir(directory) != nullptr) ++entries;
  ::closedir(directory);
  // Without `.`, `..` and the directory's own.
  return entries - 3;
}

double MaxFileDescriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddProcessMetrics(SampledMetrics& metrics) {
  metrics.AddGauge("process_resident_memory_bytes", "Resident memory.",
                   ResidentBytes);
  metrics.AddCounter("process_cpu_seconds_total",
                     "Processor time of user and system.", ProcessorSeconds);
  metrics.AddGauge("process_open_fds", "Open file descriptors; -1 if unknown.",
                   OpenFileDescriptors);
  metrics.AddGauge("process_max_fds", "Most file descriptors allowed.",
                   MaxFileDescriptors);
  const double start = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  metrics.AddGauge("process_start_time_seconds",
                   "Start of the process, since the Unix epoch.",
                   [start] { return start; });
}

}  // namespace wemasy::tokens
