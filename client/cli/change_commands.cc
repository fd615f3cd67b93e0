// `update`, `revoke` and `revoke-leaked`: changes that issue no secret.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"
#include "client/cli/secret_input.h"
#include "common/status_macros.h"

namespace wemasy::tokens::cli {
namespace {

// What RevokeLeakedTokens takes in one call.
constexpr size_t kMostLeakedTokens = 1000;

struct UpdateOptions {
  std::string token;
  absl::optional<std::string> display_name;
  absl::optional<std::string> description;
  std::vector<std::string> scopes;
  bool clear_scopes = false;
  std::vector<std::string> metadata;
  bool clear_metadata = false;
  std::string expires;
  std::string etag;
};

struct RevokeOptions {
  std::string token;
  std::string reason;
  std::string comment;
};

struct RevokeLeakedOptions {
  std::string secret_file;
  bool sha256 = false;
  std::string source;
  std::string url;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

absl::StatusOr<v1::UpdateTokenRequest> ToRequest(const UpdateOptions& options,
                                                 const Session& session) {
  v1::UpdateTokenRequest request;
  v1::Token& token = *request.mutable_token();
  auto& paths = *request.mutable_update_mask()->mutable_paths();
  ASSIGN_OR_RETURN(*token.mutable_name(),
                   TokenName(options.token, session.flags().project));
  token.set_etag(options.etag);
  request.set_actor(session.actor());
  if (options.display_name) {
    token.set_display_name(*options.display_name);
    *paths.Add() = "display_name";
  }
  if (options.description) {
    token.set_description(*options.description);
    *paths.Add() = "description";
  }
  if (options.clear_scopes || !options.scopes.empty()) {
    token.mutable_scopes()->Assign(options.scopes.begin(),
                                   options.scopes.end());
    *paths.Add() = "scopes";
  }
  if (options.clear_metadata || !options.metadata.empty()) {
    ASSIGN_OR_RETURN(const auto metadata, ParseMetadata(options.metadata));
    token.mutable_metadata()->insert(metadata.begin(), metadata.end());
    *paths.Add() = "metadata";
  }
  if (!options.expires.empty()) {
    ASSIGN_OR_RETURN(const auto expiry,
                     ParseExpiry(options.expires, absl::Now()));
    if (expiry) *token.mutable_expire_time() = ToProto(*expiry);
    *paths.Add() = "expire_time";
  }
  if (paths.empty()) {
    return absl::InvalidArgumentError(
        "nothing to change, want at least one of --display-name, "
        "--description, --scope, --clear-scopes, --metadata, "
        "--clear-metadata, --expires");
  }
  return request;
}

ExitCode Update(const Session& session, const UpdateOptions& options) {
  const auto request = ToRequest(options, session);
  if (!request.ok()) return UsageError(request.status());
  v1::UpdateTokenResponse response;
  const grpc::Status status =
      session.Call("update", session.tokens(),
                   &v1::TokenService::Stub::UpdateToken, *request, &response);
  if (!status.ok()) return ExitCodeOf(status);
  Print(session.flags().json ? ToJson(response) : ShowToken(response.token()));
  return ExitCode::kOk;
}

ExitCode Revoke(const Session& session, const RevokeOptions& options) {
  const auto name = TokenName(options.token, session.flags().project);
  if (!name.ok()) return UsageError(name.status());
  v1::RevokeTokenRequest request;
  request.set_name(*name);
  request.set_actor(session.actor());
  request.set_comment(options.comment);
  if (!options.reason.empty()) {
    const auto reason = ParseRevokeReason(options.reason);
    if (!reason.ok()) return UsageError(reason.status());
    request.set_reason(*reason);
  }
  v1::RevokeTokenResponse response;
  // Revoking again is harmless, so that it may always be repeated.
  const grpc::Status status = session.Call("revoke", session.tokens(),
                                           &v1::TokenService::Stub::RevokeToken,
                                           request, &response, Repeat::kAlways);
  if (!status.ok()) return ExitCodeOf(status);
  Print(session.flags().json ? ToJson(response)
                             : absl::StrCat(ShowToken(response.token()),
                                            ShowReceipt(response.receipt())));
  return ExitCode::kOk;
}

absl::StatusOr<std::vector<v1::LeakedToken>> ReadLeakedTokens(
    const RevokeLeakedOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<Secret> lines,
                   ReadSecrets(options.secret_file));
  std::vector<v1::LeakedToken> leaked_tokens;
  for (const Secret& line : lines) {
    v1::LeakedToken leaked;
    leaked.set_source(options.source);
    leaked.set_url(options.url);
    if (options.sha256) {
      const absl::string_view hex = line.Reveal();
      if (hex.size() != 64 ||
          !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
        return absl::InvalidArgumentError(
            absl::StrCat("SHA-256 number ", leaked_tokens.size() + 1,
                         " is not 64 hexadecimal digits"));
      }
      leaked.set_secret_sha256(absl::HexStringToBytes(hex));
    } else {
      leaked.set_secret(std::string(line.Reveal()));
    }
    leaked_tokens.push_back(std::move(leaked));
  }
  return leaked_tokens;
}

std::string ShowLeakedTokens(const v1::RevokeLeakedTokensResponse& response) {
  Table table({"NUMBER", "OUTCOME", "TOKEN"});
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::LeakedTokenResult& result = response.results(i);
    const std::string outcome = v1::LeakedTokenOutcome_Name(result.outcome());
    table.AddRow(
        {absl::StrCat(i + 1),
         std::string(absl::StripPrefix(outcome, "LEAKED_TOKEN_OUTCOME_")),
         result.name()});
  }
  return table.ToString();
}

ExitCode RevokeLeaked(const Session& session,
                      const RevokeLeakedOptions& options) {
  auto leaked_tokens = ReadLeakedTokens(options);
  if (!leaked_tokens.ok()) return UsageError(leaked_tokens.status());
  v1::RevokeLeakedTokensResponse all;
  ExitCode exit_code = ExitCode::kOk;
  for (size_t next = 0; next < leaked_tokens->size();) {
    const size_t end =
        std::min(next + kMostLeakedTokens, leaked_tokens->size());
    v1::RevokeLeakedTokensRequest request;
    request.set_actor(session.actor());
    for (; next < end; ++next) {
      *request.add_leaked_tokens() = std::move((*leaked_tokens)[next]);
    }
    v1::RevokeLeakedTokensResponse response;
    const grpc::Status status =
        session.Call("revoke-leaked", session.tokens(),
                     &v1::TokenService::Stub::RevokeLeakedTokens, request,
                     &response, Repeat::kAlways);
    exit_code = ExitCodeOf(status);
    if (exit_code != ExitCode::kOk) break;
    all.MergeFrom(response);
  }
  // What was done is shown also if a later call failed.
  Print(session.flags().json ? ToJson(all) : ShowLeakedTokens(all));
  return exit_code;
}

}  // namespace

