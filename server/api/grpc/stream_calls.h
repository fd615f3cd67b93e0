// The streams of one rpc on one of QueueServer's queues.
#ifndef WEMASY_SERVER_API_GRPC_STREAM_CALLS_H_
#define WEMASY_SERVER_API_GRPC_STREAM_CALLS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "server/api/grpc/queued_calls.h"

namespace wemasy::tokens {

// One stream, from its wait for a caller to its end. `GrpcStream` is what gRPC
// has for it: grpc::ServerAsyncWriter<Response> for a stream of responses,
// grpc::ServerAsyncReaderWriter<Response, Request> for one each way.
//
// A derived class reacts. The reactions are called by the queue's thread, one
// at a time, and must not block.
template <typename GrpcStream>
class StreamCall {
 public:
  StreamCall() : stream_(&context_) {}
  virtual ~StreamCall() = default;
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  // For handlers that ask gRPC for a call.
  grpc::ServerContext* context() { return &context_; }
  GrpcStream* stream() { return &stream_; }

 protected:
  // There is a caller.
  virtual void OnBegin() = 0;
  // Not `ok`: the caller has ended its side, or is gone, or sent what is no
  // message of this rpc.
  virtual void OnReadDone(bool /*ok*/) {}
  // Not `ok`: it will never get there.
  virtual void OnWriteDone(bool ok) = 0;
  // The caller is gone, or the deadline or the server's end has come. Finish
  // must follow, once no write is going on.
  virtual void OnCancel() = 0;
  // The last reaction: gRPC is done with the stream.
  virtual void OnDone() = 0;

  // For any thread. A read may also begin after Finish, and is then not `ok`; a
  // write may not. One read and one write at a time; a message
  // that is read into must live until OnReadDone.
  template <typename Request>
  void StartRead(Request* request) {
    Start();
    stream_.Read(request, TagOf(&read_));
  }
  template <typename Response>
  void StartWrite(const Response& response) {
    Start();
    stream_.Write(response, TagOf(&write_));
  }
  // Ends the stream. Once, and not while something is written.
  void Finish(const grpc::Status& status) {
    Start();
    stream_.Finish(status, TagOf(&finish_));
  }

 private:
  template <typename Handler>
  friend class StreamCalls;

  // Who keeps the streams.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    virtual void OnAccepted(StreamCall* call, bool ok) = 0;
    virtual void OnEnded(StreamCall* call) = 0;
  };

  // Something that was begun and has a tag of its own.
  class Operation final : public QueueTag {
   public:
    Operation(StreamCall* call, void (StreamCall::*react)(bool))
        : call_(*call), react_(react) {}
    void OnDone(bool ok) override {
      (call_.*react_)(ok);
      call_.End();
    }

   private:
    StreamCall& call_;
    void (StreamCall::*const react_)(bool);
  };

  // gRPC gives back what is a QueueTag.
  class Accept final : public QueueTag {
   public:
    explicit Accept(StreamCall* call) : call_(*call) {}
    void OnDone(bool ok) override { call_.keeper_->OnAccepted(&call_, ok); }

   private:
    StreamCall& call_;
  };

  // To be called before gRPC is asked for a call, with the tag that this
  // returns.
  void* Prepare(Keeper* keeper) {
    keeper_ = keeper;
    context_.AsyncNotifyWhenDone(TagOf(&over_));
    return TagOf(&accept_);
  }

  void React() {
    // `over_` comes for every stream that has begun.
    Start();
    OnBegin();
  }

  void OnOver(bool /*ok*/) {
    if (context_.IsCancelled()) OnCancel();
  }
  void OnFinished(bool /*ok*/) {}

  void Start() { pending_.fetch_add(1, std::memory_order_relaxed); }
  // Until Finish something is always going on: `over_`, or what OnCancel waits
  // for.
  void End() {
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    OnDone();
    keeper_->OnEnded(this);
  }

  static void* TagOf(QueueTag* tag) { return tag; }

  Keeper* keeper_ = nullptr;
  std::atomic<int> pending_{0};
  Accept accept_{this};
  Operation over_{this, &StreamCall::OnOver};
  Operation read_{this, &StreamCall::OnReadDone};
  Operation write_{this, &StreamCall::OnWriteDone};
  Operation finish_{this, &StreamCall::OnFinished};
  grpc::ServerContext context_;
  GrpcStream stream_;
};

// QueueServer::AddStreams says what a `Handler` is.
template <typename Handler>
class StreamCalls final : public QueuedCalls, private Handler::Stream::Keeper {
 public:
  // Both must outlive this object.
  StreamCalls(Handler* handler, grpc::ServerCompletionQueue* queue)
      : handler_(*handler), queue_(*queue) {}

  void Begin() override {
    for (int i = 0; i < kReadyStreams; ++i) Post();
  }
  bool empty() const override { return streams_.empty(); }

 private:
  // Streams are few, and last.
  static constexpr int kReadyStreams = 4;
  using Stream = typename Handler::Stream;

  void Post() {
    std::shared_ptr<Stream> stream = handler_.MakeStream();
    Stream* const raw = stream.get();
    streams_.emplace(raw, std::move(stream));
    handler_.Post(raw, &queue_, raw->Prepare(this));
  }

  void OnAccepted(Stream* stream, bool ok) override {
    if (!ok) {  // The server is shutting down.
      streams_.erase(stream);
      return;
    }
    Post();
    stream->React();
  }

  void OnEnded(Stream* stream) override { streams_.erase(stream); }

  Handler& handler_;
  grpc::ServerCompletionQueue& queue_;
  std::unordered_map<Stream*, std::shared_ptr<Stream>> streams_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_STREAM_CALLS_H_
