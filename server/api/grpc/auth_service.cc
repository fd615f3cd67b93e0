#include "server/api/grpc/auth_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/api/grpc/convert.h"
#include "server/token/error.h"
#include "server/token/resource_name.h"
#include "server/token/scope_set.h"
#include "server/token/verdict.h"

namespace wemasy::tokens {
namespace {

static_assert(static_cast<int>(Verdict::kMalformed) == v1::VERDICT_MALFORMED);
static_assert(static_cast<int>(Verdict::kUnknown) == v1::VERDICT_UNKNOWN);
static_assert(static_cast<int>(Verdict::kRevoked) == v1::VERDICT_REVOKED);
static_assert(static_cast<int>(Verdict::kExpired) == v1::VERDICT_EXPIRED);
static_assert(static_cast<int>(Verdict::kWrongProject) ==
              v1::VERDICT_WRONG_PROJECT);
static_assert(static_cast<int>(Verdict::kInsufficientScope) ==
              v1::VERDICT_INSUFFICIENT_SCOPE);
static_assert(static_cast<int>(Verdict::kValid) == v1::VERDICT_VALID);
static_assert(v1::Verdict_MAX == v1::VERDICT_VALID);

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

// Appends to the strings of an empty response, which keep their memory from
// call to call.
void FillIdentity(const Validation& validation,
                  v1::ValidateResponse* response) {
  const TokenAttributes& attributes = *validation.attributes;
  attributes.project.AppendNameTo(response->mutable_project());
  response->set_creator(attributes.creator);
  for (const std::string& scope : attributes.scopes.scopes()) {
    response->add_scopes(scope);
  }
  for (const auto& [key, value] : attributes.metadata) {
    (*response->mutable_metadata())[key] = value;
  }
  if (validation.expire_time != absl::InfiniteFuture()) {
    ToProto(validation.expire_time, response->mutable_expire_time());
  }
}

void FillFreshness(const Validation& validation, const ReplicaIdentity& replica,
                   v1::AnswerFreshness* freshness) {
  freshness->set_incarnation(replica.incarnation);
  freshness->set_timeline(replica.timeline);
  freshness->set_change_number(validation.applied);
  if (validation.verdict == Verdict::kValid &&
      validation.expire_time != absl::InfiniteFuture()) {
    ToProto(validation.expire_time - validation.decide_time,
            freshness->mutable_time_left());
  }
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
    return Validate(call, request, response);
  }));
}

absl::Status AuthHandler::Validate(ServedCall& call, const Request& request,
                                   Response* response) {
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

  ASSIGN_OR_RETURN(const Validation validation,
                   validator_.Validate(validation_request));
  response->set_verdict(static_cast<v1::Verdict>(validation.verdict));
  call.set_verdict(static_cast<int>(validation.verdict));
  if (validation.attributes != nullptr) {
    TokenName::Append(validation.attributes->project, validation.token,
                      response->mutable_token());
    call.set_token(response->token());
  }
  if (validation.verdict == Verdict::kValid) {
    FillIdentity(validation, response);
  }
  if (request.report_freshness() && validation.verdict != Verdict::kMalformed) {
    FillFreshness(validation, streams_.identity(),
                  response->mutable_freshness());
  }
  return absl::OkStatus();
}

}  // namespace wemasy::tokens
