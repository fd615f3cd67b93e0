#include "server/observability/call_recorder.h"

#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace wemasy::tokens {
namespace {

// What is somebody's fault here is louder than what is a caller's.
LogSeverity SeverityOf(absl::StatusCode code, LogSeverity if_ok) {
  switch (code) {
    case absl::StatusCode::kOk:
      return if_ok;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return LogSeverity::kError;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return LogSeverity::kWarning;
    default:
      return LogSeverity::kInfo;
  }
}

}  // namespace

class CallRecorder::Method final : public MethodObserver {
 public:
  Method(CallRecorder& recorder, absl::string_view full_name,
         MethodMetrics& metrics)
      : recorder_(recorder),
        full_name_(full_name),
        metrics_(metrics),
        has_verdict_(absl::EndsWith(full_name, "AuthService/Validate") ||
                     absl::EndsWith(full_name, "Authorization/Check")),
        severity_if_ok_(has_verdict_ ? LogSeverity::kDebug
                                     : LogSeverity::kInfo) {}

  void Started() noexcept override { metrics_.CountStarted(); }

  bool AdmitDetail(int code) const noexcept override {
    const auto status = static_cast<absl::StatusCode>(code);
    if (!recorder_.logger_.IsOn(SeverityOf(status, severity_if_ok_))) {
      return false;
    }
    if (status == absl::StatusCode::kOk) return true;
    if (recorder_.failure_lines_.Admit(recorder_.clock_.Now())) return true;
    recorder_.suppressed_lines_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  void Finished(const CallReport& report) noexcept override {
    const auto code = static_cast<absl::StatusCode>(report.code);
    metrics_.CountFinished(code, report.latency);
    if (has_verdict_) CountVerdict(code, report.verdict);
    // Every call has an id; it is there if the detail was wanted.
    if (!report.request_id.empty()) WriteLine(code, report);
  }

 private:
  void CountVerdict(absl::StatusCode code, int verdict) {
    VerdictMetrics& verdicts = *recorder_.metrics_.verdicts;
    if (code == absl::StatusCode::kUnavailable) verdicts.CountFailedClosed();
    if (verdict >= static_cast<int>(Verdict::kMalformed) &&
        verdict <= static_cast<int>(Verdict::kValid)) {
      verdicts.CountVerdict(static_cast<Verdict>(verdict));
    }
  }

  void WriteLine(absl::StatusCode code, const CallReport& report) const {
    absl::InlinedVector<LogField, 10> fields = {
        {"method", full_name_},
        {"code", StatusCodeLabel(code)},
        {"latency_us", absl::ToInt64Microseconds(report.latency)},
        {"request_id", report.request_id}};
    const auto add = [&fields](absl::string_view name,
                               absl::string_view value) {
      if (!value.empty()) fields.emplace_back(name, value);
    };
    add("caller", report.caller);
    add("peer", report.peer);
    add("token", report.token);
    add("trace_id", report.trace_id);
    add("error", report.error);
    if (report.verdict != 0) fields.emplace_back("verdict", report.verdict);
    recorder_.logger_.Log(SeverityOf(code, severity_if_ok_), "call", fields);
  }

  CallRecorder& recorder_;
  const std::string full_name_;
  MethodMetrics& metrics_;
  const bool has_verdict_;
  const LogSeverity severity_if_ok_;
};

MethodObserver& CallRecorder::ForMethod(absl::string_view full_name,
                                        CallKind kind) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(full_name, absl::MaxSplits('/', 1));
  MethodMetrics* const metrics =
      metrics_.calls->Add(parts.first, parts.second, kind);
  MutexLock lock(&mutex_);
  methods_.push_back(std::make_unique<Method>(*this, full_name, *metrics));
  return *methods_.back();
}

}  // namespace wemasy::tokens
