// SelfService: what the holder of a token may do with it, over gRPC.
#ifndef WEMASY_SERVER_API_SELF_SELF_SERVICE_H_
#define WEMASY_SERVER_API_SELF_SELF_SERVICE_H_

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/blocking_calls.h"
#include "server/api/grpc/served_call.h"
#include "server/lifecycle/token_lifecycle.h"
#include "wemasy/tokens/v1/self_service.grpc.pb.h"

namespace wemasy::tokens {

// Answers in gRPC's threads, which may block. Thread-safe.
class SelfServiceImpl final : public v1::SelfService::Service {
 public:
  // All, and what is in `environment`, must outlive this object.
  SelfServiceImpl(const GatewayCheck* check, TokenLifecycle* lifecycle,
                  const ApiEnvironment& environment,
                  const BlockingCallOptions& options);

  grpc::Status GetSelf(grpc::ServerContext* context,
                       const v1::GetSelfRequest* request,
                       v1::GetSelfResponse* response) override;
  grpc::Status RevokeSelf(grpc::ServerContext* context,
                          const v1::RevokeSelfRequest* request,
                          v1::RevokeSelfResponse* response) override;

  const BlockingCalls& calls() const { return calls_; }

 private:
  const GatewayCheck& check_;
  TokenLifecycle& lifecycle_;
  BlockingCalls calls_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_SELF_SELF_SERVICE_H_
