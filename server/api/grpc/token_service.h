// TokenService: the life cycle of tokens, over gRPC.
#ifndef WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_
#define WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_

#include "grpcpp/server_context.h"
#include "server/api/grpc/blocking_calls.h"
#include "server/api/grpc/served_call.h"
#include "server/lifecycle/token_lifecycle.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens {

// Answers in gRPC's threads, which may block. Thread-safe.
class TokenServiceImpl final : public v1::TokenService::Service {
 public:
  // `lifecycle` and what is in `environment` must outlive this object.
  TokenServiceImpl(TokenLifecycle* lifecycle, const ApiEnvironment& environment,
                   const BlockingCallOptions& options);

  grpc::Status CreateToken(grpc::ServerContext* context,
                           const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override;
  grpc::Status GetToken(grpc::ServerContext* context,
                        const v1::GetTokenRequest* request,
                        v1::GetTokenResponse* response) override;
  grpc::Status ListTokens(grpc::ServerContext* context,
                          const v1::ListTokensRequest* request,
                          v1::ListTokensResponse* response) override;
  grpc::Status UpdateToken(grpc::ServerContext* context,
                           const v1::UpdateTokenRequest* request,
                           v1::UpdateTokenResponse* response) override;
  grpc::Status RevokeToken(grpc::ServerContext* context,
                           const v1::RevokeTokenRequest* request,
                           v1::RevokeTokenResponse* response) override;
  grpc::Status RotateToken(grpc::ServerContext* context,
                           const v1::RotateTokenRequest* request,
                           v1::RotateTokenResponse* response) override;
  grpc::Status RevokeLeakedTokens(
      grpc::ServerContext* context,
      const v1::RevokeLeakedTokensRequest* request,
      v1::RevokeLeakedTokensResponse* response) override;
  grpc::Status ListAuditEvents(grpc::ServerContext* context,
                               const v1::ListAuditEventsRequest* request,
                               v1::ListAuditEventsResponse* response) override;

  const BlockingCalls& calls() const { return calls_; }

 private:
  TokenLifecycle& lifecycle_;
  BlockingCalls calls_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_
