#include "server/api/grpc/token_service.h"

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/types/optional.h"
#include "common/status_macros.h"
#include "server/api/grpc/convert.h"
#include "server/token/error.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

TokenServiceImpl::TokenServiceImpl(TokenLifecycle* lifecycle,
                                   const ApiEnvironment& environment,
                                   const TokenServiceOptions& options)
    : lifecycle_(*lifecycle),
      environment_(environment),
      mutation_timeout_(options.mutation_timeout),
      read_timeout_(options.read_timeout),
      mutations_(options.max_mutations),
      reads_(options.max_reads) {
  for (size_t i = 0; i < observers_.size(); ++i) {
    const Rpc rpc = static_cast<Rpc>(i);
    const absl::string_view name = InfoOf(rpc).full_name;
    if (!absl::StrContains(name, ".TokenService/")) continue;
    observers_[i] = &environment_.observer->ForMethod(name, CallKind::kUnary);
  }
}

grpc::Status TokenServiceImpl::Serve(Rpc rpc, grpc::ServerContext* context,
                                     absl::string_view resource, Body body) {
  ServedCall call(rpc, environment_, observers_[static_cast<size_t>(rpc)],
                  context);
  // Only a well-formed name goes into the log: callers mistake secrets for
  // names.
  if (TokenName::Parse(resource)) call.set_token(resource);
  return call.Finish(ServedCall::Guard([&] {
    RETURN_IF_ERROR(call.Admit(resource));
    return Run(call, InfoOf(rpc), *context, body);
  }));
}

absl::Status TokenServiceImpl::Run(ServedCall& call, const RpcInfo& info,
                                   grpc::ServerContext& context, Body body) {
  const InFlightLimit::Place place(info.is_mutation ? &mutations_ : &reads_);
  if (!place.is_taken()) {
    return MakeError(ErrorReason::kOverloaded,
                     "the server has too many calls in progress");
  }
  // Nobody waits for the answer any more: begin nothing.
  if (context.IsCancelled()) return absl::CancelledError();
  CallContext call_context;
  call_context.deadline = ToBootDeadline(
      context.deadline(), std::chrono::system_clock::now(), call.start(),
      info.is_mutation ? mutation_timeout_ : read_timeout_);
  call_context.caller = std::string(call.caller());
  call_context.request_id = call.request_id();
  call_context.is_cancelled = [&context] { return context.IsCancelled(); };
  return body(call, call_context);
}

grpc::Status TokenServiceImpl::CreateToken(
    grpc::ServerContext* context, const v1::CreateTokenRequest* request,
    v1::CreateTokenResponse* response) {
  return Serve(
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
  return Serve(Rpc::kGetToken, context, request->name(),
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
  return Serve(Rpc::kListTokens, context, request->parent(),
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
  return Serve(Rpc::kUpdateToken, context, request->token().name(),
               [&](ServedCall&, const CallContext& caller) -> absl::Status {
                 ASSIGN_OR_RETURN(const UpdateRequest update,
                                  FromProto(*request));
                 ASSIGN_OR_RETURN(const TokenView view,
                                  lifecycle_.Update(caller, update));
                 ToProto(view, response->mutable_token());
                 return absl::OkStatus();
               });
}

grpc::Status TokenServiceImpl::RevokeToken(
    grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
    v1::RevokeTokenResponse* response) {
  return Serve(Rpc::kRevokeToken, context, request->name(),
               [&](ServedCall&, const CallContext& caller) -> absl::Status {
                 ASSIGN_OR_RETURN(const RevokeRequest revoke,
                                  FromProto(*request));
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
  return Serve(Rpc::kRotateToken, context, request->name(),
               [&](ServedCall&, const CallContext& caller) -> absl::Status {
                 ASSIGN_OR_RETURN(const RotateRequest rotate,
                                  FromProto(*request));
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
  return Serve(Rpc::kRevokeLeakedTokens, context, /*resource=*/{},
               [&](ServedCall&, const CallContext& caller) -> absl::Status {
                 ASSIGN_OR_RETURN(
                     const LeakResult result,
                     lifecycle_.RevokeLeaked(caller, FromProto(*request)));
                 ToProto(result, response);
                 return absl::OkStatus();
               });
}

grpc::Status TokenServiceImpl::ListAuditEvents(
    grpc::ServerContext* context, const v1::ListAuditEventsRequest* request,
    v1::ListAuditEventsResponse* response) {
  return Serve(Rpc::kListAuditEvents, context, request->parent(),
               [&](ServedCall&, const CallContext& caller) -> absl::Status {
                 ASSIGN_OR_RETURN(const AuditRequest audit,
                                  FromProto(*request));
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
