#include "server/observability/call_metrics.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace wemasy::tokens {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array<absl::string_view, kStatusCodes> kCodeLabels = {
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated"};

// Codes that gRPC does not have count as Unknown, as gRPC sends them.
size_t CodeIndex(absl::StatusCode code) {
  const int value = static_cast<int>(code);
  const bool is_known = value >= 0 && value < static_cast<int>(kStatusCodes);
  return static_cast<size_t>(
      is_known ? value : static_cast<int>(absl::StatusCode::kUnknown));
}

size_t BucketIndex(int64_t nanos) {
  size_t i = 0;
  // Most calls end in one of the first three.
  while (i < kLatencyBoundsMicros.size() &&
         nanos > kLatencyBoundsMicros[i] * 1000) {
    ++i;
  }
  return i;
}

MetricFamily Family(const char* name, const char* help, MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

ClientMetric WithMethod(const MethodMetrics& method) {
  ClientMetric metric;
  metric.label = {{"grpc_type",
                   method.kind() == CallKind::kUnary ? "unary" : "bidi_stream"},
                  {"grpc_service", method.service()},
                  {"grpc_method", method.method()}};
  return metric;
}

ClientMetric CounterOf(const MethodMetrics& method, uint64_t value) {
  ClientMetric metric = WithMethod(method);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

}  // namespace

absl::string_view StatusCodeLabel(absl::StatusCode code) {
  return kCodeLabels[CodeIndex(code)];
}

void MethodMetrics::CountStarted() { counters_.Add(ThreadSlot(), kStarted); }

void MethodMetrics::CountFinished(absl::StatusCode code,
                                  absl::Duration latency) {
  const int64_t nanos = std::max<int64_t>(0, absl::ToInt64Nanoseconds(latency));
  const int slot = ThreadSlot();
  counters_.Add(slot, kFirstCode + CodeIndex(code));
  counters_.Add(slot, kLatencySum, static_cast<uint64_t>(nanos));
  counters_.Add(slot, kFirstBucket + BucketIndex(nanos));
}

MethodMetrics* CallMetrics::Add(absl::string_view service,
                                absl::string_view method, CallKind kind) {
  MutexLock lock(&mutex_);
  methods_.push_back(std::make_unique<MethodMetrics>(service, method, kind));
  return methods_.back().get();
}

std::vector<MetricFamily> CallMetrics::Collect() const {
  MetricFamily started =
      Family("grpc_server_started_total", "Calls whose message has come.",
             MetricType::Counter);
  MetricFamily handled =
      Family("grpc_server_handled_total", "Calls answered, by status code.",
             MetricType::Counter);
  MetricFamily received = Family("grpc_server_msg_received_total",
                                 "Messages received.", MetricType::Counter);
  MetricFamily sent = Family("grpc_server_msg_sent_total", "Messages sent.",
                             MetricType::Counter);
  MetricFamily seconds =
      Family("grpc_server_handling_seconds",
             "Time from a call's message to its answer, at the server.",
             MetricType::Histogram);

  MutexLock lock(&mutex_);
  for (const auto& method : methods_) {
    const auto& counters = method->counters_;
    for (size_t code = 0; code < kStatusCodes; ++code) {
      ClientMetric metric =
          CounterOf(*method, counters.Sum(MethodMetrics::kFirstCode + code));
      metric.label.push_back({"grpc_code", std::string(kCodeLabels[code])});
      handled.metric.push_back(std::move(metric));
    }
    const uint64_t calls = counters.Sum(MethodMetrics::kStarted);
    started.metric.push_back(CounterOf(*method, calls));
    if (method->kind() != CallKind::kUnary) continue;
    // A unary call has one message in, and one out if it went well.
    received.metric.push_back(CounterOf(*method, calls));
    sent.metric.push_back(
        CounterOf(*method, counters.Sum(MethodMetrics::kFirstCode)));
    ClientMetric histogram = WithMethod(*method);
    uint64_t below = 0;
    for (size_t i = 0; i < kLatencyBoundsMicros.size(); ++i) {
      below += counters.Sum(MethodMetrics::kFirstBucket + i);
      histogram.histogram.bucket.push_back(
          {below, static_cast<double>(kLatencyBoundsMicros[i]) / 1e6});
    }
    below +=
        counters.Sum(MethodMetrics::kFirstBucket + kLatencyBoundsMicros.size());
    histogram.histogram.bucket.push_back(
        {below, std::numeric_limits<double>::infinity()});
    histogram.histogram.sample_count = below;
    histogram.histogram.sample_sum =
        static_cast<double>(counters.Sum(MethodMetrics::kLatencySum)) / 1e9;
    seconds.metric.push_back(std::move(histogram));
  }
  return {std::move(started), std::move(handled), std::move(received),
          std::move(sent), std::move(seconds)};
}

}  // namespace wemasy::tokens
