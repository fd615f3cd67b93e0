#include "tests/support/fake_token_store.h"

#include <algorithm>

#include "common/status_macros.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

constexpr int kScanFactor = 10;

bool HasFilter(const TokenFilter& filter) {
  return filter.state || filter.creator || filter.unused_since ||
         filter.expires_before;
}

// Newest first.
bool Precedes(const TokenPageKey& a, const TokenPageKey& b) {
  if (a.create_time != b.create_time) return a.create_time > b.create_time;
  return b.token < a.token;
}

TokenPageKey KeyOf(const TokenRecord& record) {
  return {record.create_time, record.name.token};
}

}  // namespace

absl::Status FakeTokenStore::StartCall(BootTime deadline) {
  if (!next_call_.ok()) return std::exchange(next_call_, absl::OkStatus());
  if (clock_->Now() < deadline) return absl::OkStatus();
  return MakeError(ErrorReason::kDeadlineTooShort, "the deadline is past");
}

absl::StatusOr<CommitStamp> FakeTokenStore::Transact(
    BootTime deadline,
    absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)> body) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(StartCall(deadline));
  for (; repeats_ > 0; --repeats_) {
    FakeTokenTables lost = tables_;
    FakeTokenTransaction transaction(&lost, now_);
    RETURN_IF_ERROR(body(transaction).status());
  }
  FakeTokenTables tables = tables_;
  FakeTokenTransaction transaction(&tables, now_);
  ASSIGN_OR_RETURN(const Mutation mutation, body(transaction));
  RETURN_IF_ERROR(transaction.Write(mutation));
  return Commit(std::move(tables), mutation);
}

absl::StatusOr<CommitStamp> FakeTokenStore::Commit(FakeTokenTables tables,
                                                   const Mutation& mutation) {
  std::vector<Change> changes = mutation.changes;
  if (changes.empty()) changes.emplace_back();
  for (Change& change : changes) {
    if (static_cast<int>(change.operation) > oldest_replica_operation_) {
      return MakeError(
          ErrorReason::kReplicaTooOld, "a replica is too old",
          {{"operation", std::to_string(static_cast<int>(change.operation))}});
    }
    change.seq = static_cast<int64_t>(tables.changes.size()) + 1;
    tables.changes.push_back(change);
  }
  CommitStamp stamp;
  stamp.seq = static_cast<int64_t>(tables.changes.size());
  stamp.time = now_;
  stamp.sent_at = clock_->Now();
  stamp.timeline = "00000001";
  stamp.replicas = replicas_;
  int ordinal = 0;
  for (AuditRecord record : mutation.audit_records) {
    record.seq = stamp.seq;
    record.ordinal = ordinal++;
    record.time = now_;
    tables.audit.push_back(std::move(record));
  }
  const absl::Status status = std::exchange(next_commit_, absl::OkStatus());
  if (status.ok() || next_commit_applies_) {
    tables_ = std::move(tables);
    if (on_commit_) on_commit_(changes);
  }
  if (!status.ok()) return status;
  stamp.returned_at = clock_->Now();
  return stamp;
}

bool FakeTokenStore::Matches(const TokenRecord& record,
                             const TokenFilter& filter) const {
  if (filter.state && StateAt(record, now_) != *filter.state) return false;
  if (filter.creator && record.creator != *filter.creator) return false;
  if (filter.unused_since && record.last_used_time.value_or(
                                 record.create_time) >= *filter.unused_since) {
    return false;
  }
  return !filter.expires_before || record.expire_time < *filter.expires_before;
}

absl::StatusOr<FoundToken> FakeTokenStore::Find(const TokenName& name,
                                                BootTime deadline) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(StartCall(deadline));
  FoundToken result;
  result.now = now_;
  const auto found = tables_.tokens.find(name.token);
  if (found != tables_.tokens.end() && found->second.name == name) {
    result.token = tables_.Complete(found->second, now_);
  }
  return result;
}

absl::StatusOr<TokenPage> FakeTokenStore::List(const TokenQuery& query,
                                               BootTime deadline) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(StartCall(deadline));
  std::vector<TokenRecord> all;
  for (const auto& [id, record] : tables_.tokens) {
    if (query.project && record.name.project != *query.project) continue;
    if (query.after && !Precedes(*query.after, KeyOf(record))) continue;
    all.push_back(tables_.Complete(record, now_));
  }
  std::sort(all.begin(), all.end(),
            [](const TokenRecord& a, const TokenRecord& b) {
              return Precedes(KeyOf(a), KeyOf(b));
            });
  const auto page_size = static_cast<size_t>(query.page_size);
  const size_t scan =
      HasFilter(query.filter) ? kScanFactor * page_size : page_size;
  TokenPage page;
  page.now = now_;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool matches = i < scan && Matches(all[i], query.filter);
    if (i == scan || (matches && page.tokens.size() == page_size)) {
      page.next = i == scan ? KeyOf(all[i - 1]) : KeyOf(page.tokens.back());
      break;
    }
    if (matches) page.tokens.push_back(all[i]);
  }
  return page;
}

absl::StatusOr<AuditPage> FakeTokenStore::ListAudit(const AuditQuery& query,
                                                    BootTime deadline) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(StartCall(deadline));
  AuditPage page;
  for (const AuditRecord& record : tables_.audit) {
    const std::pair key(record.seq, record.ordinal);
    if (query.project && record.token.project != *query.project) continue;
    if (query.start_time && record.time < *query.start_time) continue;
    if (query.after && key <= std::pair(query.after->seq, query.after->ordinal))
      continue;
    if (page.records.size() == static_cast<size_t>(query.page_size)) {
      page.has_more = true;
      break;
    }
    page.records.push_back(record);
  }
  return page;
}

absl::StatusOr<Secret> FakeTokenStore::SealingKey(BootTime deadline) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(StartCall(deadline));
  return Secret("0123456789abcdef0123456789abcdef");
}

absl::Time FakeTokenStore::now() const {
  MutexLock lock(&mutex_);
  return now_;
}

void FakeTokenStore::AdvanceTime(absl::Duration d) {
  MutexLock lock(&mutex_);
  now_ += d;
}

std::vector<Change> FakeTokenStore::changes() const {
  MutexLock lock(&mutex_);
  return tables_.changes;
}

void FakeTokenStore::set_on_commit(
    std::function<void(const std::vector<Change>&)> hook) {
  MutexLock lock(&mutex_);
  on_commit_ = std::move(hook);
}

void FakeTokenStore::FailNextCall(absl::Status status) {
  MutexLock lock(&mutex_);
  next_call_ = std::move(status);
}

void FakeTokenStore::FailNextCommit(absl::Status status, bool applies) {
  MutexLock lock(&mutex_);
  next_commit_ = std::move(status);
  next_commit_applies_ = applies;
}

void FakeTokenStore::RepeatNextTransaction(int times) {
  MutexLock lock(&mutex_);
  repeats_ = times;
}

void FakeTokenStore::set_oldest_replica_operation(int operation) {
  MutexLock lock(&mutex_);
  oldest_replica_operation_ = operation;
}

void FakeTokenStore::set_replicas(
    absl::optional<std::vector<std::string>> ids) {
  MutexLock lock(&mutex_);
  replicas_ = std::move(ids);
}

void FakeTokenStore::SetLastUsed(const TokenId& token, absl::Time time,
                                 absl::optional<absl::Time> old_secret_time) {
  MutexLock lock(&mutex_);
  tables_.usage[token] = {time, old_secret_time};
}

}  // namespace wemasy::tokens
