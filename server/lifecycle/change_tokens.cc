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

absl::Status CheckUpdatable(const UpdateRequest& request,
                            const TokenRecord& record, absl::Time now) {
  const TokenState state = StateAt(record, now);
  if (state == TokenState::kRevoked ||
      (state == TokenState::kExpired && ChangesUse(request))) {
    return TokenNotActive(record.name, state);
  }
  if (!request.etag.empty() && request.etag != EtagOf(record)) {
    return MakeError(ErrorReason::kEtagMismatch,
                     absl::StrCat(record.name.ToString(),
                                  " was changed since its etag was read"),
                     {{"name", record.name.ToString()}});
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

// What became of the token that one digest belongs to. Revokes it if it lives
// and was not revoked in this call already.
LeakOutcome RevokeMatch(Mutation& mutation, MatchedToken& match,
                        const CallContext& context, const LeakRequest& request,
                        const LeakEvidence& evidence, absl::Time now,
                        std::set<TokenId>& revoked) {
  const TokenName& name = match.token.record.name;
  if (revoked.count(name.token) > 0) {
    return {LeakOutcome::Kind::kRevoked, name};
  }
  if (match.token.record.revocation) {
    return {LeakOutcome::Kind::kAlreadyRevoked, name};
  }
  if (!match.is_live) return {LeakOutcome::Kind::kReplaced, name};
  revoked.insert(name.token);
  RevokeToken(mutation, match.token,
              {now, request.actor, RevokeReason::kLeakReported, ""});
  std::map<std::string, std::string> details;
  if (!evidence.source.empty()) details["source"] = evidence.source;
  if (!evidence.url.empty()) details["url"] = evidence.url;
  Audit(mutation, context, AuditAction::kLeakRevoked, name, request.actor,
        std::move(details));
  return {LeakOutcome::Kind::kRevoked, name};
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
    // yet.
    if (!changed.empty()) {
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
  std::map<TokenDigest, const LeakEvidence*> evidence_of;
  std::vector<TokenDigest> digests;
  for (const LeakEvidence& evidence : request.leaked) {
    const auto digest = DigestOf(evidence);
    if (digest && evidence_of.emplace(*digest, &evidence).second) {
      digests.push_back(*digest);
    }
  }

  std::map<TokenDigest, LeakOutcome> outcome_of;
  const auto body = [&](TokenTransaction& tx) -> absl::StatusOr<Mutation> {
    outcome_of.clear();
    ASSIGN_OR_RETURN(LockedTokens locked, tx.LockTokensByDigest(digests));
    Mutation mutation;
    std::set<TokenId> revoked;
    for (MatchedToken& match : locked.tokens) {
      outcome_of[match.digest] =
          RevokeMatch(mutation, match, context, request,
                      *evidence_of.at(match.digest), locked.now, revoked);
    }
    return mutation;
  };
  ASSIGN_OR_RETURN(const Receipt receipt, Commit(context, body, [] {
                     return std::map<std::string, std::string>{{"name", ""}};
                   }));

  LeakResult result;
  for (const LeakEvidence& evidence : request.leaked) {
    const auto digest = DigestOf(evidence);
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
