// The methods that change and end tokens: Update, Revoke and RevokeLeaked.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "common/token_format.h"
#include "server/lifecycle/field_rules.h"
#include "server/lifecycle/mutations.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

constexpr size_t kMaxLeakSource = 100;
constexpr size_t kMaxLeakUrl = 500;

absl::Status CheckUpdate(const UpdateRequest& request) {
  FieldViolations violations;
  ParseTokenName(violations, "token.name", request.name);
  if (request.display_name) {
    CheckDisplayName(violations, "token.display_name", *request.display_name);
  }
  if (request.description) {
    CheckDescription(violations, "token.description", *request.description);
  }
  if (request.scopes) {
    CheckScopes(violations, "token.scopes", *request.scopes);
  }
  if (request.metadata) {
    CheckMetadata(violations, "token.metadata", *request.metadata);
  }
  CheckActor(violations, "actor", request.actor);
  return violations.ToStatus();
}

// Whether the change matters to Validate, and not only to people.
bool ChangesUse(const UpdateRequest& request) {
  return request.scopes || request.metadata || request.expire_time;
}

absl::Status CheckEtag(const UpdateRequest& request,
                       const TokenRecord& record) {
  if (request.etag.empty() || request.etag == EtagOf(record)) {
    return absl::OkStatus();
  }
  return MakeError(ErrorReason::kEtagMismatch,
                   absl::StrCat(record.name.ToString(),
                                " was changed since its etag was read"),
                   {{"name", record.name.ToString()}});
}

absl::Status CheckUpdatable(const UpdateRequest& request,
                            const TokenRecord& record, absl::Time now) {
  const TokenState state = StateAt(record, now);
  if (state == TokenState::kRevoked ||
      (state == TokenState::kExpired && ChangesUse(request))) {
    return TokenNotActive(record.name, state);
  }
  FieldViolations violations;
  if (request.expire_time && *request.expire_time != absl::InfiniteFuture()) {
    CheckExpireTime(violations, "token.expire_time", *request.expire_time, now);
  }
  return violations.ToStatus();
}

// Sets `value` to what is wanted, if that is something else, and then notes
// the field.
template <typename T>
void Set(const absl::optional<T>& wanted, const char* field, T& value,
         std::vector<std::string>& changed) {
  if (!wanted || *wanted == value) return;
  value = *wanted;
  changed.emplace_back(field);
}

// Applies the request; returns the names of the fields that it changes.
std::vector<std::string> Apply(const UpdateRequest& request,
                               TokenRecord& record) {
  std::vector<std::string> changed;
  Set(request.display_name, "display_name", record.display_name, changed);
  Set(request.description, "description", record.description, changed);
  absl::optional<ScopeSet> scopes;
  if (request.scopes) scopes.emplace(*request.scopes);
  Set(scopes, "scopes", record.scopes, changed);
  Set(request.metadata, "metadata", record.metadata, changed);
  if (request.expire_time) {
    Set(absl::make_optional(ToMicros(*request.expire_time)), "expire_time",
        record.expire_time, changed);
  }
  return changed;
}

absl::string_view NameOf(RevokeReason reason) {
  switch (reason) {
    case RevokeReason::kUnspecified:
      return "UNSPECIFIED";
    case RevokeReason::kUnused:
      return "UNUSED";
    case RevokeReason::kSuperseded:
      return "SUPERSEDED";
    case RevokeReason::kCompromised:
      return "COMPROMISED";
    case RevokeReason::kLeakReported:
      return "LEAK_REPORTED";
    case RevokeReason::kOffboarded:
      return "OFFBOARDED";
    case RevokeReason::kOther:
      return "OTHER";
  }
  return "";
}

// What the audit trail says of a revocation.
std::map<std::string, std::string> DetailsOf(const RevokeRequest& request) {
  std::map<std::string, std::string> details;
  details["reason"] = std::string(NameOf(request.reason));
  if (!request.comment.empty()) details["comment"] = request.comment;
  return details;
}

