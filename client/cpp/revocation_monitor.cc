#include "client/cpp/revocation_monitor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace wemasy::tokens {
namespace {

// After an answer that is not known to be current, or none.
constexpr absl::Duration kAskAgain = absl::Milliseconds(100);
// While no changes are heard of.
constexpr absl::Duration kAskWithoutSession = absl::Seconds(2);

}  // namespace

RevocationMonitor::RevocationMonitor(Ask ask, absl::Duration vouch_timeout,
                                     const BootClock* clock)
    : ask_(std::move(ask)), vouch_timeout_(vouch_timeout), clock_(*clock) {
  thread_ = std::thread([this] { Run(); });
}

RevocationMonitor::~RevocationMonitor() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
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
  MutexLock lock(&mutex_);
  watched_.erase(id);
  // A callback may end its own subscription.
  if (std::this_thread::get_id() == thread_.get_id()) return;
  while (calling_ == id) changed_.Wait(&mutex_);
}

void RevocationMonitor::OnSession(
    const std::shared_ptr<WatchSession>& session) {
  MutexLock lock(&mutex_);
  session_ = session;
  // Changes may have been missed, or will be.
  const BootTime now = clock_.Now();
  for (auto& [id, watched] : watched_) {
    watched.due = now;
    ++watched.doubts;
  }
  changed_.SignalAll();
}

void RevocationMonitor::OnChange(const std::string& token_name) {
  MutexLock lock(&mutex_);
  const BootTime now = clock_.Now();
  for (auto& [id, watched] : watched_) {
    // One without a name yet is being asked about.
    if (watched.name != token_name) continue;
    watched.due = now;
    ++watched.doubts;
    changed_.SignalAll();
  }
}

void RevocationMonitor::Run() {
  pthread_setname_np(pthread_self(), "token-revoked");
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const auto next = std::min_element(watched_.begin(), watched_.end(),
                                       [](const auto& a, const auto& b) {
                                         return a.second.due < b.second.due;
                                       });
    const absl::Duration left = next == watched_.end()
                                    ? absl::InfiniteDuration()
                                    : next->second.due - clock_.Now();
    if (left <= absl::ZeroDuration()) {
      Check(next->first);
    } else {
      changed_.WaitWithTimeout(&mutex_, left);
    }
  }
}

bool RevocationMonitor::IsCurrent(const FreshAnswer& fresh) const {
  return session_ != nullptr && session_->TellsOf(fresh.origin) &&
         fresh.origin.seq >= session_->applied();
}

void RevocationMonitor::Check(int64_t id) {
  const std::shared_ptr<const Secret> token = watched_[id].token;
  const int64_t doubts = watched_[id].doubts;
  mutex_.Unlock();
  const absl::StatusOr<FreshAnswer> fresh = ask_(token->Reveal());
  mutex_.Lock();
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  const BootTime now = clock_.Now();
  const bool is_valid =
      fresh.ok() && fresh->answer.verdict == v1::VERDICT_VALID;
  if (is_valid) {
    watched.name = fresh->answer.identity->name;
    watched.vouched_until = now + vouch_timeout_;
    if (session_ == nullptr) {
      watched.due = std::min(now + kAskWithoutSession, fresh->answer.end);
    } else if (watched.doubts == doubts && IsCurrent(*fresh)) {
      // Any later change will be heard of.
      watched.due = fresh->answer.end;
    } else {
      watched.due = now + kAskAgain;
    }
    return;
  }
  if (!fresh.ok() && now < watched.vouched_until) {
    watched.due = now + kAskAgain;
    return;
  }
  const std::function<void()> callback = std::move(watched.callback);
  watched_.erase(found);
  calling_ = id;
  mutex_.Unlock();
  callback();
  mutex_.Lock();
  calling_ = 0;
  changed_.SignalAll();
}

}  // namespace wemasy::tokens
