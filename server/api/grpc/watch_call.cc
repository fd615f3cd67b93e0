#include "server/api/grpc/watch_call.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "server/api/grpc/convert.h"

namespace wemasy::tokens {
namespace {

constexpr char kGone[] = "the client is gone, or its time is over";

void FillResponse(const WatchMessage& message, v1::WatchResponse& response) {
  response.Clear();
  if (message.hello) {
    v1::WatchHello& hello = *response.mutable_hello();
    hello.set_incarnation(message.hello->replica.incarnation);
    hello.set_timeline(message.hello->replica.timeline);
    hello.set_change_number(message.hello->seq);
    hello.set_stream_number(message.hello->stream);
  } else if (message.grant) {
    v1::WatchGrant& grant = *response.mutable_grant();
    grant.set_ping_number(message.grant->ping);
    ToProto(message.grant->ttl, grant.mutable_ttl());
    grant.set_change_number(message.grant->seq);
  } else {
    v1::WatchChanges& changes = *response.mutable_changes();
    for (const WatchedChange& watched : message.changes) {
      v1::WatchChange& change = *changes.add_changes();
      change.set_change_number(watched.seq);
      change.set_token(watched.token);
      change.set_is_live(watched.is_live);
      change.set_previous_change_number(watched.previous_seq);
    }
  }
}

// Writes one message at a time; reads all the while. The streams may hold on to
// it for a moment after it has left them.
class WatchCallImpl final : public WatchCall,
                            public WatchListener,
                            public std::enable_shared_from_this<WatchCallImpl> {
 public:
  WatchCallImpl(WatchStreams* streams, const ApiEnvironment& environment,
                MethodObserver* observer)
      : streams_(*streams), environment_(environment), observer_(*observer) {}

  void OnReady() override { Pump(); }

 private:
  void OnBegin() override {
    call_.emplace(Rpc::kWatch, environment_, &observer_, context());
    const absl::Status begun = ServedCall::Guard([this] {
      RETURN_IF_ERROR(call_->Admit(/*resource=*/{}));
      ASSIGN_OR_RETURN(stream_, streams_.Join(shared_from_this()));
      return absl::OkStatus();
    });
    if (!begun.ok()) {
      End(begun);
      return;
    }
    StartRead(&request_);
    Pump();
  }

  void OnReadDone(bool ok) override {
    const absl::Status handled =
        ok ? ServedCall::Guard([&] { return Handle(request_); })
           : absl::OkStatus();
    if (ok && handled.ok()) {
      StartRead(&request_);
    } else {
      // The client has ended the stream, or has to be told.
      End(handled);
    }
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(&mutex_);
      is_writing_ = false;
      if (!ok && !end_) end_ = absl::CancelledError(kGone);
    }
    Pump();
  }

  void OnCancel() override { End(absl::CancelledError(kGone)); }

  void OnDone() override {
    if (stream_) streams_.Leave(*stream_);
    // Only now it is known whether the client heard of the end: of one that is
    // gone the last read looks like that of one that has ended its side.
    if (context()->IsCancelled()) {
      call_->Report(grpc::StatusCode::CANCELLED, kGone);
    } else {
      MutexLock lock(&mutex_);
      call_->Report(code_, end_->message());
    }
  }

  absl::Status Handle(const v1::WatchRequest& request) {
    if (request.only_validated()) streams_.TellOnlyOfNoted(*stream_);
    switch (request.request_case()) {
      case v1::WatchRequest::kPingNumber:
        streams_.Ping(*stream_, request.ping_number());
        return absl::OkStatus();
      case v1::WatchRequest::kAcknowledgedChangeNumber:
        return streams_.Acknowledge(*stream_,
                                    request.acknowledged_change_number());
      default:
        // What a newer client may say, and need not be understood.
        return absl::OkStatus();
    }
  }

  void End(const absl::Status& status) {
    {
      MutexLock lock(&mutex_);
      if (!end_) end_ = status;
    }
    Pump();
  }

  // Writes the next message, if there is one, or finishes.
  void Pump() {
    MutexLock lock(&mutex_);
    if (is_writing_ || is_finished_) return;
    if (!end_ && stream_) {
      const WatchMessage message = streams_.Take(*stream_);
      if (message.empty()) return;
      if (message.end) {
        end_ = message.end;
      } else {
        FillResponse(message, response_);
        is_writing_ = true;
        StartWrite(response_);
        return;
      }
    }
    if (!end_) return;
    is_finished_ = true;
    // For the report, which comes too late to give the call one.
    call_->request_id();
    const grpc::Status reply = call_->Reply(*end_);
    code_ = reply.error_code();
    Finish(reply);
  }

  WatchStreams& streams_;
  const ApiEnvironment& environment_;
  MethodObserver& observer_;
  // From OnBegin on.
  absl::optional<ServedCall> call_;
  // Set in OnBegin, unless that fails.
  absl::optional<WatchStreams::StreamId> stream_;
  v1::WatchRequest request_;

  Mutex mutex_;
  v1::WatchResponse response_ ABSL_GUARDED_BY(mutex_);
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mutex_) = false;
  // How the stream ends, once it does.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  grpc::StatusCode code_ ABSL_GUARDED_BY(mutex_) = grpc::StatusCode::OK;
};

}  // namespace

std::shared_ptr<WatchCall> MakeWatchCall(WatchStreams* streams,
                                         const ApiEnvironment& environment,
                                         MethodObserver* observer) {
  return std::make_shared<WatchCallImpl>(streams, environment, observer);
}

}  // namespace wemasy::tokens