// The digest that a piece of evidence points to; nothing if it cannot be one
// of ours.
absl::optional<TokenDigest> DigestOf(const LeakEvidence& evidence) {
  if (evidence.kind == LeakEvidence::Kind::kSha256) {
    return TokenDigest::FromBytes(evidence.sha256);
  }
  if (!IsTokenWellFormed(evidence.secret.Reveal())) return absl::nullopt;
  return TokenDigest::Of(evidence.secret.Reveal());
}

absl::Status CheckLeaks(const LeakRequest& request) {
  FieldViolations violations;
  CheckActor(violations, "actor", request.actor);
  if (request.leaked.empty() || request.leaked.size() > kMaxLeakedTokens) {
    violations.Add("leaked_tokens",
                   absl::StrCat("has ", request.leaked.size(),
                                " elements, want 1 to ", kMaxLeakedTokens));
    return violations.ToStatus();
  }
  for (size_t i = 0; i < request.leaked.size(); ++i) {
    const LeakEvidence& evidence = request.leaked[i];
    const std::string field = absl::StrCat("leaked_tokens[", i, "]");
    if (evidence.kind == LeakEvidence::Kind::kNone) {
      violations.Add(field, "has no evidence, want secret or secret_sha256");
    }
    if (evidence.kind == LeakEvidence::Kind::kSha256 && !DigestOf(evidence)) {
      violations.Add(field + ".secret_sha256",
                     absl::StrCat("has ", evidence.sha256.size(),
                                  " bytes, want ", TokenDigest::kSize));
    }
    CheckPrintable(violations, field + ".source", evidence.source,
                   kMaxLeakSource);
    CheckPrintable(violations, field + ".url", evidence.url, kMaxLeakUrl);
  }
  return violations.ToStatus();
}

// Revokes the tokens of which a secret that works has leaked; returns which.
std::set<TokenId> RevokeMatches(Mutation& mutation, LockedTokens& locked,
                                const std::string& actor) {
  std::set<TokenId> revoked;
  for (MatchedToken& match : locked.tokens) {
    const TokenRecord& record = match.token.record;
    if (!match.is_live || record.revocation) continue;
    if (!revoked.insert(record.name.token).second) continue;
    RevokeToken(mutation, match.token,
                {locked.now, actor, RevokeReason::kLeakReported, ""});
  }
  return revoked;
}

// What became of the token that one digest belongs to.
LeakOutcome OutcomeOf(const MatchedToken& match,
                      const std::set<TokenId>& revoked) {
  const TokenRecord& record = match.token.record;
  if (revoked.count(record.name.token) > 0) {
    return {LeakOutcome::Kind::kRevoked, record.name};
  }
  return {record.revocation ? LeakOutcome::Kind::kAlreadyRevoked
                            : LeakOutcome::Kind::kReplaced,
          record.name};
}

std::map<std::string, std::string> DetailsOf(const LeakEvidence& evidence) {
  std::map<std::string, std::string> details;
  if (!evidence.source.empty()) details["source"] = evidence.source;
  if (!evidence.url.empty()) details["url"] = evidence.url;
  return details;
}

}  // namespace

absl::StatusOr<TokenView> TokenLifecycle::Update(const CallContext& context,
                                                 const UpdateRequest& request) {
  RETURN_IF_ERROR(CheckUpdate(request));
  const TokenName name = *TokenName::Parse(request.name);
  TokenView view;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    ASSIGN_OR_RETURN(LockedToken locked, tx.LockToken(name));
    if (!locked.token) return TokenNotFound(name);
    TokenRecord& record = locked.token->record;
    RETURN_IF_ERROR(CheckUpdatable(request, record, locked.now));
    if (request.metadata && *request.metadata != record.metadata) {
      RETURN_IF_ERROR(CheckMetadataRoom(metadata_room_, *request.metadata));
    }

    Mutation mutation;
    const std::vector<std::string> changed = Apply(request, record);
    // A repeated update commits too, and waits: the first may not be in effect
    // yet. Its etag is that from before the first.
    if (!changed.empty()) {
      RETURN_IF_ERROR(CheckEtag(request, record));
      ++record.revision;
      mutation.updated_tokens.push_back(record);
      if (ChangesUse(request)) {
        absl::optional<absl::Time> old_end;
        for (const SecretRecord& secret : locked.token->secrets) {
          PutSecret(mutation, record, secret);
          if (secret.is_current) continue;
          old_end = std::max(old_end.value_or(absl::InfinitePast()),
                             std::min(secret.ends_at, record.expire_time));
        }
        // Where the token's end was in its way before, it may be later now.
        record.old_secret_expire_time = old_end;
      }
      Audit(mutation, context, AuditAction::kUpdated, name, request.actor,
            {{"changed", absl::StrJoin(changed, ",")}});
    }
    view = {record, StateAt(record, locked.now)};
    return mutation;
  };
  RETURN_IF_ERROR(
      Commit(context, body, [&] {
        return std::map<std::string, std::string>{{"name", name.ToString()}};
      }).status());
  return view;
}

