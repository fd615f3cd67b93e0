// envoy.service.auth.v3.Authorization: what Envoy asks for each request, by its
// filter ext_authz.
#ifndef WEMASY_SERVER_API_EXT_AUTHZ_CHECK_HANDLER_H_
#define WEMASY_SERVER_API_EXT_AUTHZ_CHECK_HANDLER_H_

#include "envoy/service/auth/v3/external_auth.grpc.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "server/api/ext_authz/check_request_reader.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/encoded_message.h"
#include "server/api/grpc/served_call.h"

namespace wemasy::tokens {

// A Handler of QueueServer. What the route asks of a token comes from its
// context_extensions: see route_demands.h.
//
// A call never ends with an error, which Envoy would take for "allow" on a
// route with failure_mode_allow: what is not allowed is denied in an answer.
// Metrics and the log have the error. The exceptions are gRPC's: a message that
// is longer than it takes, a deadline, a server that stops.
//
// Thread-safe.
class CheckHandler {
 public:
  using Request = CheckRequestReader;
  // A CheckResponse.
  using Response = EncodedMessage;

  // `check` and what is in `environment` must outlive this object.
  CheckHandler(const GatewayCheck* check, const ApiEnvironment& environment);

  grpc::Service* service() { return &service_; }
  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestCheck(context, request, writer, queue, tag);
  }
  grpc::Status Handle(grpc::ServerContext& context, const Request& request,
                      Response* response);

 private:
  class Service final
      : public envoy::service::auth::v3::Authorization::AsyncService {
   public:
    // As the generated function, with messages of our own.
    void RequestCheck(grpc::ServerContext* context, Request* request,
                      grpc::ServerAsyncResponseWriter<Response>* writer,
                      grpc::ServerCompletionQueue* queue, void* tag) {
      RequestAsyncUnary(kCheckIndex, context, request, writer, queue, queue,
                        tag);
    }

   private:
    // The rpc's place in the service.
    static constexpr int kCheckIndex = 0;
  };

  const GatewayCheck& check_;
  const ApiEnvironment environment_;
  MethodObserver& observer_;
  Service service_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_EXT_AUTHZ_CHECK_HANDLER_H_
