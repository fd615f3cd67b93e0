// The empty rpc, for QueueServer.
#ifndef WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_
#define WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_

#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "tests/bench/bench.grpc.pb.h"
#include "tests/bench/call_handler.h"

namespace wemasy::tokens {

// Handle() is thread-safe.
class EmptyHandler final
    : public CallHandler<bench::EmptyService, bench::CallRequest,
                         bench::CallResponse> {
 public:
  grpc::Status Handle(grpc::ServerContext& /*context*/,
                      const Request& /*request*/, Response* /*response*/) {
    return grpc::Status::OK;
  }
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_EMPTY_HANDLER_H_
