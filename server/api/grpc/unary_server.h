// Serves one unary rpc from completion queues with a thread each, for
// handlers that take microseconds and wait for nothing.
//
// gRPC's own threads would be slower: after a second without calls they sleep,
// and wake up late. A thread reads all its requests into one message, and
// writes all responses from one: they keep the memory that they grew, which the
// transport's limit on messages bounds, and stay in the processor's cache.
//
// Order of life: construct, Register(), BuildAndStart(), Start(); then
// grpc::Server::Shutdown(), which needs the threads, Join(), destroy the
// server, destroy this.
#ifndef WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_
#define WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_

#include <pthread.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/status.h"

namespace wemasy::tokens {

struct UnaryServerOptions {
  // Completion queues, and threads.
  int queues = 1;
  // Calls that a queue stands ready to receive at once.
  int ready_calls = 128;
  // Calls that a queue holds at most, those included whose replies wait for a
  // slow reader. Any more wait in gRPC.
  int max_calls = 4096;
};

// `Handler` has the types Request and Response, and three functions, of which
// the last two are called by all queues' threads:
//
//   // To be registered with the server.
//   grpc::Service* service();
//   // Asks gRPC for a call: the generated service's Request{Method}.
//   void Post(grpc::ServerContext*, Request*,
//             grpc::ServerAsyncResponseWriter<Response>*,
//             grpc::ServerCompletionQueue*, void* tag);
//   // Answers it; `response` is empty. Throws nothing.
//   grpc::Status Handle(grpc::ServerContext&, const Request&, Response*);
//
// Register, Start and Join are for one thread.
template <typename Handler>
class UnaryServer {
 public:
  // `handler` must outlive this object.
  UnaryServer(Handler* handler, const UnaryServerOptions& options)
      : handler_(*handler), options_(options) {}
  UnaryServer(const UnaryServer&) = delete;
  UnaryServer& operator=(const UnaryServer&) = delete;
  // The server must have been destroyed.
  ~UnaryServer() { Join(); }

  // Adds the service to a server. Once.
  void Register(grpc::ServerBuilder* builder) {
    builder->RegisterService(handler_.service());
    for (int i = 0; i < options_.queues; ++i) {
      queues_.push_back(std::make_unique<Queue>(&handler_, options_,
                                                builder->AddCompletionQueue()));
    }
  }

  // Begins to answer. The server must have been built.
  void Start() {
    for (const auto& queue : queues_) queue->Start();
  }

  // Returns once every call is done. The server must have been shut down.
  void Join() {
    for (const auto& queue : queues_) queue->Join();
  }

 private:
  using Request = typename Handler::Request;
  using Response = typename Handler::Response;

  // A call from its wait for a request to its reply's having been sent.
  struct Call {
    absl::optional<grpc::ServerContext> context;
    absl::optional<grpc::ServerAsyncResponseWriter<Response>> writer;
    bool is_answered = false;
  };

  class Queue {
   public:
    Queue(Handler* handler, const UnaryServerOptions& options,
          std::unique_ptr<grpc::ServerCompletionQueue> queue)
        : handler_(*handler),
          ready_target_(static_cast<size_t>(options.ready_calls)),
          max_calls_(static_cast<size_t>(options.max_calls)),
          queue_(std::move(queue)) {}

    // gRPC complains if a server sees its queues shut down.
    ~Queue() {
      queue_->Shutdown();
      void* tag = nullptr;
      bool ok = false;
      while (queue_->Next(&tag, &ok)) {
      }
    }

    void Start() {
      thread_ = std::thread([this] { Run(); });
    }
    void Join() {
      if (thread_.joinable()) thread_.join();
    }

   private:
    void Run() {
      pthread_setname_np(pthread_self(), "unary");
      while (ready_ < ready_target_) PostNew();
      void* tag = nullptr;
      bool ok = false;
      // After the server's shutdown no posted call comes to life, and the last
      // one ends the loop.
      while (!calls_.empty() && queue_->Next(&tag, &ok)) {
        Call* const call = static_cast<Call*>(tag);
        if (call->is_answered) {
          Recycle(call);
        } else {
          Answer(call, ok);
        }
      }
    }

    void PostNew() {
      auto call = std::make_unique<Call>();
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
      handler_.Post(&*call->context, &request_, &*call->writer, queue_.get(),
                    call);
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
          handler_.Handle(*call->context, request_, &response_);
      call->is_answered = true;
      if (status.ok()) {
        call->writer->Finish(response_, status, call);
      } else {
        call->writer->FinishWithError(status, call);
      }
    }

    void Recycle(Call* call) {
      if (ready_ < ready_target_) {
        Post(call);
      } else {
        calls_.erase(call);
      }
    }

    Handler& handler_;
    const size_t ready_target_;
    const size_t max_calls_;
    const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
    // Used by the thread only.
    Request request_;
    Response response_;
    size_t ready_ = 0;
    std::unordered_map<Call*, std::unique_ptr<Call>> calls_;
    std::thread thread_;
  };

  Handler& handler_;
  const UnaryServerOptions options_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_
