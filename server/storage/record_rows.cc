#include "server/storage/record_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace wemasy::tokens {
namespace {

// Texts at most in one table of an EntryReader: there may be as many as tokens.
constexpr size_t kMaxKnown = 4096;

}  // namespace

TokenRecord ReadRecord(FieldReader& row) {
  TokenRecord record;
  record.name.token = row.Id();
  record.name.project = row.Project();
  record.display_name = std::string(row.Text());
  record.description = std::string(row.Text());
  record.scopes = ScopeSet(row.Array());
  record.metadata = row.Pairs();
  record.creator = std::string(row.Text());
  record.create_time = row.Time();
  record.expire_time = row.Time();
  if (row.NextIsNull()) {
    for (int i = 0; i < 4; ++i) row.Skip();
  } else {
    Revocation revocation;
    revocation.time = row.Time();
    revocation.revoker = std::string(row.Text());
    revocation.reason = static_cast<RevokeReason>(row.Int());
    revocation.comment = std::string(row.Text());
    record.revocation = std::move(revocation);
  }
  record.hint = std::string(row.Text());
  record.revision = row.Int();
  record.last_used_time = row.OptionalTime();
  record.old_secret_last_used_time = row.OptionalTime();
  record.old_secret_expire_time = row.OptionalTime();
  return record;
}

IndexEntry ReadEntry(FieldReader& row) {
  IndexEntry entry;
  entry.digest = row.Digest();
  entry.name.token = row.Id();
  entry.name.project = row.Project();
  entry.creator = std::string(row.Text());
  entry.scopes = ScopeSet(row.Array());
  entry.metadata = row.Pairs();
  entry.expire_time = row.Time();
  entry.is_old = row.Bool();
  entry.dead_at = row.OptionalTime();
  return entry;
}

template <typename T, typename Parse>
const T* EntryReader::Take(FieldReader& row, Known<T>& known,
                           std::deque<T>& passing, Parse parse) {
  const Field text = row.Peek();
  const auto found = text ? known.find(*text) : known.end();
  if (found != known.end()) {
    row.Skip();
    return &found->second;
  }
  T value = parse();
  if (text && known.size() < kMaxKnown) {
    return &known.emplace(*text, std::move(value)).first->second;
  }
  return &passing.emplace_back(std::move(value));
}

void EntryReader::Read(FieldReader& row, SharedEntry& entry) {
  entry.digest = row.Digest();
  entry.name.token = row.Id();
  entry.name.project = row.Project();
  const absl::string_view creator = row.Text();
  entry.creator.assign(creator.data(), creator.size());
  entry.scopes = Take(row, scopes_, passing_scopes_,
                      [&row] { return ScopeSet(row.Array()); });
  entry.metadata =
      Take(row, metadata_, passing_metadata_, [&row] { return row.Pairs(); });
  entry.expire_time = row.Time();
  entry.is_old = row.Bool();
  entry.dead_at = row.OptionalTime();
}

absl::StatusOr<absl::Span<const SharedEntry>> EntryReader::Read(
    const Rows& rows) {
  passing_scopes_.clear();
  passing_metadata_.clear();
  entries_.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader row = rows.Row(i, FieldFormat::kBinary);
    Read(row, entries_[i]);
    RETURN_IF_ERROR(row.status());
  }
  return entries_;
}

AuditRecord ReadAudit(FieldReader& row) {
  AuditRecord record;
  record.seq = row.Int();
  record.ordinal = static_cast<int>(row.Int());
  record.time = row.Time();
  record.action = static_cast<AuditAction>(row.Int());
  record.token.project = row.Project();
  record.token.token = row.Id();
  record.actor = std::string(row.Text());
  record.caller = std::string(row.Text());
  record.request_id = std::string(row.Text());
  record.details = row.Pairs();
  return record;
}

Params TokenRowArrays(const std::vector<TokenRecord>& records) {
  ArrayText id, project, display_name, description, scopes, metadata, creator,
      create_time, expire_time, revoke_time, revoker, revoke_reason,
      revoke_comment, hint, revision;
  for (const TokenRecord& record : records) {
    id.Add(EncodeId(record.name.token));
    project.Add(record.name.project.text());
    display_name.Add(record.display_name);
    description.Add(record.description);
    scopes.Add(EncodeScopes(record.scopes));
    metadata.Add(EncodePairs(record.metadata));
    creator.Add(record.creator);
    create_time.Add(EncodeTime(record.create_time));
    expire_time.Add(EncodeTime(record.expire_time));
    if (record.revocation) {
      const Revocation& revocation = *record.revocation;
      revoke_time.Add(EncodeTime(revocation.time));
      revoker.Add(revocation.revoker);
      revoke_reason.Add(absl::StrCat(static_cast<int>(revocation.reason)));
      revoke_comment.Add(revocation.comment);
    } else {
      revoke_time.AddNull();
      revoker.AddNull();
      revoke_reason.AddNull();
      revoke_comment.AddNull();
    }
    hint.Add(record.hint);
    revision.Add(absl::StrCat(record.revision));
  }
  Params params;
  for (const ArrayText* array :
       {&id, &project, &display_name, &description, &scopes, &metadata,
        &creator, &create_time, &expire_time, &revoke_time, &revoker,
        &revoke_reason, &revoke_comment, &hint, &revision}) {
    params.Array(*array);
  }
  return params;
}

}  // namespace wemasy::tokens
