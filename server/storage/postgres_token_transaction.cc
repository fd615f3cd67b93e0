#include "server/storage/postgres_token_transaction.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/status_macros.h"
#include "server/storage/record_rows.h"

namespace wemasy::tokens {
namespace {

// The secret columns of kReadLockedTokens; nothing if the token has none.
absl::optional<SecretRecord> ReadSecret(FieldReader& row) {
  if (row.NextIsNull()) {
    for (int i = 0; i < 4; ++i) row.Skip();
    return absl::nullopt;
  }
  SecretRecord secret;
  secret.digest = row.Digest();
  secret.version = static_cast<DigestVersion>(row.Int());
  secret.is_current = row.Bool();
  secret.ends_at = row.Time();
  return secret;
}

bool HasSecret(const StoredToken& token, const TokenDigest& digest) {
  for (const SecretRecord& secret : token.secrets) {
    if (secret.digest == digest) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<LockedProject> PostgresTokenTransaction::LockProject(
    const ProjectId& project) {
  const Params id = Params().Text(project.text());
  ASSIGN_OR_RETURN(const Rows locked,
                   connection_.Execute(sql::kLockProject, id));
  if (locked.empty()) {
    RETURN_IF_ERROR(connection_.Execute(sql::kInsertProject, id).status());
    RETURN_IF_ERROR(connection_.Execute(sql::kLockProject, id).status());
  }
  ASSIGN_OR_RETURN(const Rows rows,
                   connection_.Execute(sql::kCountActiveTokens, id));
  FieldReader row = rows.Row(0);
  LockedProject result;
  result.active_tokens = row.Int();
  result.now = row.Time();
  RETURN_IF_ERROR(row.status());
  return result;
}

absl::StatusOr<PostgresTokenTransaction::Locked> PostgresTokenTransaction::Lock(
    const Query& lock, const Query& read) {
  ASSIGN_OR_RETURN(const Rows lock_rows,
                   connection_.Execute(lock.statement, lock.params));
  FieldReader lock_row = lock_rows.Row(0);
  const int64_t locked = lock_row.Int();
  Locked result;
  result.now = lock_row.Time();
  RETURN_IF_ERROR(lock_row.status());
  if (locked == 0) return result;

  ASSIGN_OR_RETURN(const Rows rows,
                   connection_.Execute(read.statement, read.params));
  result.tokens.reserve(static_cast<size_t>(locked));
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader row = rows.Row(i);
    result.now = row.Time();
    TokenRecord record = ReadRecord(row);
    absl::optional<SecretRecord> secret = ReadSecret(row);
    RETURN_IF_ERROR(row.status());
    if (result.tokens.empty() ||
        !(result.tokens.back().record.name == record.name)) {
      result.tokens.push_back({std::move(record), {}});
    }
    if (secret) result.tokens.back().secrets.push_back(*secret);
  }
  return result;
}

absl::StatusOr<LockedToken> PostgresTokenTransaction::LockToken(
    const TokenName& name) {
  ASSIGN_OR_RETURN(
      Locked locked,
      Lock({sql::kLockToken, Params().Id(name.token).Text(name.project.text())},
           {sql::kReadLockedToken, Params().Id(name.token)}));
  LockedToken result;
  result.now = locked.now;
  if (!locked.tokens.empty()) result.token = std::move(locked.tokens[0]);
  return result;
}

absl::StatusOr<LockedTokens> PostgresTokenTransaction::LockTokensByDigest(
    const std::vector<TokenDigest>& digests) {
  ArrayText digest_texts;
  for (const TokenDigest& digest : digests) {
    digest_texts.Add(EncodeBytes(digest.bytes()));
  }
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection_.Execute(sql::kMatchDigests, Params().Array(digest_texts)));
  absl::flat_hash_map<TokenDigest, TokenId> token_of;
  absl::flat_hash_set<TokenId> tokens;
  ArrayText ids;
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader row = rows.Row(i);
    const TokenDigest digest = row.Digest();
    const TokenId id = row.Id();
    RETURN_IF_ERROR(row.status());
    token_of[digest] = id;
    if (tokens.insert(id).second) ids.Add(EncodeId(id));
  }
  ASSIGN_OR_RETURN(const Locked locked,
                   Lock({sql::kLockTokens, Params().Array(ids)},
                        {sql::kReadLockedTokens, Params().Array(ids)}));
  absl::flat_hash_map<TokenId, const StoredToken*> stored;
  for (const StoredToken& token : locked.tokens) {
    stored[token.record.name.token] = &token;
  }
  LockedTokens result;
  result.now = locked.now;
  for (const TokenDigest& digest : digests) {
    const auto match = token_of.find(digest);
    if (match == token_of.end()) continue;
    const auto token = stored.find(match->second);
    // Each digest once, and no token that was purged before its lock.
    token_of.erase(match);
    if (token == stored.end()) continue;
    result.tokens.push_back(
        {digest, HasSecret(*token->second, digest), *token->second});
  }
  return result;
}

absl::StatusOr<absl::optional<IssuedRequest>>
PostgresTokenTransaction::FindRequest(const ProjectId& project,
                                      const std::string& request_id) {
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection_.Execute(sql::kFindRequest,
                          Params().Text(project.text()).Text(request_id)));
  if (rows.empty()) return absl::optional<IssuedRequest>();
  FieldReader row = rows.Row(0);
  IssuedRequest request;
  request.project = project;
  request.request_id = request_id;
  request.payload = row.Digest();
  request.token = row.Id();
  request.issued = row.Digest();
  request.time = row.Time();
  RETURN_IF_ERROR(row.status());
  return absl::make_optional(std::move(request));
}

}  // namespace wemasy::tokens
