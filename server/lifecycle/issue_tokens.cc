// The methods that issue secrets: Create and Rotate, and their retries.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/token_format.h"
#include "server/lifecycle/field_rules.h"
#include "server/lifecycle/mutations.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// For how long a request may be repeated.
constexpr absl::Duration kRetryWindow = absl::Minutes(10);

// A request's content in one text, in which no two contents look alike.
class Canonical {
 public:
  Canonical& Add(absl::string_view part) {
    absl::StrAppend(&text_, part.size(), ":", part);
    return *this;
  }
  Canonical& Add(absl::Time time) {
    return Add(absl::StrCat(absl::ToUnixMicros(time)));
  }
  TokenDigest Digest() const { return TokenDigest::Of(text_); }

 private:
  std::string text_;
};

TokenDigest PayloadOf(const CreateRequest& request) {
  Canonical canonical;
  canonical.Add("create").Add(request.display_name).Add(request.description);
  canonical.Add(absl::StrCat(request.scopes.size()));
  for (const std::string& scope : request.scopes) canonical.Add(scope);
  for (const auto& [key, value] : request.metadata) {
    canonical.Add(key).Add(value);
  }
  canonical.Add(request.expire_time.value_or(absl::InfiniteFuture()));
  return canonical.Add(request.actor).Digest();
}

TokenDigest PayloadOf(const RotateRequest& request) {
  Canonical canonical;
  canonical.Add("rotate").Add(request.name);
  canonical.Add(absl::FormatDuration(request.grace_period));
  return canonical.Add(request.actor).Digest();
}

// What both methods issue within a transaction.
struct Issue {
  TokenRecord record;
  absl::Time now;
};

// What to remember of a request; the store adds the time.
IssuedRequest Remember(const TokenName& name, absl::string_view request_id,
                       const TokenDigest& payload, const Secret& secret) {
  IssuedRequest issued;
  issued.project = name.project;
  issued.request_id = absl::AsciiStrToLower(request_id);
  issued.payload = payload;
  issued.token = name.token;
  issued.issued = TokenDigest::Of(secret.Reveal());
  return issued;
}

// The request that `request` repeats, if it repeats one; an error if it must
// not.
absl::StatusOr<absl::optional<IssuedRequest>> FindEarlier(
    TokenTransaction& tx, const IssuedRequest& request, absl::Time now) {
  if (request.request_id.empty()) return absl::nullopt;
  ASSIGN_OR_RETURN(auto earlier,
                   tx.FindRequest(request.project, request.request_id));
  if (!earlier) return absl::nullopt;
  if (earlier->payload != request.payload) return RequestIdReused();
  const TokenName name{earlier->project, earlier->token};
  if (now - earlier->time <= kRetryWindow) return earlier;
  return MakeError(
      ErrorReason::kRequestIdExpired,
      absl::StrCat("request_id was used more than ten minutes ago, for ",
                   name.ToString()),
      {{"name", name.ToString()}});
}

// Issues again for a request that was made before: on the same token a new
// secret in place of the one that may have been lost with its reply.
absl::StatusOr<Mutation> Reissue(const CallContext& context,
                                 const LockedToken& locked,
                                 IssuedRequest request, const Secret& secret,
                                 absl::string_view actor, Issue& issue) {
  // Nobody waits for this call any more, and it may be the one that was
  // repeated, done late: its secret would take the place of the one that its
  // repetition was given.
  if (context.is_cancelled && context.is_cancelled()) {
    return absl::CancelledError();
  }
  const TokenName name{request.project, request.token};
  if (!locked.token) return TokenNotFound(name);
  StoredToken token = *locked.token;
  const TokenState state = StateAt(token.record, locked.now);
  if (state != TokenState::kActive) return TokenNotActive(name, state);
  const auto lost = std::find_if(
      token.secrets.begin(), token.secrets.end(),
      [&](const SecretRecord& s) { return s.digest == request.issued; });
  if (lost == token.secrets.end() || !lost->is_current) {
    // Another rotation came after it: its secret must not be taken back.
    return MakeError(
        ErrorReason::kRequestIdExpired,
        absl::StrCat("request_id was used before the last rotation of ",
                     name.ToString()),
        {{"name", name.ToString()}});
  }

  Mutation mutation;
  token.record.hint = TokenHint(secret);
  ++token.record.revision;
  ReplaceSecret(mutation, token.record, *lost, locked.now);
  request.issued = TokenDigest::Of(secret.Reveal());
  AddSecret(mutation, token.record, request.issued);
  mutation.updated_tokens.push_back(token.record);
  mutation.request = std::move(request);
  Audit(mutation, context, AuditAction::kReissued, name, actor);
  issue = {token.record, locked.now};
  return mutation;
}

TokenRecord NewRecord(const CreateRequest& request, const TokenName& name,
                      const Secret& secret, absl::Time now) {
  TokenRecord record;
  record.name = name;
  record.display_name = request.display_name;
  record.description = request.description;
  record.scopes = ScopeSet(request.scopes);
  record.metadata = request.metadata;
  record.creator = request.actor;
  record.create_time = now;
  record.expire_time =
      ToMicros(request.expire_time.value_or(absl::InfiniteFuture()));
  record.hint = TokenHint(secret);
  return record;
}

absl::Status CheckRoom(const ProjectId& project, const LockedProject& locked,
                       int64_t limit) {
  if (locked.active_tokens < limit) return absl::OkStatus();
  return MakeError(
      ErrorReason::kActiveTokenLimit,
      absl::StrCat(project.Name(), " has ", locked.active_tokens,
                   " active tokens, want fewer than ", limit,
                   "; revoke some that are not in use"),
      {{"project", project.Name()}, {"limit", absl::StrCat(limit)}});
}

