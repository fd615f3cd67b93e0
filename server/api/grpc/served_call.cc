#include "server/api/grpc/served_call.h"

#include <exception>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/api/grpc/call_metadata.h"
#include "server/api/grpc/peer_names.h"
#include "server/api/grpc/status.h"
#include "server/api/request_id.h"

namespace wemasy::tokens {

ServedCall::ServedCall(Rpc rpc, const ApiEnvironment& environment,
                       MethodObserver* observer,
                       grpc::ServerContextBase* context)
    : rpc_(rpc),
      environment_(environment),
      observer_(*observer),
      context_(*context),
      start_(environment.clock->Now()) {
  observer_.Started();
}

absl::Status ServedCall::Admit(absl::string_view resource) {
  const Authenticator& authenticator = *environment_.authenticator;
  if (const Caller* everyone = authenticator.everyone()) {
    caller_ = *everyone;
  } else {
    auth_context_ = context_.auth_context();
    ASSIGN_OR_RETURN(caller_,
                     authenticator.Authenticate(ReadPeerNames(*auth_context_)));
  }
  return Authorize(rpc_, caller_.grants, resource);
}

absl::Status ServedCall::Guard(absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat("exception: ", e.what()));
  } catch (...) {
    return absl::InternalError("exception of unknown type");
  }
}

const std::string& ServedCall::request_id() {
  if (request_id_.empty()) {
    request_id_ = given_request_id_.empty()
                      ? RequestIdOf(context_, *environment_.random)
                      : std::string(given_request_id_);
    context_.AddTrailingMetadata(kRequestIdKey, request_id_);
  }
  return request_id_;
}

grpc::Status ServedCall::Reply(const absl::Status& status) {
  grpc::Status reply = ToGrpcStatus(status);
  // Whoever got an error finds it again in the log.
  if (!reply.ok()) request_id();
  return reply;
}

void ServedCall::Report(grpc::StatusCode code, absl::string_view error) {
  CallReport report;
  report.code = static_cast<int>(code);
  report.latency = environment_.clock->Now() - start_;
  report.verdict = verdict_;
  if (!observer_.AdmitDetail(report.code)) {
    observer_.Finished(report);
    return;
  }
  const std::string peer = context_.peer();
  report.request_id = request_id();
  report.caller = caller_.identity;
  report.peer = peer;
  report.token = token_;
  report.trace_id = TraceIdOf(context_);
  report.error = error;
  observer_.Finished(report);
}

grpc::Status ServedCall::Finish(const absl::Status& status) {
  grpc::Status reply = Reply(status);
  Report(reply.error_code(), status.message());
  return reply;
}

}  // namespace wemasy::tokens
