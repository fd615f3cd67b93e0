// AuthService: the decision on presented tokens, over gRPC.
#ifndef WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_
#define WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "server/api/grpc/encoded_message.h"
#include "server/api/grpc/served_call.h"
#include "server/api/grpc/watch_call.h"
#include "server/api/watch_streams.h"
#include "server/token/token_id.h"
#include "server/validate/validator.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"

namespace wemasy::tokens {

// AuthService: a Handler of UnaryServer for Validate; Watch is served on gRPC's
// own threads. Thread-safe.
class AuthHandler {
 public:
  using Request = v1::ValidateRequest;
  // A ValidateResponse.
  using Response = EncodedMessage;

  // `validator`, `streams` and what is in `environment` must outlive this
  // object.
  AuthHandler(const Validator* validator, WatchStreams* streams,
              const ApiEnvironment& environment);

  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestValidate(context, request, writer, queue, tag);
  }
  grpc::Status Handle(grpc::ServerContext& context, const Request& request,
                      Response* response);

  grpc::Service* service() { return &service_; }

 private:
  class Service final : public v1::AuthService::WithAsyncMethod_Validate<
                            v1::AuthService::WithCallbackMethod_Watch<
                                v1::AuthService::Service>> {
   public:
    explicit Service(AuthHandler& handler) : handler_(handler) {}
    WatchReactor* Watch(grpc::CallbackServerContext* context) override {
      return handler_.Watch(context);
    }

    // As the generated function, whose writer sends a ValidateResponse.
    void RequestValidate(grpc::ServerContext* context, Request* request,
                         grpc::ServerAsyncResponseWriter<Response>* writer,
                         grpc::ServerCompletionQueue* queue, void* tag) {
      RequestAsyncUnary(kValidateIndex, context, request, writer, queue, queue,
                        tag);
    }

   private:
    // The rpc's place in the service.
    static constexpr int kValidateIndex = 0;

    AuthHandler& handler_;
  };

  // Makes `response` what it says of a known token, and `token` which one.
  absl::StatusOr<Validation> Validate(const Request& request,
                                      Response* response,
                                      absl::optional<TokenId>* token);
  WatchReactor* Watch(grpc::CallbackServerContext* context) {
    return ServeWatch(&streams_, environment_, &watch_observer_, context);
  }

  const Validator& validator_;
  WatchStreams& streams_;
  const ApiEnvironment environment_;
  MethodObserver& validate_observer_;
  MethodObserver& watch_observer_;
  Service service_{*this};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_
