#include "tests/support/fake_token_tables.h"

#include <algorithm>

#include "common/status_macros.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

absl::Status Broken(absl::string_view what) {
  return MakeError(ErrorReason::kInternal, what);
}

// PostgreSQL keeps microseconds.
absl::Time Truncated(absl::Time time) {
  if (time == absl::InfiniteFuture()) return time;
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

TokenRecord Truncated(TokenRecord record) {
  record.create_time = Truncated(record.create_time);
  record.expire_time = Truncated(record.expire_time);
  if (record.revocation) {
    record.revocation->time = Truncated(record.revocation->time);
  }
  // Kept apart from it.
  record.last_used_time.reset();
  record.old_secret_last_used_time.reset();
  record.old_secret_expire_time.reset();
  return record;
}

}  // namespace

TokenRecord FakeTokenTables::Complete(TokenRecord record,
                                      absl::Time now) const {
  const auto used = usage.find(record.name.token);
  if (used != usage.end()) {
    record.last_used_time = used->second.last;
    record.old_secret_last_used_time = used->second.old_secret;
  }
  for (const auto& [digest, row] : secrets) {
    const absl::Time end = std::min(row.secret.ends_at, record.expire_time);
    if (row.token == record.name.token && !row.secret.is_current &&
        !row.dead_at && !record.revocation && end > now) {
      record.old_secret_expire_time =
          std::max(end, record.old_secret_expire_time.value_or(end));
    }
  }
  return record;
}

bool FakeTokenTransaction::IsLive(const FakeTokenTables::SecretRow& row) const {
  return !row.dead_at && row.secret.ends_at > now_;
}

StoredToken FakeTokenTransaction::Stored(const TokenRecord& record) const {
  StoredToken stored{tables_.Complete(record, now_), {}};
  for (const auto& [digest, row] : tables_.secrets) {
    if (row.token == record.name.token && IsLive(row)) {
      stored.secrets.push_back(row.secret);
    }
  }
  std::stable_sort(stored.secrets.begin(), stored.secrets.end(),
                   [](const SecretRecord& a, const SecretRecord& b) {
                     return a.is_current > b.is_current;
                   });
  return stored;
}

absl::StatusOr<LockedProject> FakeTokenTransaction::LockProject(
    const ProjectId& project) {
  tables_.projects.insert(project);
  LockedProject locked;
  locked.now = now_;
  for (const auto& [id, record] : tables_.tokens) {
    if (record.name.project == project &&
        StateAt(record, now_) == TokenState::kActive) {
      ++locked.active_tokens;
    }
  }
  return locked;
}

absl::StatusOr<LockedToken> FakeTokenTransaction::LockToken(
    const TokenName& name) {
  LockedToken locked;
  locked.now = now_;
  const auto found = tables_.tokens.find(name.token);
  if (found != tables_.tokens.end() && found->second.name == name) {
    locked.token = Stored(found->second);
  }
  return locked;
}

absl::StatusOr<LockedTokens> FakeTokenTransaction::LockTokensByDigest(
    const std::vector<TokenDigest>& digests) {
  LockedTokens locked;
  locked.now = now_;
  std::set<TokenDigest> seen;
  for (const TokenDigest& digest : digests) {
    const auto found = tables_.secrets.find(digest);
    if (found == tables_.secrets.end() || !seen.insert(digest).second) {
      continue;
    }
    locked.tokens.push_back({digest, IsLive(found->second),
                             Stored(tables_.tokens.at(found->second.token))});
  }
  return locked;
}

absl::StatusOr<absl::optional<IssuedRequest>> FakeTokenTransaction::FindRequest(
    const ProjectId& project, const std::string& request_id) {
  const auto found = tables_.requests.find({project, request_id});
  if (found == tables_.requests.end()) {
    return absl::optional<IssuedRequest>();
  }
  return absl::make_optional(found->second);
}

absl::Status FakeTokenTransaction::WriteTokens(const Mutation& mutation) {
  for (const TokenRecord& record : mutation.inserted_tokens) {
    if (tables_.projects.count(record.name.project) == 0) {
      return Broken("unknown project");
    }
    if (!tables_.tokens.emplace(record.name.token, Truncated(record)).second) {
      return Broken("two tokens of one id");
    }
  }
  for (const TokenRecord& record : mutation.updated_tokens) {
    const auto found = tables_.tokens.find(record.name.token);
    if (found == tables_.tokens.end() || !(found->second.name == record.name)) {
      return Broken("unknown token");
    }
    TokenRecord updated = Truncated(record);
    updated.creator = found->second.creator;
    updated.create_time = found->second.create_time;
    found->second = std::move(updated);
  }
  return absl::OkStatus();
}

absl::Status FakeTokenTransaction::WriteSecrets(const Mutation& mutation) {
  for (const DeadSecret& dead : mutation.dead_secrets) {
    const auto found = tables_.secrets.find(dead.digest);
    if (found == tables_.secrets.end()) return Broken("unknown secret");
    if (!found->second.dead_at) {
      found->second.dead_at = Truncated(dead.dead_at);
    }
  }
  for (const SecretRecord& secret : mutation.updated_secrets) {
    const auto found = tables_.secrets.find(secret.digest);
    if (found == tables_.secrets.end()) return Broken("unknown secret");
    found->second.secret.is_current = secret.is_current;
    found->second.secret.ends_at = Truncated(secret.ends_at);
  }
  for (const NewSecret& added : mutation.inserted_secrets) {
    if (tables_.tokens.count(added.token.token) == 0) {
      return Broken("unknown token");
    }
    FakeTokenTables::SecretRow row{added.token.token, added.secret,
                                   absl::nullopt};
    row.secret.ends_at = Truncated(row.secret.ends_at);
    if (!tables_.secrets.emplace(added.secret.digest, row).second) {
      return Broken("two secrets of one digest");
    }
  }
  return EachTokenHasOneCurrentSecret() ? absl::OkStatus()
                                        : Broken("two current secrets");
}

bool FakeTokenTransaction::EachTokenHasOneCurrentSecret() const {
  std::set<TokenId> seen;
  for (const auto& [digest, row] : tables_.secrets) {
    if (!row.secret.is_current || row.dead_at) continue;
    if (!seen.insert(row.token).second) return false;
  }
  return true;
}

absl::Status FakeTokenTransaction::WriteRequest(const IssuedRequest& request) {
  if (tables_.tokens.count(request.token) == 0) return Broken("unknown token");
  IssuedRequest stored = request;
  stored.time = now_;
  const std::pair key(request.project, request.request_id);
  const auto [row, is_new] = tables_.requests.emplace(key, stored);
  if (is_new) return absl::OkStatus();
  IssuedRequest& earlier = row->second;
  if (earlier.payload != request.payload || earlier.token != request.token) {
    return RequestIdReused();
  }
  earlier.issued = request.issued;
  return absl::OkStatus();
}

absl::Status FakeTokenTransaction::Write(const Mutation& mutation) {
  RETURN_IF_ERROR(WriteTokens(mutation));
  RETURN_IF_ERROR(WriteSecrets(mutation));
  if (!mutation.request) return absl::OkStatus();
  return WriteRequest(*mutation.request);
}

}  // namespace wemasy::tokens
