#include "server/api/ext_authz/check_handler.h"

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "server/api/ext_authz/check_reply.h"

namespace wemasy::tokens {

CheckHandler::CheckHandler(const GatewayCheck* check,
                           const ApiEnvironment& environment)
    : check_(*check),
      environment_(environment),
      observer_(environment.observer->ForMethod(InfoOf(Rpc::kCheck).full_name,
                                                CallKind::kUnary)) {}

grpc::Status CheckHandler::Handle(grpc::ServerContext& context,
                                  const Request& request, Response* response) {
  GatewayAnswer answer;
  ServedCall call(Rpc::kCheck, environment_, &observer_, &context);
  const absl::Status status = ServedCall::Guard([&] {
    RETURN_IF_ERROR(call.Admit(/*resource=*/{}));
    if (!request.is_readable()) {
      return absl::InvalidArgumentError("the message is no CheckRequest");
    }
    call.set_request_id(RequestIdIn(request.headers()));
    answer = check_.Check(request.headers(), request.settings());
    return answer.status;
  });
  if (answer.validation) {
    call.set_verdict(static_cast<int>(answer.validation->verdict));
    call.set_token(answer.token);
  }
  call.Finish(status);

  if (!status.ok()) answer = Undecided(status);
  EncodeReply(answer, check_, request.headers(), response);
  return grpc::Status::OK;
}

}  // namespace wemasy::tokens
