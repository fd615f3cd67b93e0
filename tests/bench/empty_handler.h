// The empty rpc, for UnaryServer.
#ifndef WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_
#define WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/status.h"
#include "tests/bench/bench.grpc.pb.h"

namespace wemasy::tokens {

// Handle() is thread-safe.
class EmptyHandler {
 public:
  using Request = bench::CallRequest;
  using Response = bench::CallResponse;

  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestCall(context, request, writer, queue, queue, tag);
  }
  grpc::Status Handle(grpc::ServerContext& /*context*/,
                      const Request& /*request*/, Response* /*response*/) {
    return grpc::Status::OK;
  }
  grpc::Service* service() { return &service_; }

 private:
  bench::EmptyService::AsyncService service_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_
