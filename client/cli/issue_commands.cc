// `create` and `rotate`: the calls that issue a secret.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"
#include "client/cli/request_id.h"

namespace wemasy::tokens::cli {
namespace {

struct CreateOptions {
  std::string display_name;
  std::string description;
  std::vector<std::string> scopes;
  std::vector<std::string> metadata;
  std::string expires = "never";
  std::string request_id;
};

struct RotateOptions {
  std::string token;
  std::string grace = "0";
  std::string request_id;
};

void Say(const std::string& text) { std::fputs(text.c_str(), stderr); }

std::string OrNewRequestId(const std::string& request_id) {
  SystemRandom random;
  return request_id.empty() ? NewRequestId(random) : request_id;
}

// A secret that did not get out is lost, which the caller must hear.
ExitCode PrintIssued(const Session& session, absl::string_view what,
                     const v1::Token& token, const std::string& secret,
                     const google::protobuf::Message& response) {
  const std::string text =
      session.flags().json ? ToJson(response) : absl::StrCat(secret, "\n");
  const bool written =
      std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!written) {
    Say(absl::StrCat("tokenctl: the secret could not be written and is lost; ",
                     "get a new one: tokenctl rotate ", token.name(), "\n"));
    return ExitCode::kError;
  }
  if (session.flags().json) return ExitCode::kOk;
  Say(absl::StrCat(what, ". The secret on standard output is shown this once.",
                   "\n", ShowToken(token)));
  return ExitCode::kOk;
}

// Whether the secret may have been issued all the same.
bool MayBeDone(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      return true;
    default:
      return false;
  }
}

// `flags` are those that a repetition has to have.
ExitCode Failed(const grpc::Status& status, const std::string& flags) {
  if (MayBeDone(status)) {
    Say(absl::StrCat("  to repeat it safely within ten minutes: ",
                     "the same command with ", flags, "\n"));
  }
  return ExitCodeOf(status);
}

ExitCode Create(const Session& session, const CreateOptions& options) {
  const auto parent = ProjectName(session.flags().project);
  if (!parent.ok()) return UsageError(parent.status());
  const auto expiry = ParseExpiry(options.expires, absl::Now());
  if (!expiry.ok()) return UsageError(expiry.status());
  const auto metadata = ParseMetadata(options.metadata);
  if (!metadata.ok()) return UsageError(metadata.status());

  v1::CreateTokenRequest request;
  request.set_parent(*parent);
  request.set_actor(session.actor());
  request.set_request_id(OrNewRequestId(options.request_id));
  v1::Token& token = *request.mutable_token();
  token.set_display_name(options.display_name);
  token.set_description(options.description);
  token.mutable_scopes()->Assign(options.scopes.begin(), options.scopes.end());
  token.mutable_metadata()->insert(metadata->begin(), metadata->end());
  if (*expiry) *token.mutable_expire_time() = ToProto(**expiry);

  v1::CreateTokenResponse response;
  const grpc::Status status = session.Call("create", session.tokens(),
                                           &v1::TokenService::Stub::CreateToken,
                                           request, &response, Repeat::kAlways);
  if (!status.ok()) {
    std::string flags = absl::StrCat("--request-id ", request.request_id());
    // A span would end at another time.
    if (*expiry) absl::StrAppend(&flags, " --expires ", ToRfc3339(**expiry));
    return Failed(status, flags);
  }
  return PrintIssued(session, "created", response.token(), response.secret(),
                     response);
}

ExitCode Rotate(const Session& session, const RotateOptions& options) {
  const auto name = TokenName(options.token, session.flags().project);
  if (!name.ok()) return UsageError(name.status());
  const auto grace = ParseSpan(options.grace);
  if (!grace.ok()) return UsageError(grace.status());

  v1::RotateTokenRequest request;
  request.set_name(*name);
  request.set_actor(session.actor());
  request.set_request_id(OrNewRequestId(options.request_id));
  request.mutable_grace_period()->set_seconds(absl::ToInt64Seconds(*grace));

  v1::RotateTokenResponse response;
  const grpc::Status status = session.Call("rotate", session.tokens(),
                                           &v1::TokenService::Stub::RotateToken,
                                           request, &response, Repeat::kAlways);
  if (!status.ok()) {
    return Failed(status, absl::StrCat("--request-id ", request.request_id()));
  }
  return PrintIssued(session, "rotated", response.token(), response.secret(),
                     response);
}

}  // namespace

void AddCreate(CLI::App& app, Action& action) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* command = app.add_subcommand(
      "create", "Create a token; its secret alone goes to standard output");
  command
      ->add_option("--name,--display-name", options->display_name,
                   "What to call the token, 1 to 100 characters")
      ->required();
  command->add_option("--description", options->description,
                      "What the token is for");
  command
      ->add_option("--scope", options->scopes,
                   "What the token may be used for; repeat, or join by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--metadata", options->metadata,
                   "KEY=VALUE handed to whoever calls Validate; repeat")
      ->allow_extra_args(false);
  command
      ->add_option("--expires", options->expires,
                   "When it ends: a span such as 90d, an RFC 3339 time, or "
                   "never")
      ->capture_default_str();
  command->add_option("--request-id", options->request_id,
                      "Repeat an earlier create whose reply was lost (a UUID)");
  command->footer(
      "Examples:\n"
      "  tokenctl create --project demo --name \"CI deploy\" \\\n"
      "      --scope pages:read --scope pages:write --expires 90d\n"
      "  tokenctl create --project demo --name backup > backup.token\n"
      "  tokenctl create --project demo --name ci --json | jq -r .secret");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Create(session, *options);
    };
  });
}

void AddRotate(CLI::App& app, Action& action) {
  auto options = std::make_shared<RotateOptions>();
  CLI::App* command = app.add_subcommand(
      "rotate",
      "Replace a token's secret; the new one goes to standard output");
  command->add_option("token", options->token, "Resource name, or id")
      ->required();
  command
      ->add_option("--grace", options->grace,
                   "How long the old secret goes on working, at most 7d")
      ->capture_default_str();
  command->add_option("--request-id", options->request_id,
                      "Repeat an earlier rotate whose reply was lost (a UUID)");
  command->footer(
      "Examples:\n"
      "  tokenctl rotate projects/demo/tokens/ID > new.token\n"
      "  tokenctl rotate --project demo ID --grace 24h");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Rotate(session, *options);
    };
  });
}

}  // namespace wemasy::tokens::cli
