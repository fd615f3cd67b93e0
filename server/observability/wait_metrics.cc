#include "server/observability/wait_metrics.h"

#include "server/observability/call_metrics.h"

namespace wemasy::tokens {

WaitMetrics::WaitMetrics(const std::vector<std::string>& ends) {
  auto& family = prometheus::BuildHistogram()
                     .Name("tokend_barrier_wait_seconds")
                     .Help(
                         "Time from a commit until the change was in effect "
                         "at every replica, by how the wait ended.")
                     .Register(registry_);
  prometheus::Histogram::BucketBoundaries bounds;
  for (const int64_t micros : kLatencyBoundsMicros) {
    bounds.push_back(static_cast<double>(micros) / 1e6);
  }
  for (const std::string& end : ends) {
    histograms_[end] = &family.Add({{"end", end}}, bounds);
  }
}

void WaitMetrics::Observe(absl::string_view end, absl::Duration waited) {
  const auto found = histograms_.find(end);
  if (found == histograms_.end()) return;
  found->second->Observe(absl::ToDoubleSeconds(waited));
}

}  // namespace wemasy::tokens
