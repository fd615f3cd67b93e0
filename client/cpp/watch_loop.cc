#include "client/cpp/watch_loop.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace wemasy::tokens {
namespace {

// How long a replica may take to begin a stream, and to answer a ping.
constexpr absl::Duration kPatience = absl::Seconds(2);
// The next ping comes after that part of the leave that the last one gave.
constexpr int kPingsPerGrant = 4;
// After a ping that gave none.
constexpr absl::Duration kPingAgain = absl::Milliseconds(100);
// Between streams: from, and to, twice as long every time.
constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Milliseconds(500);
// After a replica that serves as many streams as it may.
constexpr absl::Duration kPauseWhereFull = absl::Seconds(2);
// How long a stream may be without leave, from the end of the last. A replica
// ends one that retires at the first ping after its last grant has ended there,
// a few thousandths of the grant later than here: however long grants are, that
// is sooner.
constexpr absl::Duration kLeavePatience = absl::Seconds(3);
// How long it may take to notice that the client is going away.
constexpr absl::Duration kStopPatience = absl::Milliseconds(100);

}  // namespace

WatchLoop::WatchLoop(WatchLoopOptions options, Replicas* replicas,
                     const BootClock* clock, WatchEvents events)
    : options_(options),
      replicas_(*replicas),
      clock_(*clock),
      events_(std::move(events)) {
  reader_ = std::thread([this] { RunStreams(); });
  pinger_ = std::thread([this] { RunPings(); });
}

WatchLoop::~WatchLoop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.SignalAll();
  }
  reader_.join();
  pinger_.join();
}

void WatchLoop::RunStreams() {
  pthread_setname_np(pthread_self(), "token-watch");
  absl::BitGen random;
  size_t replica = absl::Uniform<size_t>(random, 0, replicas_.size());
  absl::Duration pause = kFirstPause;
  do {
    had_lease_ = false;
    const grpc::Status ended = RunStream(replica);
    if (had_lease_) {
      pause = kFirstPause;
    } else {
      replicas_.Renew(replica);
    }
    const bool is_full =
        !had_lease_ &&
        ended.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    const absl::Duration wait =
        (is_full ? kPauseWhereFull : pause) * absl::Uniform(random, 0.5, 1.5);
    replica = (replica + 1) % replicas_.size();
    pause = std::min(pause * 2, kLongestPause);
    if (!Pause(wait, replica)) return;
  } while (true);
}

bool WatchLoop::Pause(absl::Duration duration, size_t replica) {
  const BootTime end = clock_.Now() + duration;
  for (BootTime now = clock_.Now(); now < end && !IsStopping();
       now = clock_.Now()) {
    const absl::Duration slice = std::min(end - now, kStopPatience);
    if (replicas_.AwaitConnection(replica, slice)) break;
  }
  MutexLock lock(&mutex_);
  while (!stopping_ && clock_.Now() < end) {
    changed_.WaitWithTimeout(&mutex_, end - clock_.Now());
  }
  return !stopping_;
}

bool WatchLoop::IsStopping() {
  MutexLock lock(&mutex_);
  return stopping_;
}

grpc::Status WatchLoop::RunStream(size_t replica) {
  grpc::ClientContext context;
  {
    MutexLock lock(&mutex_);
    if (stopping_) return grpc::Status::CANCELLED;
    context_ = &context;
    patience_end_ = clock_.Now() + kPatience;
    changed_.SignalAll();
  }
  const std::unique_ptr<Stream> stream =
      replicas_.stub(replica)->Watch(&context);
  {
    MutexLock lock(&write_mutex_);
    stream_ = stream.get();
  }
  v1::WatchResponse response;
  std::shared_ptr<WatchSession> session;
  if (stream->Read(&response) && response.has_hello()) {
    session = BeginSession(response.hello());
  }
  if (session != nullptr) {
    replicas_.Prefer(replica);
    events_.on_session(session);
    leave_due_ = clock_.Now() + kLeavePatience;
    {
      MutexLock lock(&mutex_);
      patience_end_ = BootTime::InfiniteFuture();
      next_ping_ = clock_.Now();
      changed_.SignalAll();
    }
    while (stream->Read(&response) && Handle(response, *session).ok()) {
    }
    session->End();
    events_.on_session(nullptr);
    replicas_.Prefer(absl::nullopt);
  }
  // First, so that the thread of the pings is not held up by a full stream.
  context.TryCancel();
  {
    MutexLock lock(&mutex_);
    context_ = nullptr;
    pinged_at_.reset();
    next_ping_ = BootTime::InfiniteFuture();
    patience_end_ = BootTime::InfiniteFuture();
  }
  {
    MutexLock lock(&write_mutex_);
    stream_ = nullptr;
  }
  return stream->Finish();
}