absl::StatusOr<ProjectId> CheckCreate(const CreateRequest& request) {
  FieldViolations violations;
  ProjectId project = ParseProject(violations, "parent", request.parent);
  CheckDisplayName(violations, "token.display_name", request.display_name);
  CheckDescription(violations, "token.description", request.description);
  CheckScopes(violations, "token.scopes", request.scopes);
  CheckMetadata(violations, "token.metadata", request.metadata);
  CheckActor(violations, "actor", request.actor);
  CheckRequestId(violations, "request_id", request.request_id);
  RETURN_IF_ERROR(violations.ToStatus());
  return project;
}

absl::Status CheckExpiry(const CreateRequest& request, absl::Time now) {
  FieldViolations violations;
  if (request.expire_time) {
    CheckExpireTime(violations, "token.expire_time", *request.expire_time, now);
  }
  return violations.ToStatus();
}

// Ends the secrets of a token, at once or after the grace period.
void EndSecrets(Mutation& mutation, StoredToken& token,
                absl::Duration grace_period, absl::Time now) {
  TokenRecord& record = token.record;
  const absl::Time ends_at = std::min(now + grace_period, record.expire_time);
  record.old_secret_expire_time.reset();
  for (SecretRecord& old : token.secrets) {
    if (!old.is_current || grace_period == absl::ZeroDuration()) {
      ReplaceSecret(mutation, record, old, now);
      continue;
    }
    old.is_current = false;
    old.ends_at = ends_at;
    record.old_secret_expire_time = ends_at;
    mutation.updated_secrets.push_back(old);
    PutSecret(mutation, record, old);
  }
}

}  // namespace

absl::StatusOr<IssuedToken> TokenLifecycle::Create(
    const CallContext& context, const CreateRequest& request) {
  ASSIGN_OR_RETURN(const ProjectId project, CheckCreate(request));
  Secret secret = GenerateToken(random_);
  const TokenName name{project, TokenId::Generate(random_)};
  const IssuedRequest issued =
      Remember(name, request.request_id, PayloadOf(request), secret);
  Issue issue;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    ASSIGN_OR_RETURN(const LockedProject locked, tx.LockProject(project));
    ASSIGN_OR_RETURN(const auto earlier, FindEarlier(tx, issued, locked.now));
    if (earlier) {
      ASSIGN_OR_RETURN(const LockedToken token,
                       tx.LockToken({project, earlier->token}));
      return Reissue(context, token, *earlier, secret, request.actor, issue);
    }
    RETURN_IF_ERROR(CheckExpiry(request, locked.now));
    RETURN_IF_ERROR(
        CheckRoom(project, locked, limits_.active_tokens_per_project));
    RETURN_IF_ERROR(CheckMetadataRoom(metadata_room_, request.metadata));

    Mutation mutation;
    issue = {NewRecord(request, name, secret, locked.now), locked.now};
    mutation.inserted_tokens.push_back(issue.record);
    AddSecret(mutation, issue.record, issued.issued);
    if (!issued.request_id.empty()) mutation.request = issued;
    Audit(mutation, context, AuditAction::kCreated, name, request.actor);
    return mutation;
  };
  RETURN_IF_ERROR(Commit(context, body, [&] {
                    return std::map<std::string, std::string>{
                        {"name", issue.record.name.ToString()}};
                  }).status());
  return IssuedToken{{issue.record, StateAt(issue.record, issue.now)},
                     std::move(secret)};
}

absl::StatusOr<IssuedToken> TokenLifecycle::Rotate(
    const CallContext& context, const RotateRequest& request) {
  FieldViolations violations;
  const TokenName name = ParseTokenName(violations, "name", request.name);
  CheckActor(violations, "actor", request.actor);
  CheckGracePeriod(violations, "grace_period", request.grace_period);
  CheckRequestId(violations, "request_id", request.request_id);
  RETURN_IF_ERROR(violations.ToStatus());

  Secret secret = GenerateToken(random_);
  const IssuedRequest issued =
      Remember(name, request.request_id, PayloadOf(request), secret);
  Issue issue;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    ASSIGN_OR_RETURN(LockedToken locked, tx.LockToken(name));
    if (!locked.token) return TokenNotFound(name);
    ASSIGN_OR_RETURN(const auto earlier, FindEarlier(tx, issued, locked.now));
    if (earlier) {
      return Reissue(context, locked, *earlier, secret, request.actor, issue);
    }
    TokenRecord& record = locked.token->record;
    const TokenState state = StateAt(record, locked.now);
    if (state != TokenState::kActive) return TokenNotActive(name, state);

    Mutation mutation;
    record.hint = TokenHint(secret);
    ++record.revision;
    EndSecrets(mutation, *locked.token, request.grace_period, locked.now);
    AddSecret(mutation, record, issued.issued);
    mutation.updated_tokens.push_back(record);
    if (!issued.request_id.empty()) mutation.request = issued;
    Audit(mutation, context, AuditAction::kRotated, name, request.actor,
          {{"grace_period", absl::FormatDuration(request.grace_period)}});
    issue = {record, locked.now};
    return mutation;
  };
  RETURN_IF_ERROR(
      Commit(context, body, [&] {
        return std::map<std::string, std::string>{{"name", name.ToString()}};
      }).status());
  return IssuedToken{{issue.record, StateAt(issue.record, issue.now)},
                     std::move(secret)};
}

}  // namespace wemasy::tokens
