// Serves unary rpcs from completion queues with a thread each, for handlers
// that take microseconds and wait for nothing.
//
// gRPC's own threads would be slower: after a second without calls they sleep,
// and wake up late. All rpcs have the queues in common, as threads take turns
// at waiting for the sockets: each one more makes every call dearer, whoever it
// is for.
//
// Order of life: construct, Add(), Register(), BuildAndStart(), Start(); then
// grpc::Server::Shutdown(), which needs the threads, Join(), destroy the
// server, destroy this.
#ifndef WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_
#define WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_

#include <functional>
#include <memory>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_builder.h"
#include "server/api/grpc/unary_calls.h"

namespace wemasy::tokens {

// For one thread.
class UnaryServer {
 public:
  explicit UnaryServer(const UnaryServerOptions& options);
  // The server must have been destroyed.
  ~UnaryServer();
  UnaryServer(const UnaryServer&) = delete;
  UnaryServer& operator=(const UnaryServer&) = delete;

  // Adds an rpc. `handler` must outlive this object. It has the types Request
  // and Response, and three functions, of which the last two are called by all
  // queues' threads:
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
    rpcs_.push_back(
        {handler->service(), [handler](const UnaryServerOptions& options,
                                       grpc::ServerCompletionQueue* queue) {
           return std::make_unique<UnaryCallsOf<Handler>>(handler, options,
                                                          queue);
         }});
  }

  // Adds the rpcs' services to a server. Once.
  void Register(grpc::ServerBuilder* builder);

  // Begins to answer. The server must have been built.
  void Start();

  // Returns once every call is done. The server must have been shut down.
  void Join();

 private:
  struct Rpc {
    grpc::Service* service;
    std::function<std::unique_ptr<UnaryCalls>(const UnaryServerOptions&,
                                              grpc::ServerCompletionQueue*)>
        make_calls;
  };
  class Queue;

  const UnaryServerOptions options_;
  std::vector<Rpc> rpcs_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_UNARY_SERVER_H_
