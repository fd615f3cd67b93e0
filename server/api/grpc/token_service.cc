#include "server/api/grpc/token_service.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status_macros.h"
#include "server/api/grpc/convert.h"
#include "server/api/permissions.h"
#include "server/lifecycle/requests.h"

namespace wemasy::tokens {

TokenServiceImpl::TokenServiceImpl(TokenLifecycle* lifecycle,
                                   const ApiEnvironment& environment,
                                   const BlockingCallOptions& options)
    : lifecycle_(*lifecycle),
      calls_(v1::TokenService::service_full_name(), environment, options) {}

grpc::Status TokenServiceImpl::CreateToken(
    grpc::ServerContext* context, const v1::CreateTokenRequest* request,
    v1::CreateTokenResponse* response) {
  return calls_.Serve(
      Rpc::kCreateToken, context, request->parent(),
      [&](ServedCall& call, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const CreateRequest create, FromProto(*request));
        ASSIGN_OR_RETURN(const IssuedToken issued,
                         lifecycle_.Create(caller, create));
        ToProto(issued.token, response->mutable_token());
        call.set_token(response->token().name());
        response->set_secret(std::string(issued.secret.Reveal()));
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::GetToken(grpc::ServerContext* context,
                                        const v1::GetTokenRequest* request,
                                        v1::GetTokenResponse* response) {
  return calls_.Serve(
      Rpc::kGetToken, context, request->name(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const TokenView view,
                         lifecycle_.Get(caller, request->name()));
        ToProto(view, response->mutable_token());
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::ListTokens(grpc::ServerContext* context,
                                          const v1::ListTokensRequest* request,
                                          v1::ListTokensResponse* response) {
  return calls_.Serve(
      Rpc::kListTokens, context, request->parent(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const TokenViewPage page,
                         lifecycle_.List(caller, FromProto(*request)));
        for (const TokenView& view : page.tokens) {
          ToProto(view, response->add_tokens());
        }
        response->set_next_page_token(page.next_page_token);
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::UpdateToken(
    grpc::ServerContext* context, const v1::UpdateTokenRequest* request,
    v1::UpdateTokenResponse* response) {
  return calls_.Serve(
      Rpc::kUpdateToken, context, request->token().name(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const UpdateRequest update, FromProto(*request));
        ASSIGN_OR_RETURN(const TokenView view,
                         lifecycle_.Update(caller, update));
        ToProto(view, response->mutable_token());
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::RevokeToken(
    grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
    v1::RevokeTokenResponse* response) {
  return calls_.Serve(
      Rpc::kRevokeToken, context, request->name(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const RevokeRequest revoke, FromProto(*request));
        ASSIGN_OR_RETURN(const RevokedToken revoked,
                         lifecycle_.Revoke(caller, revoke));
        ToProto(revoked.token, response->mutable_token());
        ToProto(revoked.receipt, response->mutable_receipt());
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::RotateToken(
    grpc::ServerContext* context, const v1::RotateTokenRequest* request,
    v1::RotateTokenResponse* response) {
  return calls_.Serve(
      Rpc::kRotateToken, context, request->name(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const RotateRequest rotate, FromProto(*request));
        ASSIGN_OR_RETURN(const IssuedToken issued,
                         lifecycle_.Rotate(caller, rotate));
        ToProto(issued.token, response->mutable_token());
        response->set_secret(std::string(issued.secret.Reveal()));
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::RevokeLeakedTokens(
    grpc::ServerContext* context, const v1::RevokeLeakedTokensRequest* request,
    v1::RevokeLeakedTokensResponse* response) {
  return calls_.Serve(
      Rpc::kRevokeLeakedTokens, context, /*resource=*/{},
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const LeakResult result,
                         lifecycle_.RevokeLeaked(caller, FromProto(*request)));
        ToProto(result, response);
        return absl::OkStatus();
      });
}

grpc::Status TokenServiceImpl::ListAuditEvents(
    grpc::ServerContext* context, const v1::ListAuditEventsRequest* request,
    v1::ListAuditEventsResponse* response) {
  return calls_.Serve(
      Rpc::kListAuditEvents, context, request->parent(),
      [&](ServedCall&, const CallContext& caller) -> absl::Status {
        ASSIGN_OR_RETURN(const AuditRequest audit, FromProto(*request));
        ASSIGN_OR_RETURN(const AuditView view,
                         lifecycle_.ListAudit(caller, audit));
        for (const AuditRecord& record : view.records) {
          ToProto(record, response->add_audit_events());
        }
        response->set_next_page_token(view.next_page_token);
        response->set_resume_token(view.resume_token);
        return absl::OkStatus();
      });
}

}  // namespace wemasy::tokens
