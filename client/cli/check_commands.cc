// `validate` and `health`: whether a token, and a server, can be relied on.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"
#include "client/cli/secret_input.h"
#include "google/protobuf/struct.pb.h"
#include "grpc_health/v1/health.grpc.pb.h"

namespace wemasy::tokens::cli {
namespace {

using grpc::health::v1::HealthCheckResponse;

struct ValidateOptions {
  std::string secret_file;
  std::vector<std::string> scopes;
  bool quiet = false;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

ExitCode Validate(const Session& session, const ValidateOptions& options) {
  v1::ValidateRequest request;
  if (!session.flags().project.empty()) {
    const auto project = ProjectName(session.flags().project);
    if (!project.ok()) return UsageError(project.status());
    request.set_expected_project(*project);
  }
  const auto secret = ReadOneSecret(options.secret_file);
  if (!secret.ok()) return UsageError(secret.status());
  request.set_token(std::string(secret->Reveal()));
  request.mutable_required_scopes()->Assign(options.scopes.begin(),
                                            options.scopes.end());
  v1::ValidateResponse response;
  const grpc::Status status =
      session.Call("validate", session.auth(), &v1::AuthService::Stub::Validate,
                   request, &response);
  if (!status.ok()) return ExitCodeOf(status);
  if (!options.quiet) {
    Print(session.flags().json ? ToJson(response) : ShowValidation(response));
  }
  return response.verdict() == v1::VERDICT_VALID ? ExitCode::kOk
                                                 : ExitCode::kRefused;
}

std::string ShowHealth(HealthCheckResponse::ServingStatus status) {
  const std::string& name = HealthCheckResponse::ServingStatus_Name(status);
  // Of a newer server.
  if (name.empty()) return absl::StrCat("UNKNOWN (", status, ")");
  return name;
}

grpc::Status CheckHealth(const Session& session, const std::string& service,
                         HealthCheckResponse* response) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  const auto stub = grpc::health::v1::Health::NewStub(session.channel());
  return session.CallAndReport("health", Repeat::kIfAway,
                               [&](grpc::ClientContext* context) {
                                 return stub->Check(context, request, response);
                               });
}

ExitCode Health(const Session& session) {
  Table table({"SERVICE", "STATUS"});
  google::protobuf::Struct json;
  bool all_serve = true;
  for (const std::string service :
       {"", "wemasy.tokens.v1.AuthService", "wemasy.tokens.v1.TokenService"}) {
    HealthCheckResponse response;
    const grpc::Status status = CheckHealth(session, service, &response);
    if (!status.ok()) return ExitCodeOf(status);
    all_serve = all_serve && response.status() == HealthCheckResponse::SERVING;
    const std::string shown = ShowHealth(response.status());
    table.AddRow({service.empty() ? "(server)" : service, shown});
    (*json.mutable_fields())[service].set_string_value(shown);
  }
  Print(session.flags().json ? ToJson(json) : table.ToString());
  return all_serve ? ExitCode::kOk : ExitCode::kUnavailable;
}

}  // namespace

void AddValidate(CLI::App& app, Action& action) {
  auto options = std::make_shared<ValidateOptions>();
  CLI::App* command = app.add_subcommand(
      "validate", "Ask whether a token may be used; exits with 3 if not");
  command->add_option("--secret-file", options->secret_file,
                      "Read the secret from this file rather than from "
                      "standard input");
  command
      ->add_option("--scope", options->scopes,
                   "A scope it must have; repeat, or join by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("-q,--quiet", options->quiet, "Only the exit code");
  command->footer(
      "Examples:\n"
      "  tokenctl validate < backup.token\n"
      "  tokenctl validate --project demo --scope pages:read "
      "--secret-file ci.token\n"
      "  tokenctl create --project demo --name try | tokenctl validate\n"
      "With --project, a token of another project is refused.");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Validate(session, *options);
    };
  });
}

void AddHealth(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "health", "Ask whether the server serves; exits with 5 if not");
  command->footer(
      "Examples:\n"
      "  tokenctl health\n"
      "  tokenctl health --server tokens.internal:7443 --tls-ca ca.pem \\\n"
      "      --tls-cert me.pem --tls-key me.key");
  command->callback(
      [&action] { action = [](const Session& s) { return Health(s); }; });
}

}  // namespace wemasy::tokens::cli
