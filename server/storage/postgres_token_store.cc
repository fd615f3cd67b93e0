#include "server/storage/postgres_token_store.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/postgres_token_transaction.h"
#include "server/storage/record_rows.h"

namespace wemasy::tokens {
namespace {

// A page with a filter looks at this many tokens for each that it may have.
constexpr int64_t kScanFactor = 10;

// Before everything, newest first.
constexpr absl::string_view kMaxId = "ffffffffffffffffffffffffffffffff";

bool HasFilter(const TokenFilter& filter) {
  return filter.state || filter.creator || filter.unused_since ||
         filter.expires_before;
}

int StateParameter(const TokenFilter& filter) {
  if (!filter.state) return 0;
  switch (*filter.state) {
    case TokenState::kActive:
      return 1;
    case TokenState::kExpired:
      return 2;
    case TokenState::kRevoked:
      return 3;
  }
  return 0;
}

// Lists in `stamp` whom the commit of `connection` has to reach; nobody if its
// session did not live long enough to tell.
void ListReplicas(PostgresConnection& connection, CommitStamp& stamp) {
  const absl::StatusOr<Rows> rows = connection.Execute(sql::kListReplicas);
  // The commit stands: nobody shall run the transaction again.
  connection.ClearFailure();
  if (!rows.ok()) return;
  std::vector<std::string> ids;
  for (size_t i = 0; i < rows->size(); ++i) {
    FieldReader row = rows->Row(i);
    ids.emplace_back(row.Text());
    const absl::Duration ttl = absl::Milliseconds(row.Int());
    if (!row.status().ok()) return;
    stamp.longest_ttl = std::max(stamp.longest_ttl, ttl);
  }
  stamp.replicas = std::move(ids);
}

Params ListParams(const TokenQuery& query, int64_t scan) {
  Params params;
  params.Time(query.after ? query.after->create_time : absl::InfiniteFuture());
  if (query.after) {
    params.Id(query.after->token);
  } else {
    params.Text(kMaxId);
  }
  params.Int(scan).Int(query.page_size + 1).Int(StateParameter(query.filter));
  params.OptionalText(query.filter.creator)
      .OptionalTime(query.filter.unused_since)
      .OptionalTime(query.filter.expires_before);
  query.project ? params.Text(query.project->text()) : params.Null();
  return params;
}

absl::Status ReadPage(const Rows& rows, int page_size, TokenPage& page) {
  for (size_t i = 0; i < rows.size(); ++i) {
    FieldReader row = rows.Row(i);
    page.now = row.Time();
    if (row.NextIsNull()) return absl::OkStatus();
    TokenPageKey end;
    end.create_time = row.Time();
    end.token = row.Id();
    if (row.Bool()) page.next = end;
    if (row.NextIsNull()) return absl::OkStatus();
    page.tokens.push_back(ReadRecord(row));
    RETURN_IF_ERROR(row.status());
  }
  if (page.tokens.size() > static_cast<size_t>(page_size)) {
    page.tokens.pop_back();
    const TokenRecord& last = page.tokens.back();
    page.next = TokenPageKey{last.create_time, last.name.token};
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommitStamp> PostgresTokenStore::Transact(
    BootTime deadline,
    absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)> body) {
  CommitStamp stamp;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        RETURN_IF_ERROR(
            connection.Begin(PostgresConnection::Isolation::kReadCommitted));
        PostgresTokenTransaction transaction(&connection);
        ASSIGN_OR_RETURN(const Mutation mutation, body(transaction));
        const BootTime sent_at = pool_.clock().Now();
        ASSIGN_OR_RETURN(stamp, transaction.Write(mutation));
        RETURN_IF_ERROR(connection.Commit());
        stamp.sent_at = sent_at;
        stamp.returned_at = pool_.clock().Now();
        ListReplicas(connection, stamp);
        return absl::OkStatus();
      }));
  return stamp;
}

absl::StatusOr<FoundToken> PostgresTokenStore::Find(const TokenName& name,
                                                    BootTime deadline) {
  FoundToken found;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        ASSIGN_OR_RETURN(
            const Rows rows,
            connection.Execute(
                sql::kFindToken,
                Params().Id(name.token).Text(name.project.text())));
        FieldReader row = rows.Row(0);
        found.now = row.Time();
        if (row.NextIsNull()) return absl::OkStatus();
        found.token = ReadRecord(row);
        return row.status();
      }));
  return found;
}

absl::StatusOr<TokenPage> PostgresTokenStore::List(const TokenQuery& query,
                                                   BootTime deadline) {
  const int64_t scan =
      query.page_size * (HasFilter(query.filter) ? kScanFactor : int64_t{1});
  const Params params = ListParams(query, scan);
  TokenPage page;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        page = TokenPage();
        ASSIGN_OR_RETURN(const Rows rows,
                         connection.Execute(query.project ? sql::kListTokens
                                                          : sql::kListAllTokens,
                                            params));
        return ReadPage(rows, query.page_size, page);
      }));
  return page;
}

absl::StatusOr<AuditPage> PostgresTokenStore::ListAudit(const AuditQuery& query,
                                                        BootTime deadline) {
  Params params;
  query.project ? params.Text(query.project->text()) : params.Null();
  // Numbers start at 1.
  params.Int(query.after ? query.after->seq : 0)
      .Int(query.after ? query.after->ordinal : 0)
      .Time(query.start_time.value_or(absl::InfinitePast()))
      .Int(query.page_size + 1);
  AuditPage page;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        page = AuditPage();
        ASSIGN_OR_RETURN(
            const Rows rows,
            connection.Execute(
                query.project ? sql::kListAudit : sql::kListAllAudit, params));
        for (size_t i = 0; i < rows.size(); ++i) {
          FieldReader row = rows.Row(i);
          page.records.push_back(ReadAudit(row));
          RETURN_IF_ERROR(row.status());
        }
        return absl::OkStatus();
      }));
  page.has_more = page.records.size() > static_cast<size_t>(query.page_size);
  if (page.has_more) page.records.pop_back();
  return page;
}

absl::StatusOr<Secret> PostgresTokenStore::SealingKey(BootTime deadline) {
  Secret key;
  RETURN_IF_ERROR(
      pool_.Run(deadline, [&](PostgresConnection& connection) -> absl::Status {
        ASSIGN_OR_RETURN(const Rows rows,
                         connection.Execute(sql::kReadSealingKey));
        if (rows.empty()) return PublicStatus(FailureKind::kInternal);
        FieldReader row = rows.Row(0);
        std::string bytes = row.Bytes();
        key = Secret(bytes);
        WipeMemory(&bytes[0], bytes.size());
        return row.status();
      }));
  return key;
}

}  // namespace wemasy::tokens
