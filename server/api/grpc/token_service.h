// TokenService: the life cycle of tokens, over gRPC.
#ifndef WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_
#define WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_

#include <array>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "server/api/grpc/call_metadata.h"
#include "server/api/grpc/in_flight_limit.h"
#include "server/api/grpc/served_call.h"
#include "server/api/permissions.h"
#include "server/lifecycle/requests.h"
#include "server/lifecycle/token_lifecycle.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens {

struct TokenServiceOptions {
  // How many calls may be in progress at once. Readers have places of their
  // own, so that they cannot keep a revocation out. Mutations may all have to
  // wait for one replica's lease to run out.
  int max_mutations = 256;
  int max_reads = 64;
  // A mutation may have to wait for a lease to run out.
  CallTimeout mutation_timeout = {absl::Seconds(60), absl::Minutes(10)};
  CallTimeout read_timeout = {absl::Seconds(10), absl::Minutes(1)};
};

// Answers in gRPC's threads, which may block. Thread-safe.
class TokenServiceImpl final : public v1::TokenService::Service {
 public:
  // `lifecycle` and what is in `environment` must outlive this object.
  TokenServiceImpl(TokenLifecycle* lifecycle, const ApiEnvironment& environment,
                   const TokenServiceOptions& options);

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

  // How many calls are in progress.
  int mutations_in_flight() const { return mutations_.in_flight(); }
  int reads_in_flight() const { return reads_.in_flight(); }

 private:
  using Body = absl::FunctionRef<absl::Status(ServedCall&, const CallContext&)>;

  // Serves one call: admits it, has `body` answer it, reports it. `resource`
  // is what the request is about: its parent or name, or nothing.
  grpc::Status Serve(Rpc rpc, grpc::ServerContext* context,
                     absl::string_view resource, Body body);
  absl::Status Run(ServedCall& call, const RpcInfo& info,
                   grpc::ServerContext& context, Body body);

  TokenLifecycle& lifecycle_;
  const ApiEnvironment environment_;
  const CallTimeout mutation_timeout_;
  const CallTimeout read_timeout_;
  InFlightLimit mutations_;
  InFlightLimit reads_;
  // By rpc.
  std::array<MethodObserver*, kRpcCount> observers_{};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_TOKEN_SERVICE_H_
