// Serves rpcs from completion queues with a thread each, for handlers that take
// microseconds and wait for nothing.
//
// All rpcs have the queues in common, and gRPC's callback API serves none: its
// threads, and those of further queues, would take turns with these at waiting
// for the sockets. Each thread more makes every call dearer, whoever it is for
// (docs/adr/0023, 0024).
//
// Order of life: construct, Add(), Register(), BuildAndStart(), Start(); then
// grpc::Server::Shutdown(), which needs the threads, Join(), destroy the
// server, destroy this.
#ifndef WEMASY_SERVER_API_GRPC_QUEUE_SERVER_H_
#define WEMASY_SERVER_API_GRPC_QUEUE_SERVER_H_

#include <functional>
#include <memory>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_builder.h"
#include "server/api/grpc/queued_calls.h"
#include "server/api/grpc/stream_calls.h"
#include "server/api/grpc/unary_calls.h"

namespace wemasy::tokens {

// For one thread.
class QueueServer {
 public:
  explicit QueueServer(const QueueServerOptions& options);
  // The server must have been destroyed.
  ~QueueServer();
  QueueServer(const QueueServer&) = delete;
  QueueServer& operator=(const QueueServer&) = delete;

  // Adds a unary rpc. `handler` must outlive this object. It has the types
  // Request and Response, and three functions, of which the last two are called
  // by all queues' threads:
  //
  //   // To be registered with the server.
  //   grpc::Service* service();
  //   // Asks gRPC for a call: the generated service's Request{Method}.
  //   void Post(grpc::ServerContext*, Request*,
  //             grpc::ServerAsyncResponseWriter<Response>*,
  //             grpc::ServerCompletionQueue*, void* tag);
  //   // Answers it; `response` is empty. Throws nothing.
  //   grpc::Status Handle(grpc::ServerContext&, const Request&, Response*);
  template <typename Handler>
  void Add(Handler* handler) {
    AddService(handler->service());
    rpcs_.push_back([handler, this](grpc::ServerCompletionQueue* queue) {
      return std::make_unique<UnaryCalls<Handler>>(handler, options_, queue);
    });
  }

  // Adds an rpc with a stream of responses, or one each way. `handler` must
  // outlive this object. It has a type Stream, a StreamCall<...>, and:
  //
  //   // To be registered with the server.
  //   grpc::Service* service();
  //   // For a caller to come. Called by all queues' threads.
  //   std::shared_ptr<Stream> MakeStream();
  //   // Asks gRPC for him: the generated service's Request{Method}.
  //   void Post(Stream*, grpc::ServerCompletionQueue*, void* tag);
  template <typename Handler>
  void AddStreams(Handler* handler) {
    AddService(handler->service());
    rpcs_.push_back([handler](grpc::ServerCompletionQueue* queue) {
      return std::make_unique<StreamCalls<Handler>>(handler, queue);
    });
  }

  // Adds the rpcs' services to a server. Once.
  void Register(grpc::ServerBuilder* builder);

  // Begins to answer. The server must have been built.
  void Start();

  // Returns once every call is done. The server must have been shut down.
  void Join();

 private:
  using MakeCalls =
      std::function<std::unique_ptr<QueuedCalls>(grpc::ServerCompletionQueue*)>;
  class Queue;

  // A service may have several rpcs.
  void AddService(grpc::Service* service);

  const QueueServerOptions options_;
  std::vector<grpc::Service*> services_;
  std::vector<MakeCalls> rpcs_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_QUEUE_SERVER_H_