absl::StatusOr<RevokedToken> TokenLifecycle::Revoke(
    const CallContext& context, const RevokeRequest& request) {
  FieldViolations violations;
  const TokenName name = ParseTokenName(violations, "name", request.name);
  CheckActor(violations, "actor", request.actor);
  CheckComment(violations, "comment", request.comment);
  RETURN_IF_ERROR(violations.ToStatus());

  RevokedToken result;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    ASSIGN_OR_RETURN(LockedToken locked, tx.LockToken(name));
    if (!locked.token) return TokenNotFound(name);
    Mutation mutation;
    // The revoked commit a change too, which does nothing: only a committed
    // write proves that this database is the one whose word counts.
    if (!locked.token->record.revocation) {
      RevokeToken(mutation, *locked.token,
                  {locked.now, request.actor, request.reason, request.comment});
      Audit(mutation, context, AuditAction::kRevoked, name, request.actor,
            DetailsOf(request));
    }
    result.token = {locked.token->record, TokenState::kRevoked};
    result.token.record.old_secret_expire_time.reset();
    return mutation;
  };
  ASSIGN_OR_RETURN(
      result.receipt, Commit(context, body, [&] {
        return std::map<std::string, std::string>{{"name", name.ToString()}};
      }));
  return result;
}

absl::StatusOr<LeakResult> TokenLifecycle::RevokeLeaked(
    const CallContext& context, const LeakRequest& request) {
  RETURN_IF_ERROR(CheckLeaks(request));
  // Of each piece of evidence.
  std::vector<absl::optional<TokenDigest>> digest_of;
  std::set<TokenDigest> digests;
  for (const LeakEvidence& evidence : request.leaked) {
    digest_of.push_back(DigestOf(evidence));
    if (digest_of.back()) digests.insert(*digest_of.back());
  }

  std::map<TokenDigest, LeakOutcome> outcome_of;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    outcome_of.clear();
    ASSIGN_OR_RETURN(LockedTokens locked,
                     tx.LockTokensByDigest({digests.begin(), digests.end()}));
    Mutation mutation;
    const std::set<TokenId> revoked =
        RevokeMatches(mutation, locked, request.actor);
    for (const MatchedToken& match : locked.tokens) {
      outcome_of[match.digest] = OutcomeOf(match, revoked);
    }
    // Wherever it leaked, somebody has to clean up.
    for (size_t i = 0; i < digest_of.size(); ++i) {
      if (!digest_of[i]) continue;
      const auto found = outcome_of.find(*digest_of[i]);
      if (found == outcome_of.end() ||
          found->second.kind != LeakOutcome::Kind::kRevoked) {
        continue;
      }
      Audit(mutation, context, AuditAction::kLeakRevoked, *found->second.name,
            request.actor, DetailsOf(request.leaked[i]));
    }
    return mutation;
  };
  ASSIGN_OR_RETURN(
      const Receipt receipt,
      Commit(
          context, body,
          [] {
            return std::map<std::string, std::string>{{"name", ""}};
          },
          [&] { return !outcome_of.empty(); }));

  LeakResult result;
  for (const absl::optional<TokenDigest>& digest : digest_of) {
    if (!digest) {
      result.outcomes.push_back({LeakOutcome::Kind::kMalformed, {}});
      continue;
    }
    const auto outcome = outcome_of.find(*digest);
    result.outcomes.push_back(outcome == outcome_of.end() ? LeakOutcome{}
                                                          : outcome->second);
  }
  if (!outcome_of.empty()) result.receipt = receipt;
  return result;
}

}  // namespace wemasy::tokens
