// How long mutations waited for all replicas, for Prometheus.
#ifndef WEMASY_SERVER_OBSERVABILITY_WAIT_METRICS_H_
#define WEMASY_SERVER_OBSERVABILITY_WAIT_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace wemasy::tokens {

// tokend_barrier_wait_seconds, by how the wait ended. Thread-safe.
class WaitMetrics final : public prometheus::Collectable {
 public:
  // `ends` are the values of the label; all series exist from now on.
  explicit WaitMetrics(const std::vector<std::string>& ends);

  // A wait of `waited` ended with `end`, one of the label's values.
  void Observe(absl::string_view end, absl::Duration waited);

  std::vector<prometheus::MetricFamily> Collect() const override {
    return registry_.Collect();
  }

 private:
  prometheus::Registry registry_;
  // Owned by `registry_`.
  std::map<std::string, prometheus::Histogram*, std::less<>> histograms_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_WAIT_METRICS_H_