void AddUpdate(CLI::App& app, Action& action) {
  auto options = std::make_shared<UpdateOptions>();
  CLI::App* command = app.add_subcommand("update", "Change a token");
  command->add_option("token", options->token, "Resource name, or id")
      ->required();
  command->add_option_function<std::string>(
      "--display-name,--name",
      [options](const std::string& text) { options->display_name = text; },
      "What to call the token");
  command->add_option_function<std::string>(
      "--description",
      [options](const std::string& text) { options->description = text; },
      "What the token is for");
  auto* scope = command
                    ->add_option("--scope", options->scopes,
                                 "All scopes it shall have; repeat, or join by "
                                 "commas")
                    ->delimiter(',')
                    ->allow_extra_args(false);
  command->add_flag("--clear-scopes", options->clear_scopes, "No scopes")
      ->excludes(scope);
  auto* metadata = command
                       ->add_option("--metadata", options->metadata,
                                    "All metadata it shall have, KEY=VALUE; "
                                    "repeat")
                       ->allow_extra_args(false);
  command->add_flag("--clear-metadata", options->clear_metadata, "No metadata")
      ->excludes(metadata);
  command->add_option("--expires", options->expires,
                      "When it ends: a span from now such as 90d, an RFC 3339 "
                      "time, or never");
  command->add_option("--etag", options->etag,
                      "Only if nobody changed it since this etag");
  command->footer(
      "Examples:\n"
      "  tokenctl update projects/demo/tokens/ID --display-name \"CI\"\n"
      "  tokenctl update projects/demo/tokens/ID --scope pages:read\n"
      "  tokenctl update projects/demo/tokens/ID --expires 30d\n"
      "Fewer scopes and an earlier end hold from the moment this returns.");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Update(session, *options);
    };
  });
}

void AddRevoke(CLI::App& app, Action& action) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App* command = app.add_subcommand(
      "revoke", "Revoke a token for good; it is refused once this returns");
  command->add_option("token", options->token, "Resource name, or id")
      ->required();
  command->add_option(
      "--reason", options->reason,
      absl::StrCat("Why: ", absl::StrJoin(RevokeReasonNames(), ", ")));
  command->add_option("--comment", options->comment, "Why, in your words");
  command->footer(
      "Examples:\n"
      "  tokenctl revoke projects/demo/tokens/ID\n"
      "  tokenctl revoke projects/demo/tokens/ID --reason COMPROMISED \\\n"
      "      --comment \"laptop stolen\"");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Revoke(session, *options);
    };
  });
}

void AddRevokeLeaked(CLI::App& app, Action& action) {
  auto options = std::make_shared<RevokeLeakedOptions>();
  CLI::App* command = app.add_subcommand(
      "revoke-leaked",
      "Revoke tokens by their secrets, one a line on standard "
      "input");
  command->add_option("--secret-file", options->secret_file,
                      "Read from this file rather than from standard input");
  command->add_flag("--sha256", options->sha256,
                    "The lines are SHA-256 digests in hexadecimal");
  command->add_option("--source", options->source, "Who found them");
  command->add_option("--url", options->url, "Where they were found");
  command->footer(
      "Examples:\n"
      "  tokenctl revoke-leaked --source github --secret-file found.txt\n"
      "  grep -rhoE 'wmsy_[0-9A-Za-z]{36}' . | sort -u | \\\n"
      "      tokenctl revoke-leaked --source grep");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return RevokeLeaked(session, *options);
    };
  });
}

}  // namespace wemasy::tokens::cli
