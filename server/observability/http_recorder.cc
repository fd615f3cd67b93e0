#include "server/observability/http_recorder.h"

#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace wemasy::tokens {
namespace {

prometheus::Histogram::BucketBoundaries LatencyBounds() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const int64_t micros : kLatencyBoundsMicros) {
    bounds.push_back(static_cast<double>(micros) * 1e-6);
  }
  return bounds;
}

}  // namespace

HttpRecorder::HttpRecorder(Metrics& metrics, const Logger& logger,
                           const BootClock& clock)
    : metrics_(metrics),
      logger_(logger),
      clock_(clock),
      requests_(prometheus::BuildCounter()
                    .Name("tokend_http_check_requests_total")
                    .Help("Requests of gateways over HTTP, by the answer.")
                    .Register(*metrics.http)),
      latency_(prometheus::BuildHistogram()
                   .Name("tokend_http_check_seconds")
                   .Help("From a request's arrival to its answer.")
                   .Register(*metrics.http)
                   .Add({}, LatencyBounds())) {
  // So that a rate is right from the first one on.
  for (const int status : {204, 400, 401, 403, 500, 503}) {
    requests_.Add({{"code", absl::StrCat(status)}});
  }
}

void HttpRecorder::Finished(const HttpReport& report) {
  requests_.Add({{"code", absl::StrCat(report.http_status)}}).Increment();
  latency_.Observe(absl::ToDoubleSeconds(report.latency));
  if (report.verdict) metrics_.verdicts->CountVerdict(*report.verdict);
  if (absl::IsUnavailable(report.error)) metrics_.verdicts->CountFailedClosed();

  const LogSeverity severity =
      report.error.ok() ? LogSeverity::kDebug : LogSeverity::kWarning;
  if (!logger_.IsOn(severity)) return;
  if (!report.error.ok() && !failure_lines_.Admit(clock_.Now())) return;
  absl::InlinedVector<LogField, 6> fields = {
      {"http_status", report.http_status},
      {"latency_us", absl::ToInt64Microseconds(report.latency)}};
  if (report.verdict) {
    fields.emplace_back("verdict", static_cast<int>(*report.verdict));
  }
  if (!report.token.empty()) fields.emplace_back("token", report.token);
  if (!report.request_id.empty()) {
    fields.emplace_back("request_id", report.request_id);
  }
  if (!report.error.ok()) {
    fields.emplace_back("error", report.error.message());
  }
  logger_.Log(severity, "check", fields);
}

}  // namespace wemasy::tokens
