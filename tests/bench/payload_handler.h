// An rpc that carries messages and does nothing with them, for QueueServer.
#ifndef WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_
#define WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_

#include <algorithm>

#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "tests/bench/bench.grpc.pb.h"
#include "tests/bench/call_handler.h"

namespace wemasy::tokens {

// Handle() is thread-safe.
class PayloadHandler final
    : public CallHandler<bench::PayloadService, bench::PayloadRequest,
                         bench::PayloadResponse> {
 public:
  grpc::Status Handle(grpc::ServerContext& /*context*/, const Request& request,
                      Response* response) {
    constexpr int kMaxBytes = 64 << 10;
    response->mutable_payload()->assign(
        std::clamp(request.response_bytes(), 0, kMaxBytes), 'x');
    return grpc::Status::OK;
  }
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_PAYLOAD_HANDLER_H_
