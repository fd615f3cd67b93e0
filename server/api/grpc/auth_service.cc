#include "server/api/grpc/auth_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/status_macros.h"
#include "server/api/grpc/validate_reply.h"
#include "server/token/error.h"
#include "server/token/resource_name.h"
#include "server/token/scope_set.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {
namespace {

ScopeSet ReadScopes(FieldViolations& violations,
                    const v1::ValidateRequest& request) {
  const auto& scopes = request.required_scopes();
  if (static_cast<size_t>(scopes.size()) > kMaxScopes) {
    violations.Add("required_scopes",
                   absl::StrCat("has ", scopes.size(), " scopes, want at most ",
                                kMaxScopes));
    return {};
  }
  for (int i = 0; i < scopes.size(); ++i) {
    if (IsScopeWellFormed(scopes[i])) continue;
    violations.Add(absl::StrCat("required_scopes[", i, "]"),
                   absl::StrCat("is malformed, want 1 to ", kMaxScopeLength,
                                " characters [a-z][a-z0-9_.:/-]*"));
  }
  if (!violations.empty()) return {};
  return ScopeSet({scopes.begin(), scopes.end()});
}

ProjectId ReadProject(FieldViolations& violations,
                      const v1::ValidateRequest& request) {
  if (auto project = ProjectId::ParseName(request.expected_project())) {
    return *std::move(project);
  }
  violations.Add("expected_project", "is malformed, want projects/{project}");
  return {};
}

}  // namespace

AuthHandler::AuthHandler(const Validator* validator, WatchStreams* streams,
                         const ApiEnvironment& environment)
    : validator_(*validator),
      streams_(*streams),
      environment_(environment),
      validate_observer_(environment.observer->ForMethod(
          InfoOf(Rpc::kValidate).full_name, CallKind::kUnary)),
      watch_observer_(environment.observer->ForMethod(
          InfoOf(Rpc::kWatch).full_name, CallKind::kBidiStream)) {}

grpc::Status AuthHandler::Handle(grpc::ServerContext& context,
                                 const Request& request, Response* response) {
  ServedCall call(Rpc::kValidate, environment_, &validate_observer_, &context);
  return call.Finish(ServedCall::Guard([&] {
    RETURN_IF_ERROR(call.Admit(/*resource=*/{}));
    absl::optional<TokenId> token;
    ASSIGN_OR_RETURN(const Validation validation,
                     Validate(request, response, &token));
    call.set_verdict(static_cast<int>(validation.verdict));
    absl::optional<Freshness> freshness;
    if (request.report_freshness()) {
      freshness = Freshness{streams_.identity(), 0};
      const int64_t stream = request.watch_stream_number();
      if (stream != 0 && streams_.Note(stream, token, validation.applied)) {
        freshness->stream = stream;
      }
    }
    EncodeDecision(validation, freshness, response);
    call.set_token(NameIn(*response));
    return absl::OkStatus();
  }));
}

absl::StatusOr<Validation> AuthHandler::Validate(
    const Request& request, Response* response,
    absl::optional<TokenId>* token) {
  ValidationRequest validation_request;
  validation_request.presented = request.token();
  FieldViolations violations;
  ScopeSet required_scopes;
  if (request.required_scopes_size() > 0) {
    required_scopes = ReadScopes(violations, request);
    validation_request.required_scopes = &required_scopes;
  }
  ProjectId expected_project;
  if (!request.expected_project().empty()) {
    expected_project = ReadProject(violations, request);
    validation_request.expected_project = &expected_project;
  }
  RETURN_IF_ERROR(violations.ToStatus());
  return validator_.Validate(validation_request,
                             [&](Verdict verdict, const IndexSlot& slot) {
                               EncodeToken(verdict, slot, response);
                               *token = slot.token;
                             });
}

}  // namespace wemasy::tokens
