// Turns what the HTTP endpoint of gateways tells of its requests into metrics
// and log lines.
#ifndef WEMASY_SERVER_OBSERVABILITY_HTTP_RECORDER_H_
#define WEMASY_SERVER_OBSERVABILITY_HTTP_RECORDER_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "server/observability/log.h"
#include "server/observability/metrics.h"
#include "server/observability/rate_limit.h"
#include "server/token/verdict.h"

namespace wemasy::tokens {

// How a request ended. The texts are valid during HttpRecorder::Finished only;
// none has a secret in it.
struct HttpReport {
  int http_status = 0;
  // From the request's arrival to the answer's being ready.
  absl::Duration latency;
  // What was decided of the token, if anything was.
  absl::optional<Verdict> verdict;
  // The resource name of the token, if it is known.
  absl::string_view token;
  // Of the gateway's request; empty if it has none.
  absl::string_view request_id;
  // Why there was no decision.
  absl::Status error;
};

// Counts all requests. Writes a line about each at the severity debug, and
// about those without a decision as a warning, up to a rate.
//
// Thread-safe.
class HttpRecorder {
 public:
  static constexpr int64_t kFailureLinesPerSecond = 50;

  // All must outlive this object.
  HttpRecorder(Metrics& metrics, const Logger& logger, const BootClock& clock);

  void Finished(const HttpReport& report);

 private:
  Metrics& metrics_;
  const Logger& logger_;
  const BootClock& clock_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Histogram& latency_;
  RateLimit failure_lines_{kFailureLinesPerSecond};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_HTTP_RECORDER_H_
