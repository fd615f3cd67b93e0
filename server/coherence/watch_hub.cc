#include "server/coherence/watch_hub.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// How many changes go into one message at most.
constexpr size_t kChangesPerMessage = 256;

absl::Status Leaving() {
  return MakeError(ErrorReason::kLeaseNotHeld,
                   "this replica is starting or leaving; watch another one");
}

absl::Status Retired() {
  return MakeError(ErrorReason::kLeaseNotHeld,
                   "the stream has lived long enough; begin another one");
}

absl::Status FellBehind() {
  return MakeError(ErrorReason::kOverloaded,
                   "the stream is too far behind the changes; begin anew");
}

}  // namespace

WatchHub::WatchHub(WatchOptions options, const Lease* lease,
                   const BootClock* clock)
    : options_(options), lease_(*lease), clock_(*clock) {}

void WatchHub::Open(const ReplicaIdentity& replica, int64_t applied) {
  MutexLock lock(&mutex_);
  is_open_ = true;
  replica_ = replica;
  first_ = applied + 1;
}

void WatchHub::SetTimeline(const std::string& timeline) {
  MutexLock lock(&mutex_);
  replica_.timeline = timeline;
}

ReplicaIdentity WatchHub::identity() const {
  MutexLock lock(&mutex_);
  return replica_;
}

// In one critical section: what is queued from now on is sent, and Hello says
// what was before.
absl::StatusOr<WatchStreams::StreamId> WatchHub::Join(
    std::shared_ptr<WatchListener> listener) {
  MutexLock lock(&mutex_);
  if (!is_open_ || is_retiring_ || is_closed_) return Leaving();
  if (static_cast<int>(streams_.size()) >= options_.max_streams) {
    return MakeError(
        ErrorReason::kOverloaded,
        absl::StrCat("this replica serves ", options_.max_streams,
                     " streams, as many as it may; watch another one"));
  }
  const StreamId id = ++last_stream_;
  Stream& stream = streams_[id];
  stream.listener = std::move(listener);
  stream.last_told = LastQueued();
  stream.retires_at = NextRetirement();
  return id;
}

BootTime WatchHub::NextRetirement() const {
  constexpr StreamId kSteps = 64;
  const auto step = static_cast<double>(last_stream_ % kSteps);
  return clock_.Now() + options_.stream_life * (0.75 + 0.5 * step / kSteps);
}

bool WatchHub::HasRetired(const Stream& stream, BootTime now) const {
  return (is_retiring_ || now >= stream.retires_at) && now >= stream.grant_end;
}

bool WatchHub::IsOverdue(const Stream& stream, BootTime now) const {
  if (stream.due.empty()) return false;
  const int64_t oldest = stream.due.front();
  return oldest < first_ || At(oldest).queued_at + kAcknowledgePatience <= now;
}

void WatchHub::TellOnlyOfNoted(StreamId id) {
  MutexLock lock(&mutex_);
  const auto found = streams_.find(id);
  if (found != streams_.end()) found->second.is_told_only_of_noted = true;
}

// In one critical section: a change that is queued from now on is told, and one
// that the answer may lack is queued already.
bool WatchHub::Note(StreamId id, const absl::optional<TokenId>& token,
                    int64_t applied) {
  MutexLock lock(&mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end() || applied + 1 < first_) return false;
  for (int64_t seq = applied + 1; seq <= LastQueued(); ++seq) {
    const QueuedChange& queued = At(seq);
    if (token ? queued.token == token : queued.change.is_live) return false;
  }
  Stream& stream = found->second;
  if (token) {
    stream.noted.Add(*token);
  } else {
    stream.has_noted_unknown = true;
  }
  return true;
}

bool WatchHub::Matters(const QueuedChange& queued, const Stream& stream) {
  if (!stream.is_told_only_of_noted) return true;
  return (queued.token && stream.noted.MayHave(*queued.token)) ||
         (queued.change.is_live && stream.has_noted_unknown);
}

