// AuthService: the decision on presented tokens, over gRPC.
#ifndef WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_
#define WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_

#include <memory>

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

// AuthService: a Handler of QueueServer, for Validate and for Watch's streams.
// Thread-safe.
class AuthHandler {
 public:
  using Request = v1::ValidateRequest;
  // A ValidateResponse.
  using Response = EncodedMessage;
  using Stream = WatchCall;

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

  std::shared_ptr<Stream> MakeStream() {
    return MakeWatchCall(&streams_, environment_, &watch_observer_);
  }
  void Post(Stream* stream, grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestWatch(stream->context(), stream->stream(), queue, queue,
                          tag);
  }

  grpc::Service* service() { return &service_; }

 private:
  class Service final : public v1::AuthService::AsyncService {
   public:
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
  };

  // Makes `response` what it says of a known token, and `token` which one.
  absl::StatusOr<Validation> Validate(const Request& request,
                                      Response* response,
                                      absl::optional<TokenId>* token);
  const Validator& validator_;
  WatchStreams& streams_;
  const ApiEnvironment environment_;
  MethodObserver& validate_observer_;
  MethodObserver& watch_observer_;
  Service service_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_AUTH_SERVICE_H_
