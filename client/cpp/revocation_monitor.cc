#include "client/cpp/revocation_monitor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace wemasy::tokens {
namespace {

// After an answer that is not known to be current, or none.
constexpr absl::Duration kAskAgain = absl::Milliseconds(100);
// While no changes are heard of, nobody vouches that there are none, or only
// another replica than the session's answers.
constexpr absl::Duration kAskWithoutSession = absl::Seconds(2);

}  // namespace

RevocationMonitor::RevocationMonitor(Ask ask, absl::Duration vouch_timeout,
                                     const BootClock* clock)
    : ask_(std::move(ask)), vouch_timeout_(vouch_timeout), clock_(*clock) {
  for (int i = 0; i < kAskers; ++i) askers_.emplace_back([this] { Run(); });
}

RevocationMonitor::~RevocationMonitor() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  for (std::thread& asker : askers_) asker.join();
}

TokenSubscription RevocationMonitor::Subscribe(absl::string_view token,
                                               std::function<void()> callback) {
  MutexLock lock(&mutex_);
  const int64_t id = ++last_id_;
  Watched& watched = watched_[id];
  watched.token = std::make_shared<const Secret>(token);
  watched.callback = std::move(callback);
  watched.due = clock_.Now();
  watched.vouched_until = watched.due + vouch_timeout_;
  changed_.SignalAll();
  return TokenSubscription([this, id] { Unsubscribe(id); });
}

void RevocationMonitor::Unsubscribe(int64_t id) {
  // What its callback holds may end subscriptions, too: not under the mutex.
  WatchedTokens::node_type gone;
  MutexLock lock(&mutex_);
  gone = watched_.extract(id);
  // A callback may end its own subscription.
  while (calling_ == id && calling_thread_ != std::this_thread::get_id()) {
    changed_.Wait(&mutex_);
  }
}

void RevocationMonitor::OnSession(
    const std::shared_ptr<WatchSession>& session) {
  MutexLock lock(&mutex_);
  // Changes may have been missed, or will be.
  DoubtAll();
  session_ = session;
  changed_.SignalAll();
}

void RevocationMonitor::OnChange(const std::string& token_name) {
  MutexLock lock(&mutex_);
  for (auto& [id, watched] : watched_) {
    // One without a name yet is being asked about.
    if (watched.name != token_name) continue;
    Doubt(watched);
    // Before all that may have changed: this one has.
    watched.due = BootTime();
    changed_.SignalAll();
  }
}

void RevocationMonitor::Doubt(Watched& watched) {
  const BootTime now = clock_.Now();
  if (watched.is_settled) {
    watched.is_settled = false;
    watched.vouched_until = std::max(
        watched.vouched_until, std::min(now, LeaseEnd()) + vouch_timeout_);
  }
  watched.due = now;
  ++watched.doubts;
}

void RevocationMonitor::DoubtAll() {
  for (auto& [id, watched] : watched_) Doubt(watched);
  has_settled_ = false;
}

BootTime RevocationMonitor::LeaseEnd() const {
  return session_ == nullptr ? BootTime() : session_->state()->lease_end();
}

void RevocationMonitor::Run() {
  pthread_setname_np(pthread_self(), "token-revoked");
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const auto next = Next();
    const BootTime due =
        next == watched_.end() ? BootTime::InfiniteFuture() : next->second.due;
    // A lease is extended without a word.
    const BootTime doubtful =
        has_settled_ ? LeaseEnd() : BootTime::InfiniteFuture();
    const BootTime now = clock_.Now();
    if (now >= doubtful) {
      DoubtAll();
    } else if (now >= due) {
      Check(next->first);
    } else {
      changed_.WaitWithTimeout(&mutex_, std::min(due, doubtful) - now);
    }
  }
}

RevocationMonitor::WatchedTokens::iterator RevocationMonitor::Next() {
  auto next = watched_.end();
  if (is_in_vain_ && asking_ > 0) return next;
  for (auto it = watched_.begin(); it != watched_.end(); ++it) {
    if (it->second.is_asked) continue;
    if (next == watched_.end() || it->second.due < next->second.due) next = it;
  }
  return next;
}

bool RevocationMonitor::IsOfSession(const FreshAnswer& fresh) const {
  return session_ != nullptr &&
         session_->incarnation() == fresh.origin.incarnation;
}

bool RevocationMonitor::IsCurrent(const FreshAnswer& fresh) const {
  return session_ != nullptr && session_->TellsOf(fresh.origin) &&
         fresh.origin.seq >= session_->applied();
}

void RevocationMonitor::Check(int64_t id) {
  Watched& due = watched_[id];
  const std::shared_ptr<const Secret> token = due.token;
  const int64_t doubts = due.doubts;
  due.is_asked = true;
  ++asking_;
  mutex_.Unlock();
  const absl::StatusOr<FreshAnswer> fresh = ask_(token->Reveal());
  mutex_.Lock();
  --asking_;
  is_in_vain_ = !fresh.ok();
  // Others may have waited for that.
  changed_.SignalAll();
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  if (!fresh.ok()) return OnNoAnswer(id);
  if (fresh->answer.verdict != v1::VERDICT_VALID) return End(id);
  watched.is_asked = false;
  const BootTime now = clock_.Now();
  watched.name = fresh->answer.identity->name;
  watched.vouched_until = now + vouch_timeout_;
  const bool is_doubted = watched.doubts != doubts;
  if (!is_doubted && (now >= LeaseEnd() || !IsOfSession(*fresh))) {
    watched.due = std::min(now + kAskWithoutSession, fresh->answer.end);
  } else if (!is_doubted && IsCurrent(*fresh)) {
    // Any later change will be heard of.
    watched.due = fresh->answer.end;
    watched.is_settled = true;
    has_settled_ = true;
  } else {
    watched.due = now + kAskAgain;
  }
}

void RevocationMonitor::OnNoAnswer(int64_t id) {
  const BootTime now = clock_.Now();
  Watched& asked = watched_[id];
  // If it was, it has come to its own end.
  asked.is_settled = false;
  std::vector<int64_t> ended;
  for (auto& [other, watched] : watched_) {
    if (watched.is_settled) continue;
    if (now >= watched.vouched_until) ended.push_back(other);
    watched.due = std::max(watched.due, now + kAskAgain);
  }
  // After the others: it may be that there is an answer about all but this one.
  asked.due = now + 2 * kAskAgain;
  // One that ends is not asked about again before it does.
  asked.is_asked = now >= asked.vouched_until;
  for (const int64_t each : ended) {
    AwaitCallback();
    // Meanwhile somebody may have vouched for it.
    const auto still = watched_.find(each);
    if (still == watched_.end()) continue;
    if (clock_.Now() >= still->second.vouched_until) End(each);
  }
}

void RevocationMonitor::AwaitCallback() {
  while (calling_ != 0) changed_.Wait(&mutex_);
}

void RevocationMonitor::End(int64_t id) {
  AwaitCallback();
  auto gone = watched_.extract(id);
  if (gone.empty()) return;
  std::function<void()> callback = std::move(gone.mapped().callback);
  calling_ = id;
  calling_thread_ = std::this_thread::get_id();
  mutex_.Unlock();
  callback();
  callback = nullptr;
  mutex_.Lock();
  calling_ = 0;
  changed_.SignalAll();
}

}  // namespace wemasy::tokens
