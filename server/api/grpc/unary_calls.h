// The calls of one unary rpc on one of QueueServer's queues.
#ifndef WEMASY_SERVER_API_GRPC_UNARY_CALLS_H_
#define WEMASY_SERVER_API_GRPC_UNARY_CALLS_H_

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/types/optional.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/status.h"
#include "server/api/grpc/queued_calls.h"

namespace wemasy::tokens {

struct QueueServerOptions {
  // Completion queues, and threads.
  int queues = 1;
  // Calls of each unary rpc that a queue stands ready to receive at once.
  int ready_calls = 128;
  // Calls of each unary rpc that a queue holds at most, those included whose
  // replies wait for a slow reader. Any more wait in gRPC.
  int max_calls = 4096;
};

// Reads all requests into one message, and writes all responses from one: they
// keep the memory that they grew, and stay in the processor's cache. Requests
// that are refused are another matter: a message of many texts keeps what each
// of them grew, one after the other. QueueServer::Add says what a
// `Handler` is.
template <typename Handler>
class UnaryCalls final : public QueuedCalls {
 public:
  // Both must outlive this object.
  UnaryCalls(Handler* handler, const QueueServerOptions& options,
             grpc::ServerCompletionQueue* queue)
      : handler_(*handler),
        ready_target_(static_cast<size_t>(options.ready_calls)),
        max_calls_(static_cast<size_t>(options.max_calls)),
        queue_(*queue) {}

  void Begin() override {
    while (ready_ < ready_target_) PostNew();
  }
  bool empty() const override { return calls_.empty(); }

 private:
  using Request = typename Handler::Request;
  using Response = typename Handler::Response;

  // A call from its wait for a request to its reply's having been sent.
  struct Call final : QueueTag {
    explicit Call(UnaryCalls* its_owner) : owner(*its_owner) {}
    void OnDone(bool ok) override {
      if (is_answered) {
        owner.Recycle(this);
      } else {
        owner.Answer(this, ok);
      }
    }

    UnaryCalls& owner;
    absl::optional<grpc::ServerContext> context;
    absl::optional<grpc::ServerAsyncResponseWriter<Response>> writer;
    bool is_answered = false;
  };

  void PostNew() {
    auto call = std::make_unique<Call>(this);
    Call* const raw = call.get();
    calls_.emplace(raw, std::move(call));
    Post(raw);
  }

  void Post(Call* call) {
    call->is_answered = false;
    call->writer.reset();
    call->context.emplace();
    call->writer.emplace(&*call->context);
    ++ready_;
    handler_.Post(&*call->context, &*request_, &*call->writer, &queue_,
                  TagOf(call));
  }

  void Answer(Call* call, bool ok) {
    --ready_;
    if (!ok) {  // The server is shutting down.
      calls_.erase(call);
      return;
    }
    // Calls whose readers are slow must not use up the ready ones.
    if (ready_ < (ready_target_ + 1) / 2 && calls_.size() < max_calls_) {
      PostNew();
    }
    // gRPC has read the request within Next, and writes the response out
    // within Finish.
    response_.Clear();
    const grpc::Status status =
        handler_.Handle(*call->context, *request_, &response_);
    call->is_answered = true;
    if (status.ok()) {
      call->writer->Finish(response_, status, TagOf(call));
    } else {
      call->writer->FinishWithError(status, TagOf(call));
      request_.emplace();
    }
  }

  void Recycle(Call* call) {
    if (ready_ < ready_target_) {
      Post(call);
    } else {
      calls_.erase(call);
    }
  }

  // The queue gives back what is a QueueTag.
  static void* TagOf(Call* call) { return static_cast<QueueTag*>(call); }

  Handler& handler_;
  const size_t ready_target_;
  const size_t max_calls_;
  grpc::ServerCompletionQueue& queue_;
  // Always there, and in the same place, which gRPC knows.
  absl::optional<Request> request_{absl::in_place};
  Response response_;
  size_t ready_ = 0;
  std::unordered_map<Call*, std::unique_ptr<Call>> calls_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_UNARY_CALLS_H_
