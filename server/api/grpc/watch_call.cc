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

// Writes one message at a time; reads all the while. Kept alive by itself until
// gRPC is done with it, and by the streams until they have called it last.
class WatchCall final : public WatchReactor, public WatchListener {
 public:
  WatchCall(WatchStreams* streams, const ApiEnvironment& environment,
            MethodObserver* observer, grpc::CallbackServerContext* context)
      : streams_(*streams),
        call_(Rpc::kWatch, environment, observer, context) {}

  static WatchReactor* Serve(std::shared_ptr<WatchCall> call) {
    WatchCall* const raw = call.get();
    raw->self_ = std::move(call);
    raw->Begin();
    return raw;
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
      if (!ok && !end_) end_ = absl::CancelledError("the client is gone");
    }
    Pump();
  }

  void OnReady() override { Pump(); }

  void OnCancel() override { End(absl::CancelledError("the client is gone")); }

  void OnDone() override {
    if (stream_) streams_.Leave(*stream_);
    // Streams may still hold on to it for a moment.
    const std::shared_ptr<WatchCall> self = std::move(self_);
  }

 private:
  void Begin() {
    const absl::Status begun = ServedCall::Guard([this] {
      RETURN_IF_ERROR(call_.Admit(/*resource=*/{}));
      ASSIGN_OR_RETURN(stream_, streams_.Join(self_));
      return absl::OkStatus();
    });
    if (!begun.ok()) {
      End(begun);
      return;
    }
    StartRead(&request_);
    Pump();
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
        StartWrite(&response_);
        return;
      }
    }
    if (!end_) return;
    is_finished_ = true;
    Finish(call_.Finish(*end_));
  }

  WatchStreams& streams_;
  ServedCall call_;
  std::shared_ptr<WatchCall> self_;
  // Set before the first reaction.
  absl::optional<WatchStreams::StreamId> stream_;
  v1::WatchRequest request_;

  Mutex mutex_;
  v1::WatchResponse response_ ABSL_GUARDED_BY(mutex_);
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mutex_) = false;
  // How the stream ends, once it does.
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

WatchReactor* ServeWatch(WatchStreams* streams,
                         const ApiEnvironment& environment,
                         MethodObserver* observer,
                         grpc::CallbackServerContext* context) {
  return WatchCall::Serve(
      std::make_shared<WatchCall>(streams, environment, observer, context));
}

}  // namespace wemasy::tokens
