// An rpc that carries messages and does nothing with them, for UnaryServer.
#ifndef WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_
#define WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_

#include <algorithm>

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/status.h"
#include "tests/bench/bench.grpc.pb.h"

namespace wemasy::tokens {

// Handle() is thread-safe.
class PayloadHandler {
 public:
  using Request = bench::PayloadRequest;
  using Response = bench::PayloadResponse;

  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestCall(context, request, writer, queue, queue, tag);
  }
  grpc::Status Handle(grpc::ServerContext& /*context*/, const Request& request,
                      Response* response) {
    constexpr int kMaxBytes = 64 << 10;
    response->mutable_payload()->assign(
        std::clamp(request.response_bytes(), 0, kMaxBytes), 'x');
    return grpc::Status::OK;
  }
  grpc::Service* service() { return &service_; }

 private:
  bench::PayloadService::AsyncService service_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_
