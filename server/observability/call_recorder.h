// Turns what the API tells of its calls into metrics and log lines.
#ifndef WEMASY_SERVER_OBSERVABILITY_CALL_RECORDER_H_
#define WEMASY_SERVER_OBSERVABILITY_CALL_RECORDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/observability/call_observer.h"
#include "server/observability/log.h"
#include "server/observability/metrics.h"
#include "server/observability/rate_limit.h"

namespace wemasy::tokens {

// Counts all calls. Writes a line about each; about Validate and Check, which
// are called with every request of every client, only about failures, and about
// all at the severity debug. Failures are lines up to
// a rate, as anybody can cause them.
//
// Thread-safe.
class CallRecorder final : public CallObserver {
 public:
  static constexpr int64_t kFailureLinesPerSecond = 50;

  // All must outlive this object.
  CallRecorder(Metrics& metrics, const Logger& logger, const BootClock& clock)
      : metrics_(metrics), logger_(logger), clock_(clock) {}

  MethodObserver& ForMethod(absl::string_view full_name,
                            CallKind kind) override;

  // The failures about which no line was written.
  int64_t suppressed_lines() const { return suppressed_lines_; }

 private:
  class Method;

  Metrics& metrics_;
  const Logger& logger_;
  const BootClock& clock_;
  RateLimit failure_lines_{kFailureLinesPerSecond};
  std::atomic<int64_t> suppressed_lines_{0};
  Mutex mutex_;
  std::vector<std::unique_ptr<MethodObserver>> methods_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_CALL_RECORDER_H_
