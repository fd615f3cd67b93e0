#include "server/jobs/usage_flush.h"

#include <algorithm>

namespace wemasy::tokens {

absl::Status UsageFlush::Flush(absl::Duration timeout) {
  const BootTime deadline = clock_.Now() + timeout;
  // Held while writing: a second flush at the same time would find nothing of
  // its own to do.
  MutexLock lock(&mutex_);
  TakeDrained();
  while (!pending_.empty()) {
    std::vector<TokenUse> batch;
    auto end = pending_.begin();
    for (; end != pending_.end() && batch.size() < kBatchSize; ++end) {
      batch.push_back({end->first.first, end->first.second, end->second});
    }
    const absl::Status status = store_.RecordUses(std::move(batch), deadline);
    if (!status.ok()) return status;
    pending_.erase(pending_.begin(), end);
  }
  return absl::OkStatus();
}

void UsageFlush::TakeDrained() {
  for (const TokenUse& use : drain_()) {
    const Key key(use.token, use.is_old);
    const auto found = pending_.find(key);
    if (found != pending_.end()) {
      found->second = std::max(found->second, use.minute);
    } else if (pending_.size() < kMaxPending) {
      pending_.emplace(key, use.minute);
    } else {
      ++dropped_;
    }
  }
}

}  // namespace wemasy::tokens