void WatchHub::Ping(StreamId id, int64_t ping) {
  std::shared_ptr<WatchListener> listener;
  {
    MutexLock lock(&mutex_);
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.grant) return;
    Stream& stream = found->second;
    // The clock is read after the lease, and both before the grant counts.
    const CapturedLease lease = lease_.Capture();
    const BootTime now = clock_.Now();
    absl::Duration ttl = std::min(options_.client_ttl, lease.end - now);
    const bool is_retired = is_retiring_ || now >= stream.retires_at;
    if (is_closed_ || is_retired || IsOverdue(stream, now)) {
      ttl = absl::ZeroDuration();
    }
    ttl = std::max(ttl, absl::ZeroDuration());
    stream.is_over = HasRetired(stream, now);
    if (ttl > absl::ZeroDuration()) {
      stream.grant_end =
          std::max(stream.grant_end, now + ttl + ttl / kClockDriftDivisor);
    }
    stream.grant = WatchGrant{
        ping, ttl, stream.due.empty() ? stream.last_told : stream.due.back()};
    if (std::exchange(stream.is_idle, false)) listener = stream.listener;
  }
  if (listener != nullptr) listener->OnReady();
}

absl::Status WatchHub::Acknowledge(StreamId id, int64_t seq) {
  bool is_released = false;
  {
    MutexLock lock(&mutex_);
    const auto found = streams_.find(id);
    if (found == streams_.end()) return absl::OkStatus();
    Stream& stream = found->second;
    if (seq > stream.last_told) {
      FieldViolations violations;
      violations.Add("acknowledged_change_number",
                     absl::StrCat("is ", seq, ", want at most ",
                                  stream.last_told, ", the last change sent"));
      return violations.ToStatus();
    }
    // Who is behind lacks more than what is due.
    if (stream.is_behind) return absl::OkStatus();
    for (; stream.told > 0 && stream.due.front() <= seq; --stream.told) {
      stream.due.pop_front();
    }
    if (stream.is_awaited && !stream.Lacks(target_)) {
      stream.is_awaited = false;
      is_released = --awaited_ == 0;
    }
  }
  if (is_released) CallReleased();
  return absl::OkStatus();
}

WatchMessage WatchHub::Take(StreamId id) {
  MutexLock lock(&mutex_);
  WatchMessage message;
  const auto found = streams_.find(id);
  if (found == streams_.end()) return message;
  Stream& stream = found->second;
  if (is_closed_) {
    message.end = Leaving();
    return message;
  }
  if (stream.is_over) {
    message.end = is_retiring_ ? Leaving() : Retired();
    return message;
  }
  if (stream.is_behind ||
      (stream.HasToTell() && stream.due[stream.told] < first_)) {
    message.end = FellBehind();
    return message;
  }
  if (std::exchange(stream.has_hello, false)) {
    message.hello = WatchHello{replica_, stream.last_told, id};
    return message;
  }
  // In the order of their queueing: a grant after all changes that it is of.
  const int64_t last = stream.grant ? stream.grant->seq : LastQueued();
  while (stream.HasToTell() && stream.due[stream.told] <= last &&
         message.changes.size() < kChangesPerMessage) {
    const int64_t seq = stream.due[stream.told++];
    message.changes.push_back(At(seq).change);
    message.changes.back().previous_seq = std::exchange(stream.last_told, seq);
  }
  if (message.changes.empty()) {
    message.grant = std::exchange(stream.grant, absl::nullopt);
  }
  stream.is_idle = message.empty();
  return message;
}

