#include "server/api/self/self_service.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status_macros.h"
#include "server/api/grpc/convert.h"
#include "server/api/permissions.h"
#include "server/lifecycle/requests.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

std::vector<HeaderField> HeadersOf(const grpc::ServerContext& context) {
  std::vector<HeaderField> fields;
  for (const auto& [name, value] : context.client_metadata()) {
    fields.push_back(
        {{name.data(), name.size()}, {value.data(), value.size()}});
  }
  return fields;
}

// Why a holder was turned away. The challenge goes along as metadata, which
// a gateway that speaks HTTP makes a header of.
absl::Status Refusal(const GatewayAnswer& answer,
                     grpc::ServerContext* context) {
  if (!answer.status.ok()) return answer.status;
  for (const auto& [name, value] : answer.headers) {
    if (name != "www-authenticate") continue;
    context->AddTrailingMetadata(std::string(name), value);
  }
  if (answer.http_status == 400) {
    FieldViolations violations;
    violations.Add("authorization", "is more than one credential, want one");
    return violations.ToStatus();
  }
  return MakeError(ErrorReason::kTokenRefused, "a valid API token is required");
}

bool IsRevoked(const GatewayAnswer& answer) {
  return answer.validation && answer.validation->verdict == Verdict::kRevoked;
}

}  // namespace

SelfServiceImpl::SelfServiceImpl(const GatewayCheck* check,
                                 TokenLifecycle* lifecycle,
                                 const ApiEnvironment& environment,
                                 const BlockingCallOptions& options)
    : check_(*check),
      lifecycle_(*lifecycle),
      calls_(v1::SelfService::service_full_name(), environment, options) {}

grpc::Status SelfServiceImpl::GetSelf(grpc::ServerContext* context,
                                      const v1::GetSelfRequest*,
                                      v1::GetSelfResponse* response) {
  return calls_.Serve(
      Rpc::kGetSelf, context, /*resource=*/{},
      [&](ServedCall& call, const CallContext&) -> absl::Status {
        const GatewayAnswer answer =
            check_.Check(HeadersOf(*context), /*settings=*/{});
        response->set_token(answer.token);
        call.set_token(response->token());
        if (!answer.is_allowed()) return Refusal(answer, context);
        const Validation& validation = *answer.validation;
        response->set_project(std::string(TokenName::ProjectIn(answer.token)));
        for (const std::string& scope : answer.scopes.scopes()) {
          response->add_scopes(scope);
        }
        if (validation.expire_time != absl::InfiniteFuture()) {
          ToProto(validation.expire_time, response->mutable_expire_time());
        }
        return absl::OkStatus();
      });
}

grpc::Status SelfServiceImpl::RevokeSelf(grpc::ServerContext* context,
                                         const v1::RevokeSelfRequest* request,
                                         v1::RevokeSelfResponse* response) {
  GatewayAnswer answer;
  return calls_.Serve(
      Rpc::kRevokeSelf, context, /*resource=*/{},
      [&](ServedCall& call, const CallContext& caller) -> absl::Status {
        answer = check_.Check(HeadersOf(*context), /*settings=*/{});
        call.set_token(answer.token);
        if (IsRevoked(answer)) {
          // A repeated call waits again; but a secret that was only replaced
          // has no power over its successor.
          ASSIGN_OR_RETURN(const TokenView view,
                           lifecycle_.Get(caller, answer.token));
          if (view.state != TokenState::kRevoked) {
            return Refusal(answer, context);
          }
        } else if (!answer.is_allowed()) {
          return Refusal(answer, context);
        }
        v1::RevokeTokenRequest revocation;
        revocation.set_name(answer.token);
        revocation.set_actor(revocation.name());
        revocation.set_reason(request->reason());
        ASSIGN_OR_RETURN(const RevokeRequest revoke, FromProto(revocation));
        ASSIGN_OR_RETURN(const RevokedToken revoked,
                         lifecycle_.Revoke(caller, revoke));
        ToProto(revoked.token.record.revocation->time,
                response->mutable_revoke_time());
        ToProto(revoked.receipt.confirm_time, response->mutable_confirm_time());
        return absl::OkStatus();
      });
}

}  // namespace wemasy::tokens
