// The metrics of the process.
//
// Besides the calls (call_metrics.h) there are the service's own, named
// `tokend_…`, in seconds and bytes. None has a project or token for a label.
#ifndef WEMASY_SERVER_OBSERVABILITY_METRICS_H_
#define WEMASY_SERVER_OBSERVABILITY_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/mutex.h"
#include "server/observability/call_metrics.h"
#include "server/observability/thread_counters.h"
#include "server/observability/wait_metrics.h"
#include "server/token/verdict.h"

namespace wemasy::tokens {

// Values that others keep, read when Prometheus asks. Thread-safe.
class SampledMetrics final : public prometheus::Collectable {
 public:
  using Labels = std::map<std::string, std::string>;
  // Called on a thread of the endpoint, at any time until that is gone.
  using Sample = std::function<double()>;

  // Adds a series. Series of one name must be given the same help and kind.
  void AddGauge(absl::string_view name, absl::string_view help, Sample sample,
                Labels labels = {});
  // Like AddGauge, for what only grows; the name ends in `_total`.
  void AddCounter(absl::string_view name, absl::string_view help, Sample sample,
                  Labels labels = {});

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Series {
    Labels labels;
    Sample sample;
  };
  struct Family {
    std::string help;
    bool is_counter = false;
    std::vector<Series> series;
  };

  void Add(absl::string_view name, absl::string_view help, bool is_counter,
           Sample sample, Labels labels);

  mutable Mutex mutex_;
  std::map<std::string, Family> families_ ABSL_GUARDED_BY(mutex_);
};

// What Validate and gateways' checks count besides their calls. Thread-safe.
class VerdictMetrics final : public prometheus::Collectable {
 public:
  // An answer of `verdict` was given.
  void CountVerdict(Verdict verdict) {
    counters_.Add(ThreadSlot(), static_cast<size_t>(verdict));
  }
  // No answer was given, as the lease did not allow any.
  void CountFailedClosed() { counters_.Add(ThreadSlot(), kFailedClosed); }

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  static constexpr size_t kFailedClosed = 0;
  static constexpr size_t kCounters = static_cast<size_t>(Verdict::kValid) + 1;

  ThreadCounters<kCounters> counters_;
};

// All metrics of the process. The members live as long as any endpoint that
// shows them.
struct Metrics {
  std::shared_ptr<CallMetrics> calls = std::make_shared<CallMetrics>();
  std::shared_ptr<VerdictMetrics> verdicts = std::make_shared<VerdictMetrics>();
  std::shared_ptr<WaitMetrics> waits = std::make_shared<WaitMetrics>(
      std::vector<std::string>{"acknowledged", "gone", "expired", "given_up"});
  // What HttpRecorder counts.
  std::shared_ptr<prometheus::Registry> http =
      std::make_shared<prometheus::Registry>();
  std::shared_ptr<SampledMetrics> sampled = std::make_shared<SampledMetrics>();
};

// Adds what the kernel says of this process, under the names that Prometheus'
// client libraries have for it: memory, processor time, file descriptors.
void AddProcessMetrics(SampledMetrics& metrics);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_METRICS_H_