void WatchHub::Leave(StreamId id) {
  MutexLock lock(&mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream& stream = found->second;
  if (stream.is_awaited) --awaited_;
  const BootTime now = clock_.Now();
  ForgetExpired(now);
  if (stream.grant_end > now) {
    // What it may keep is of no interest any more: it holds up what comes.
    BootTime& end =
        orphans_[stream.due.empty() ? LastQueued() : stream.due.front() - 1];
    end = std::max(end, stream.grant_end);
  }
  streams_.erase(found);
}

void WatchHub::Queue(const Change& change) {
  QueuedChange queued;
  queued.change.seq = change.seq;
  if (change.operation == ChangeOperation::kPut) {
    queued.token = change.entry.name.token;
    queued.change.token = change.entry.name.ToString();
    queued.change.is_live = !change.entry.dead_at.has_value();
  }
  MutexLock lock(&mutex_);
  queued.queued_at = clock_.Now();
  for (auto& [id, stream] : streams_) {
    if (!Matters(queued, stream)) continue;
    if (stream.due.size() >= options_.max_backlog) {
      stream.is_behind = true;
      continue;
    }
    stream.due.push_back(change.seq);
    // The client drops them all.
    if (queued.change.is_live) stream.has_noted_unknown = false;
  }
  changes_.push_back(std::move(queued));
  if (changes_.size() > options_.max_backlog) {
    changes_.pop_front();
    ++first_;
  }
}

void WatchHub::Deliver() {
  CallIdle([this](const Stream& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return is_closed_ || stream.is_behind || stream.HasToTell();
  });
}

void WatchHub::CallIdle(absl::FunctionRef<bool(Stream&)> is_ready) {
  std::vector<std::shared_ptr<WatchListener>> listeners;
  {
    MutexLock lock(&mutex_);
    for (auto& [id, stream] : streams_) {
      if (is_ready(stream) && std::exchange(stream.is_idle, false)) {
        listeners.push_back(stream.listener);
      }
    }
  }
  for (const auto& listener : listeners) listener->OnReady();
}

void WatchHub::Retire() {
  MutexLock lock(&mutex_);
  is_retiring_ = true;
}

void WatchHub::Close() {
  {
    MutexLock lock(&mutex_);
    is_closed_ = true;
  }
  Deliver();
}

void WatchHub::ForgetExpired(BootTime now) {
  for (auto it = orphans_.begin(); it != orphans_.end();) {
    it = it->second <= now ? orphans_.erase(it) : std::next(it);
  }
}

void WatchHub::EndRetired() {
  const BootTime now = clock_.Now();
  CallIdle([this, now](Stream& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    stream.is_over |= HasRetired(stream, now);
    return stream.is_over;
  });
}

int64_t WatchHub::Acked(int64_t applied) {
  EndRetired();
  MutexLock lock(&mutex_);
  const BootTime now = clock_.Now();
  ForgetExpired(now);
  target_ = applied;
  awaited_ = 0;
  next_expiry_ = BootTime::InfiniteFuture();
  int64_t acked = applied;
  for (auto& [id, stream] : streams_) {
    stream.is_awaited = stream.grant_end > now && stream.Lacks(applied);
    if (!stream.is_awaited) continue;
    ++awaited_;
    acked = std::min(acked, stream.due.front() - 1);
    next_expiry_ = std::min(next_expiry_, stream.grant_end);
  }
  for (const auto& [orphan_acked, end] : orphans_) {
    if (orphan_acked >= applied) continue;
    acked = std::min(acked, orphan_acked);
    next_expiry_ = std::min(next_expiry_, end);
  }
  return acked;
}

BootTime WatchHub::NextExpiry() const {
  MutexLock lock(&mutex_);
  return next_expiry_;
}

BootTime WatchHub::GrantsEnd() const {
  MutexLock lock(&mutex_);
  BootTime last;
  for (const auto& [id, stream] : streams_) {
    last = std::max(last, stream.grant_end);
  }
  for (const auto& [acked, end] : orphans_) last = std::max(last, end);
  return last;
}

void WatchHub::SetReleased(std::function<void()> released) {
  MutexLock lock(&released_mutex_);
  released_ = std::move(released);
}

void WatchHub::CallReleased() {
  MutexLock lock(&released_mutex_);
  if (released_ != nullptr) released_();
}

int64_t WatchHub::streams() const {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(streams_.size());
}

}  // namespace wemasy::tokens
