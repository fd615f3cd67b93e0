#include "server/lifecycle/mutations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

absl::string_view NameOf(TokenState state) {
  switch (state) {
    case TokenState::kActive:
      return "ACTIVE";
    case TokenState::kExpired:
      return "EXPIRED";
    case TokenState::kRevoked:
      return "REVOKED";
  }
  return "";
}

void PutEntry(Mutation& mutation, IndexEntry entry) {
  Change change;
  change.operation = ChangeOperation::kPut;
  change.entry = std::move(entry);
  mutation.changes.push_back(std::move(change));
}

}  // namespace

absl::Time ToMicros(absl::Time time) {
  if (time == absl::InfiniteFuture()) return time;
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

absl::Status TokenNotFound(const TokenName& name) {
  return MakeError(ErrorReason::kTokenNotFound,
                   absl::StrCat(name.ToString(), " does not exist"),
                   {{"name", name.ToString()}});
}

absl::Status TokenNotActive(const TokenName& name, TokenState state) {
  return MakeError(
      ErrorReason::kTokenNotActive,
      absl::StrCat(name.ToString(), " is ", NameOf(state), ", want ACTIVE"),
      {{"name", name.ToString()}, {"state", std::string(NameOf(state))}});
}

absl::Status CheckMetadataRoom(const MetadataRoom& room,
                               const Metadata& metadata) {
  if (metadata.empty() || room.HasRoomFor(metadata)) return absl::OkStatus();
  return MakeError(
      ErrorReason::kMetadataLimit,
      absl::StrCat("different metadata takes all of the ", room.max_bytes(),
                   " bytes that it may, want metadata that a token has "
                   "already; use fewer different values, or ask the operator "
                   "to raise the bound"),
      {{"limit", absl::StrCat(room.max_bytes())}});
}

void KillSecret(Mutation& mutation, const TokenRecord& record,
                const SecretRecord& secret, absl::Time now) {
  mutation.dead_secrets.push_back({secret.digest, now});
  IndexEntry entry = MakeIndexEntry(record, secret);
  entry.dead_at = now;
  PutEntry(mutation, std::move(entry));
}

void ReplaceSecret(Mutation& mutation, const TokenRecord& record,
                   SecretRecord secret, absl::Time now) {
  secret.is_current = false;
  mutation.updated_secrets.push_back(secret);
  KillSecret(mutation, record, secret, now);
}

void PutSecret(Mutation& mutation, const TokenRecord& record,
               const SecretRecord& secret) {
  PutEntry(mutation, MakeIndexEntry(record, secret));
}

void AddSecret(Mutation& mutation, const TokenRecord& record,
               const TokenDigest& digest) {
  SecretRecord secret;
  secret.digest = digest;
  PutSecret(mutation, record, secret);
  mutation.inserted_secrets.push_back({record.name, secret});
}

void RevokeToken(Mutation& mutation, StoredToken& token,
                 Revocation revocation) {
  const absl::Time now = revocation.time;
  token.record.revocation = std::move(revocation);
  ++token.record.revision;
  for (const SecretRecord& secret : token.secrets) {
    KillSecret(mutation, token.record, secret, now);
  }
  mutation.updated_tokens.push_back(token.record);
}

void Audit(Mutation& mutation, const CallContext& context, AuditAction action,
           const TokenName& token, absl::string_view actor,
           std::map<std::string, std::string> details) {
  AuditRecord record;
  record.action = action;
  record.token = token;
  record.actor = std::string(actor);
  record.caller = context.caller;
  record.request_id = context.request_id;
  record.details = std::move(details);
  mutation.audit_records.push_back(std::move(record));
}

}  // namespace wemasy::tokens
