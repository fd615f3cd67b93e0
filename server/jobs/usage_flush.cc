#include "server/jobs/usage_flush.h"

#include <algorithm>
#include <tuple>

namespace wemasy::tokens {

absl::Status UsageFlush::Flush(absl::Duration timeout) {
  const BootTime deadline = clock_.Now() + timeout;
  // Held while writing: a second flush at the same time would find nothing of
  // its own to do.
  MutexLock lock(&mutex_);
  TakeDrained();
  auto next = pending_.begin();
  absl::Status status;
  while (status.ok() && next != pending_.end()) {
    const auto end =
        next + std::min<ptrdiff_t>(kBatchSize, pending_.end() - next);
    status = store_.RecordUses(std::vector<TokenUse>(next, end), deadline);
    if (status.ok()) next = end;
  }
  pending_.erase(pending_.begin(), next);
  if (pending_.size() > kMaxPending) {
    dropped_ += static_cast<int64_t>(pending_.size() - kMaxPending);
    pending_.resize(kMaxPending);
  }
  pending_.shrink_to_fit();
  return status;
}

void UsageFlush::TakeDrained() {
  const std::vector<TokenUse> uses = drain_();
  pending_.insert(pending_.end(), uses.begin(), uses.end());
  // Of one secret's uses the last one first, which is the one that stays.
  const auto key = [](const TokenUse& use) {
    return std::tie(use.token, use.is_old);
  };
  std::sort(pending_.begin(), pending_.end(),
            [&](const TokenUse& a, const TokenUse& b) {
              return key(a) != key(b) ? key(a) < key(b) : a.minute > b.minute;
            });
  pending_.erase(std::unique(pending_.begin(), pending_.end(),
                             [&](const TokenUse& a, const TokenUse& b) {
                               return key(a) == key(b);
                             }),
                 pending_.end());
}

}  // namespace wemasy::tokens
