#include "server/observability/metrics.h"

#include <array>
#include <utility>

namespace wemasy::tokens {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct VerdictLabel {
  Verdict verdict;
  const char* text;
};
constexpr std::array<VerdictLabel, 7> kVerdictLabels = {{
    {Verdict::kMalformed, "malformed"},
    {Verdict::kUnknown, "unknown"},
    {Verdict::kRevoked, "revoked"},
    {Verdict::kExpired, "expired"},
    {Verdict::kWrongProject, "wrong_project"},
    {Verdict::kInsufficientScope, "insufficient_scope"},
    {Verdict::kValid, "valid"},
}};

ClientMetric CounterMetric(uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  return metric;
}

}  // namespace

void SampledMetrics::AddGauge(absl::string_view name, absl::string_view help,
                              Sample sample, Labels labels) {
  Add(name, help, /*is_counter=*/false, std::move(sample), std::move(labels));
}

void SampledMetrics::AddCounter(absl::string_view name, absl::string_view help,
                                Sample sample, Labels labels) {
  Add(name, help, /*is_counter=*/true, std::move(sample), std::move(labels));
}

void SampledMetrics::Add(absl::string_view name, absl::string_view help,
                         bool is_counter, Sample sample, Labels labels) {
  MutexLock lock(&mutex_);
  Family& family = families_[std::string(name)];
  family.help = std::string(help);
  family.is_counter = is_counter;
  family.series.push_back({std::move(labels), std::move(sample)});
}

std::vector<MetricFamily> SampledMetrics::Collect() const {
  std::vector<MetricFamily> result;
  MutexLock lock(&mutex_);
  for (const auto& [name, family] : families_) {
    MetricFamily collected;
    collected.name = name;
    collected.help = family.help;
    collected.type =
        family.is_counter ? MetricType::Counter : MetricType::Gauge;
    for (const Series& series : family.series) {
      ClientMetric metric;
      for (const auto& [label, value] : series.labels) {
        metric.label.push_back({label, value});
      }
      const double value = series.sample();
      (family.is_counter ? metric.counter.value : metric.gauge.value) = value;
      collected.metric.push_back(std::move(metric));
    }
    result.push_back(std::move(collected));
  }
  return result;
}

std::vector<MetricFamily> VerdictMetrics::Collect() const {
  MetricFamily verdicts;
  verdicts.name = "tokend_verdicts_total";
  verdicts.help = "Answers given on presented tokens, by verdict.";
  verdicts.type = MetricType::Counter;
  for (const VerdictLabel& label : kVerdictLabels) {
    ClientMetric metric =
        CounterMetric(counters_.Sum(static_cast<size_t>(label.verdict)));
    metric.label = {{"verdict", label.text}};
    verdicts.metric.push_back(std::move(metric));
  }
  MetricFamily closed;
  closed.name = "tokend_failed_closed_total";
  closed.help =
      "Tokens on which no answer was given, as this replica held no lease.";
  closed.type = MetricType::Counter;
  closed.metric = {CounterMetric(counters_.Sum(kFailedClosed))};
  return {std::move(verdicts), std::move(closed)};
}

}  // namespace wemasy::tokens