// A replica that knows less than another one did would tell of the past.
std::shared_ptr<WatchSession> WatchLoop::BeginSession(
    const v1::WatchHello& hello) {
  if (hello.timeline() < newest_timeline_ ||
      (hello.timeline() == newest_timeline_ &&
       hello.change_number() < newest_seq_)) {
    return nullptr;
  }
  newest_timeline_ = hello.timeline();
  newest_seq_ = hello.change_number();
  return std::make_shared<WatchSession>(
      AnswerOrigin{hello.incarnation(), hello.change_number(),
                   hello.stream_number()},
      options_.max_answers, options_.max_unknown, &clock_);
}

absl::Status WatchLoop::Handle(const v1::WatchResponse& response,
                               WatchSession& session) {
  if (response.has_changes()) return Apply(response.changes(), session);
  if (!response.has_grant()) return absl::OkStatus();
  const v1::WatchGrant& grant = response.grant();
  const absl::Duration ttl = absl::Seconds(grant.ttl().seconds()) +
                             absl::Nanoseconds(grant.ttl().nanos());
  BootTime pinged_at;
  {
    MutexLock lock(&mutex_);
    patience_end_ = BootTime::InfiniteFuture();
    next_ping_ = clock_.Now() + kPingAgain;
    changed_.SignalAll();
    // One that was meant for an earlier stream says nothing, but is answered.
    if (!pinged_at_ || grant.ping_number() != ping_) return absl::OkStatus();
    pinged_at = *pinged_at_;
    pinged_at_.reset();
    if (ttl > absl::ZeroDuration()) {
      next_ping_ = pinged_at + ttl / kPingsPerGrant;
    }
  }
  session.Grant(pinged_at, ttl, grant.change_number());
  if (session.has_lease()) {
    had_lease_ = true;
    leave_due_ = session.state()->lease_end() + kLeavePatience;
  } else if (clock_.Now() >= leave_due_) {
    // Others may give some.
    had_lease_ = false;
    return absl::UnavailableError("the replica gives no leave");
  }
  return absl::OkStatus();
}

absl::Status WatchLoop::Apply(const v1::WatchChanges& changes,
                              WatchSession& session) {
  for (const v1::WatchChange& change : changes.changes()) {
    // Who does not say tells of every change.
    const int64_t previous = change.has_previous_change_number()
                                 ? change.previous_change_number()
                                 : change.change_number() - 1;
    RETURN_IF_ERROR(session.Apply(previous, change.change_number(),
                                  change.token(), change.is_live()));
    newest_seq_ = change.change_number();
  }
  v1::WatchRequest request;
  request.set_acknowledged_change_number(newest_seq_);
  if (!Send(request)) return absl::UnavailableError("the stream is broken");
  for (const v1::WatchChange& change : changes.changes()) {
    if (!change.token().empty()) events_.on_change(change.token());
  }
  return absl::OkStatus();
}

bool WatchLoop::Send(const v1::WatchRequest& request) {
  MutexLock lock(&write_mutex_);
  return stream_ != nullptr && stream_->Write(request);
}

void WatchLoop::RunPings() {
  pthread_setname_np(pthread_self(), "token-ping");
  while (true) {
    v1::WatchRequest request;
    {
      MutexLock lock(&mutex_);
      while (true) {
        if (stopping_) return;
        const BootTime now = clock_.Now();
        if (now >= patience_end_) {
          if (context_ != nullptr) context_->TryCancel();
          patience_end_ = BootTime::InfiniteFuture();
        }
        if (now >= next_ping_) break;
        changed_.WaitWithTimeout(&mutex_,
                                 std::min(next_ping_, patience_end_) - now);
      }
      next_ping_ = BootTime::InfiniteFuture();
      request.set_ping_number(++ping_);
      // Validate says which stream an answer may be kept under.
      request.set_only_validated(true);
      // Before sending: the lease counts from here.
      pinged_at_ = clock_.Now();
      patience_end_ = *pinged_at_ + kPatience;
    }
    Send(request);
  }
}

}  // namespace wemasy::tokens
