#include "client/cpp/watch_session.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens {

WatchSession::WatchSession(AnswerOrigin origin, size_t max_answers,
                           size_t max_unknown, const BootClock* clock)
    : incarnation_(std::move(origin.incarnation)),
      stream_(origin.stream),
      clock_(*clock),
      applied_(origin.seq),
      cache_(max_answers, max_unknown) {}

absl::Status WatchSession::Apply(int64_t previous_seq, int64_t seq,
                                 const std::string& token, bool is_live) {
  MutexLock lock(&mutex_);
  if (previous_seq != applied_ || seq <= applied_) {
    return absl::DataLossError(absl::StrCat(
        "change ", seq, ", told after ", previous_seq, ", follows ", applied_));
  }
  if (!token.empty()) cache_.Drop(token);
  // It may be a secret that was UNKNOWN until now.
  if (is_live) cache_.DropUnknown();
  // After that: who copies an answer looks at the version first.
  MakeVersion();
  applied_ = seq;
  return absl::OkStatus();
}

void WatchSession::Grant(BootTime pinged_at, absl::Duration ttl, int64_t seq) {
  MutexLock lock(&mutex_);
  if (is_over_ || seq > applied_ || ttl <= absl::ZeroDuration()) return;
  const BootTime end = pinged_at + (ttl - ttl / kClockDriftDivisor);
  if (end > state_->lease_end()) {
    state_->lease_end_.store(end.nanos(), std::memory_order_release);
  }
}

void WatchSession::End() {
  MutexLock lock(&mutex_);
  is_over_ = true;
  MakeVersion();
}

// The lease is captured before the look-up, the clock read after it, and the
// lease never read again.
absl::optional<Answer> WatchSession::Find(const TokenDigest& digest) {
  const BootTime end = state_->lease_end();
  absl::optional<Answer> answer = cache_.Find(digest);
  if (!answer) return absl::nullopt;
  const BootTime now = clock_.Now();
  if (now >= end || now >= answer->end) return absl::nullopt;
  return answer;
}

bool WatchSession::Keep(const TokenDigest& digest, const Answer& answer,
                        const AnswerOrigin& origin) {
  if (!TellsOf(origin)) return false;
  MutexLock lock(&mutex_);
  if (is_over_ || origin.seq < applied_) return false;
  cache_.Put(digest, answer);
  return true;
}

int64_t WatchSession::applied() const {
  MutexLock lock(&mutex_);
  return applied_;
}

}  // namespace wemasy::tokens
