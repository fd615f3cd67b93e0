// `validate` and `health`: whether a token, and a server, can be relied on.
#include <grpcpp/generic/generic_stub.h>

#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"
#include "client/cli/secret_input.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/wrappers.pb.h"

namespace wemasy::tokens::cli {
namespace {

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

// grpc.health.v1 has no generated code in Debian's packages. Its request is
// one string in field 1, its response one enum in field 1: on the wire the
// same as these two wrappers.
using HealthStub = grpc::TemplatedGenericStub<google::protobuf::StringValue,
                                              google::protobuf::Int32Value>;
constexpr int kServing = 1;

std::string ShowHealth(int serving_status) {
  switch (serving_status) {
    case kServing:
      return "SERVING";
    case 2:
      return "NOT_SERVING";
    default:
      return absl::StrCat("UNKNOWN (", serving_status, ")");
  }
}

grpc::Status CheckHealth(const Session& session, const std::string& service,
                         int* serving_status) {
  google::protobuf::StringValue request;
  request.set_value(service);
  google::protobuf::Int32Value response;
  HealthStub stub(session.channel());
  const grpc::Status status = session.CallAndReport(
      "health", Repeat::kIfAway, [&](grpc::ClientContext* context) {
        std::promise<grpc::Status> done;
        stub.UnaryCall(
            context, "/grpc.health.v1.Health/Check", grpc::StubOptions(),
            &request, &response,
            [&done](grpc::Status end) { done.set_value(std::move(end)); });
        return done.get_future().get();
      });
  *serving_status = response.value();
  return status;
}

ExitCode Health(const Session& session) {
  Table table({"SERVICE", "STATUS"});
  google::protobuf::Struct json;
  bool all_serve = true;
  for (const std::string service :
       {"", "wemasy.tokens.v1.AuthService", "wemasy.tokens.v1.TokenService"}) {
    int serving_status = 0;
    const grpc::Status status = CheckHealth(session, service, &serving_status);
    if (!status.ok()) return ExitCodeOf(status);
    all_serve = all_serve && serving_status == kServing;
    table.AddRow(
        {service.empty() ? "(server)" : service, ShowHealth(serving_status)});
    (*json.mutable_fields())[service].set_string_value(
        ShowHealth(serving_status));
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
