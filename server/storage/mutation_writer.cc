// The writing half of PostgresTokenTransaction.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/postgres_token_transaction.h"
#include "server/storage/record_rows.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// The change that a transaction without any has: it takes its place in the
// order, for the caller to wait for.
const std::vector<Change>& Noop() {
  static const auto* const noop = new std::vector<Change>(1);
  return *noop;
}

absl::string_view BoolText(bool value) { return value ? "t" : "f"; }

void AddChanges(const std::vector<Change>& changes, Params& params) {
  ArrayText operation, digest, token, project, creator, scopes, metadata,
      expire_time, dead_at, is_old;
  for (const Change& change : changes) {
    operation.Add(absl::StrCat(static_cast<int>(change.operation)));
    if (change.operation == ChangeOperation::kNoop) {
      for (ArrayText* array : {&digest, &token, &project, &creator, &scopes,
                               &metadata, &expire_time, &dead_at, &is_old}) {
        array->AddNull();
      }
      continue;
    }
    const IndexEntry& entry = change.entry;
    digest.Add(EncodeBytes(entry.digest.bytes()));
    token.Add(EncodeId(entry.name.token));
    project.Add(entry.name.project.text());
    creator.Add(entry.creator);
    scopes.Add(EncodeScopes(entry.scopes));
    metadata.Add(EncodePairs(entry.metadata));
    expire_time.Add(EncodeTime(entry.expire_time));
    entry.dead_at ? dead_at.Add(EncodeTime(*entry.dead_at)) : dead_at.AddNull();
    is_old.Add(BoolText(entry.is_old));
  }
  for (const ArrayText* array :
       {&operation, &digest, &token, &project, &creator, &scopes, &metadata,
        &expire_time, &dead_at, &is_old}) {
    params.Array(*array);
  }
}

void AddAuditRecords(const std::vector<AuditRecord>& records, Params& params) {
  ArrayText action, project, token, actor, caller, request_id, details;
  for (const AuditRecord& record : records) {
    action.Add(absl::StrCat(static_cast<int>(record.action)));
    project.Add(record.token.project.text());
    token.Add(EncodeId(record.token.token));
    actor.Add(record.actor);
    caller.Add(record.caller);
    request_id.Add(record.request_id);
    details.Add(EncodePairs(record.details));
  }
  for (const ArrayText* array :
       {&action, &project, &token, &actor, &caller, &request_id, &details}) {
    params.Array(*array);
  }
}

}  // namespace

absl::Status PostgresTokenTransaction::Touch(const Statement& statement,
                                             const Params& params,
                                             size_t count) {
  ASSIGN_OR_RETURN(const Rows rows, connection_.Execute(statement, params));
  if (rows.affected() == count) return absl::OkStatus();
  return MakeError(ErrorReason::kInternal, "a row to be changed is missing");
}

absl::StatusOr<CommitStamp> PostgresTokenTransaction::Write(
    const Mutation& mutation) {
  RETURN_IF_ERROR(WriteTokens(mutation));
  RETURN_IF_ERROR(WriteSecrets(mutation));
  if (mutation.request) {
    const IssuedRequest& request = *mutation.request;
    ASSIGN_OR_RETURN(const Rows rows,
                     connection_.Execute(sql::kWriteRequest,
                                         Params()
                                             .Text(request.project.text())
                                             .Text(request.request_id)
                                             .Bytes(request.payload.bytes())
                                             .Id(request.token)
                                             .Bytes(request.issued.bytes())));
    if (rows.affected() == 0) return RequestIdReused();
  }
  return AppendChanges(mutation);
}

absl::Status PostgresTokenTransaction::WriteTokens(const Mutation& mutation) {
  if (!mutation.inserted_tokens.empty()) {
    RETURN_IF_ERROR(Touch(sql::kInsertTokens,
                          TokenRowArrays(mutation.inserted_tokens),
                          mutation.inserted_tokens.size()));
  }
  if (!mutation.updated_tokens.empty()) {
    RETURN_IF_ERROR(Touch(sql::kUpdateTokens,
                          TokenRowArrays(mutation.updated_tokens),
                          mutation.updated_tokens.size()));
  }
  return absl::OkStatus();
}

absl::Status PostgresTokenTransaction::WriteSecrets(const Mutation& mutation) {
  if (!mutation.dead_secrets.empty()) {
    ArrayText digest, dead_at;
    for (const DeadSecret& secret : mutation.dead_secrets) {
      digest.Add(EncodeBytes(secret.digest.bytes()));
      dead_at.Add(EncodeTime(secret.dead_at));
    }
    RETURN_IF_ERROR(Touch(sql::kKillSecrets,
                          Params().Array(digest).Array(dead_at),
                          mutation.dead_secrets.size()));
  }
  if (!mutation.updated_secrets.empty()) {
    ArrayText digest, is_current, ends_at;
    for (const SecretRecord& secret : mutation.updated_secrets) {
      digest.Add(EncodeBytes(secret.digest.bytes()));
      is_current.Add(BoolText(secret.is_current));
      ends_at.Add(EncodeTime(secret.ends_at));
    }
    RETURN_IF_ERROR(
        Touch(sql::kUpdateSecrets,
              Params().Array(digest).Array(is_current).Array(ends_at),
              mutation.updated_secrets.size()));
  }
  if (mutation.inserted_secrets.empty()) return absl::OkStatus();
  ArrayText digest, version, token, is_current, ends_at;
  for (const NewSecret& added : mutation.inserted_secrets) {
    digest.Add(EncodeBytes(added.secret.digest.bytes()));
    version.Add(absl::StrCat(static_cast<int>(added.secret.version)));
    token.Add(EncodeId(added.token.token));
    is_current.Add(BoolText(added.secret.is_current));
    ends_at.Add(EncodeTime(added.secret.ends_at));
  }
  return Touch(sql::kInsertSecrets,
               Params()
                   .Array(digest)
                   .Array(version)
                   .Array(token)
                   .Array(is_current)
                   .Array(ends_at),
               mutation.inserted_secrets.size());
}

absl::StatusOr<CommitStamp> PostgresTokenTransaction::AppendChanges(
    const Mutation& mutation) {
  const std::vector<Change>& changes =
      mutation.changes.empty() ? Noop() : mutation.changes;
  int newest = 0;
  for (const Change& change : changes) {
    newest = std::max(newest, static_cast<int>(change.operation));
  }
  Params params;
  params.Int(static_cast<int64_t>(changes.size()));
  AddChanges(changes, params);
  AddAuditRecords(mutation.audit_records, params);
  ASSIGN_OR_RETURN(const Rows rows,
                   connection_.Execute(sql::kAppendChanges, params));
  FieldReader row = rows.Row(0);
  CommitStamp stamp;
  stamp.seq = row.Int();
  stamp.time = row.Time();
  stamp.timeline = std::string(row.Text());
  const bool has_replicas = !row.NextIsNull();
  const int64_t oldest = has_replicas ? row.Int() : newest;
  row.Skip();  // pg_notify() has no value.
  if (!has_replicas) row.Skip();
  RETURN_IF_ERROR(row.status());
  if (oldest < newest) {
    return MakeError(ErrorReason::kReplicaTooOld,
                     "a replica of an older version cannot follow this "
                     "change; finish the upgrade first",
                     {{"operation", absl::StrCat(newest)}});
  }
  return stamp;
}

}  // namespace wemasy::tokens
