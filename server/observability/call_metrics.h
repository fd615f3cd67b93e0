// What Prometheus is told of the calls, under the names of the grpc-ecosystem:
// grpc_server_started_total, grpc_server_handled_total,
// grpc_server_msg_received_total, grpc_server_msg_sent_total and
// grpc_server_handling_seconds.
#ifndef WEMASY_SERVER_OBSERVABILITY_CALL_METRICS_H_
#define WEMASY_SERVER_OBSERVABILITY_CALL_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "server/observability/call_observer.h"
#include "server/observability/thread_counters.h"

namespace wemasy::tokens {

// The upper bounds of the buckets of latency, in microseconds. They begin
// where a Validate is.
inline constexpr std::array<int64_t, 20> kLatencyBoundsMicros = {
    25,        50,        100,       250,        500,        1'000,     2'500,
    5'000,     10'000,    25'000,    50'000,     100'000,    250'000,   500'000,
    1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

// The status codes of gRPC: 0 to 16.
inline constexpr size_t kStatusCodes = 17;

// The counters of one rpc. Thread-safe.
class MethodMetrics {
 public:
  MethodMetrics(absl::string_view service, absl::string_view method,
                CallKind kind)
      : service_(service), method_(method), kind_(kind) {}

  const std::string& service() const { return service_; }
  const std::string& method() const { return method_; }
  CallKind kind() const { return kind_; }

  // A call's message has come.
  void CountStarted();
  // A call was answered with `code`, `latency` after its message had come.
  void CountFinished(absl::StatusCode code, absl::Duration latency);

 private:
  friend class CallMetrics;

  // The counters: started, then one for each code, then the sum of latencies
  // in nanoseconds, then one for each bucket and one for what is above all.
  static constexpr size_t kStarted = 0;
  static constexpr size_t kFirstCode = 1;
  static constexpr size_t kLatencySum = kFirstCode + kStatusCodes;
  static constexpr size_t kFirstBucket = kLatencySum + 1;
  static constexpr size_t kCounters =
      kFirstBucket + kLatencyBoundsMicros.size() + 1;

  const std::string service_;
  const std::string method_;
  const CallKind kind_;
  ThreadCounters<kCounters> counters_;
};

// The counters of all rpcs. All series of an rpc exist from its Add on, as 0,
// so that a rate is right from the first error on. Thread-safe.
class CallMetrics final : public prometheus::Collectable {
 public:
  // Adds the rpc `method` of `service` (`package.Service`), once at start. The
  // result lives as long as this object. The messages of a stream, and the time
  // that it took, are not counted.
  MethodMetrics* Add(absl::string_view service, absl::string_view method,
                     CallKind kind);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<MethodMetrics>> methods_ ABSL_GUARDED_BY(mutex_);
};

// The name of a code in a label: `PermissionDenied`.
absl::string_view StatusCodeLabel(absl::StatusCode code);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_CALL_METRICS_H_
