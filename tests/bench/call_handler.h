// What the benchmarks' rpcs have in common as handlers of QueueServer.
#ifndef WEMASY_TESTS_BENCH_CALL_HANDLER_H_
#define WEMASY_TESTS_BENCH_CALL_HANDLER_H_

#include "grpcpp/completion_queue.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"

namespace wemasy::tokens {

// Of a service with the one rpc `Call`; Handle() is the derived class's.
template <typename Service, typename RequestType, typename ResponseType>
class CallHandler {
 public:
  using Request = RequestType;
  using Response = ResponseType;

  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestCall(context, request, writer, queue, queue, tag);
  }
  grpc::Service* service() { return &service_; }

 private:
  typename Service::AsyncService service_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_CALL_HANDLER_H_
