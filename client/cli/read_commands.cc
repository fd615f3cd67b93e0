// `list`, `get` and `audit`: what is there, and what was done.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"

namespace wemasy::tokens::cli {
namespace {

constexpr int64_t kLargestPage = 1000;

struct ListOptions {
  ListFilter filter;
  std::string unused_since;
  std::string expires_before;
  bool all_projects = false;
  int64_t limit = 0;
};

struct AuditOptions {
  std::string since;
  std::string resume_token;
  bool all_projects = false;
  int64_t limit = 0;
};

void Print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// How many to ask for in one page when `have` of `limit` are there; a limit
// of 0 is none.
int32_t PageSize(int64_t limit, size_t have) {
  if (limit == 0) return kLargestPage;
  return static_cast<int32_t>(
      std::min(kLargestPage, limit - static_cast<int64_t>(have)));
}

bool IsFull(int64_t limit, size_t have) {
  return limit != 0 && static_cast<int64_t>(have) >= limit;
}

absl::StatusOr<std::string> Parent(const Session& session, bool all_projects) {
  return all_projects ? std::string("projects/-")
                      : ProjectName(session.flags().project);
}

ExitCode List(const Session& session, ListOptions options) {
  const absl::Time now = absl::Now();
  const auto parent = Parent(session, options.all_projects);
  if (!parent.ok()) return UsageError(parent.status());
  if (!options.unused_since.empty()) {
    const auto time = ParseTimeAgo(options.unused_since, now);
    if (!time.ok()) return UsageError(time.status());
    options.filter.unused_since = *time;
  }
  if (!options.expires_before.empty()) {
    const auto time = ParseTimeAhead(options.expires_before, now);
    if (!time.ok()) return UsageError(time.status());
    options.filter.expires_before = *time;
  }

  v1::ListTokensRequest request;
  request.set_parent(*parent);
  request.set_filter(ToExpression(options.filter));
  v1::ListTokensResponse all;
  std::vector<v1::Token> tokens;
  do {
    request.set_page_size(PageSize(options.limit, tokens.size()));
    v1::ListTokensResponse page;
    const grpc::Status status =
        session.Call("list", session.tokens(),
                     &v1::TokenService::Stub::ListTokens, request, &page);
    if (!status.ok()) return ExitCodeOf(status);
    for (v1::Token& token : *page.mutable_tokens()) {
      tokens.push_back(std::move(token));
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() &&
           !IsFull(options.limit, tokens.size()));

  if (session.flags().json) {
    for (v1::Token& token : tokens) *all.add_tokens() = std::move(token);
    all.set_next_page_token(request.page_token());
    Print(ToJson(all));
    return ExitCode::kOk;
  }
  Print(ShowTokens(tokens, options.all_projects));
  if (!request.page_token().empty()) {
    std::fputs("tokenctl: there are more, shown up to --limit\n", stderr);
  }
  return ExitCode::kOk;
}

ExitCode Get(const Session& session, const std::string& token) {
  const auto name = TokenName(token, session.flags().project);
  if (!name.ok()) return UsageError(name.status());
  v1::GetTokenRequest request;
  request.set_name(*name);
  v1::GetTokenResponse response;
  const grpc::Status status =
      session.Call("get", session.tokens(), &v1::TokenService::Stub::GetToken,
                   request, &response);
  if (!status.ok()) return ExitCodeOf(status);
  Print(session.flags().json ? ToJson(response) : ShowToken(response.token()));
  return ExitCode::kOk;
}

ExitCode Audit(const Session& session, const AuditOptions& options) {
  const auto parent = Parent(session, options.all_projects);
  if (!parent.ok()) return UsageError(parent.status());
  v1::ListAuditEventsRequest request;
  request.set_parent(*parent);
  request.set_page_token(options.resume_token);
  if (!options.since.empty()) {
    const auto time = ParseTimeAgo(options.since, absl::Now());
    if (!time.ok()) return UsageError(time.status());
    *request.mutable_start_time() = ToProto(*time);
  }

  v1::ListAuditEventsResponse all;
  std::vector<v1::AuditEvent> events;
  grpc::Status status;
  do {
    request.set_page_size(PageSize(options.limit, events.size()));
    v1::ListAuditEventsResponse page;
    status =
        session.Call("audit", session.tokens(),
                     &v1::TokenService::Stub::ListAuditEvents, request, &page);
    if (!status.ok() && events.empty()) return ExitCodeOf(status);
    // What was read is shown, and from where to go on.
    if (!status.ok()) break;
    for (v1::AuditEvent& event : *page.mutable_audit_events()) {
      events.push_back(std::move(event));
    }
    request.set_page_token(page.next_page_token());
    all.set_next_page_token(page.next_page_token());
    all.set_resume_token(page.resume_token());
  } while (!request.page_token().empty() &&
           !IsFull(options.limit, events.size()));

  if (session.flags().json) {
    for (v1::AuditEvent& event : events) {
      *all.add_audit_events() = std::move(event);
    }
    Print(ToJson(all));
    return ExitCodeOf(status);
  }
  Print(ShowAuditEvents(events));
  std::fputs(absl::StrCat("tokenctl: to go on from here later: --resume-token ",
                          all.resume_token(), "\n")
                 .c_str(),
             stderr);
  return ExitCodeOf(status);
}

}  // namespace

void AddList(CLI::App& app, Action& action) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand(
      "list", "List a project's tokens, newest first, dead ones included");
  command->add_flag("--all-projects", options->all_projects,
                    "The tokens of all projects");
  command->add_option("--state", options->filter.state, "Only in this state")
      ->check(
          CLI::IsMember({"ACTIVE", "EXPIRED", "REVOKED"}, CLI::ignore_case));
  command->add_option("--creator", options->filter.creator,
                      "Only created by this user id");
  command->add_option("--unused-since", options->unused_since,
                      "Only not used since: a span such as 90d, or a time");
  command->add_option("--expires-before", options->expires_before,
                      "Only ending before: a span such as 30d, or a time");
  command->add_option("--filter", options->filter.expression,
                      "Only those of this filter expression (see the API)");
  command
      ->add_option("--limit", options->limit,
                   "How many at most; all if not given")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  command->footer(
      "Examples:\n"
      "  tokenctl list --project demo\n"
      "  tokenctl list --project demo --state active --unused-since 90d\n"
      "  tokenctl list --project demo --json | jq -r '.tokens[].name'");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return List(session, *options);
    };
  });
}

void AddGet(CLI::App& app, Action& action) {
  auto token = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("get", "Show one token");
  command->add_option("token", *token, "Resource name, or id")->required();
  command->footer(
      "Examples:\n"
      "  tokenctl get projects/demo/tokens/ID\n"
      "  tokenctl get --project demo ID --json | jq -r .token.state");
  command->callback([token, &action] {
    action = [token](const Session& session) { return Get(session, *token); };
  });
}

void AddAudit(CLI::App& app, Action& action) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* command =
      app.add_subcommand("audit", "Show what was done, in commit order");
  command->add_flag("--all-projects", options->all_projects,
                    "The events of all projects");
  command->add_option("--since", options->since,
                      "Only since: a span such as 24h, or a time");
  command->add_option("--resume-token", options->resume_token,
                      "Only after where an earlier run ended");
  command
      ->add_option("--limit", options->limit,
                   "How many at most; all if not given")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  command->footer(
      "Examples:\n"
      "  tokenctl audit --project demo --since 24h\n"
      "  tokenctl audit --all-projects --json --resume-token \"$(cat "
      "cursor)\"");
  command->callback([options, &action] {
    action = [options](const Session& session) {
      return Audit(session, *options);
    };
  });
}

}  // namespace wemasy::tokens::cli
