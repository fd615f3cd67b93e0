// Reading, and what all methods share.
#include "server/lifecycle/token_lifecycle.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/lifecycle/field_rules.h"
#include "server/lifecycle/filter.h"
#include "server/lifecycle/mutations.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// What is kept of a caller's time for the answer's way back.
constexpr absl::Duration kMaxReplyReserve = absl::Milliseconds(100);
constexpr int kReplyReserveDivisor = 5;

// When an answer must leave, so that its detail reaches the caller before the
// caller's own clock ends the call.
BootTime ReplyDeadline(BootTime deadline, BootTime now) {
  if (deadline == BootTime::InfiniteFuture()) return deadline;
  return deadline - std::min(kMaxReplyReserve,
                             std::max(absl::ZeroDuration(), deadline - now) /
                                 kReplyReserveDivisor);
}

// What a page may weigh at most: clients refuse messages of more than 4 MiB.
constexpr size_t kMaxPageBytes = size_t{2} << 20;

// About what a token weighs in a reply: its texts, and room for the rest.
size_t WeightOf(const TokenRecord& record) {
  size_t weight = 512 + record.display_name.size() + record.description.size() +
                  record.creator.size();
  for (const std::string& scope : record.scopes.scopes()) {
    weight += scope.size() + 4;
  }
  for (const auto& [key, value] : record.metadata) {
    weight += key.size() + value.size() + 8;
  }
  if (record.revocation) weight += record.revocation->comment.size();
  return weight;
}

// Leaves no more on a page than it may weigh, but always one token.
void TrimPage(TokenPage& page) {
  size_t weight = 0;
  for (size_t i = 0; i < page.tokens.size(); ++i) {
    weight += WeightOf(page.tokens[i]);
    if (weight <= kMaxPageBytes || i == 0) continue;
    page.tokens.resize(i);
    const TokenRecord& last = page.tokens.back();
    page.next = TokenPageKey{last.create_time, last.name.token};
    return;
  }
}

std::string TokenListing(const ListRequest& request) {
  return absl::StrCat("tokens\n", request.parent, "\n", request.filter);
}

std::string AuditListing(const AuditRequest& request) {
  return absl::StrCat("audit\n", request.parent);
}

}  // namespace

TokenLifecycle::TokenLifecycle(TokenStore* store, ChangeBarrier* barrier,
                               const MetadataRoom* metadata_room,
                               const BootClock* clock, RandomSource* random,
                               LifecycleLimits limits)
    : store_(*store),
      barrier_(*barrier),
      metadata_room_(*metadata_room),
      clock_(*clock),
      random_(*random),
      limits_(limits) {}

absl::StatusOr<TokenView> TokenLifecycle::Get(const CallContext& context,
                                              absl::string_view name) {
  FieldViolations violations;
  const TokenName token = ParseTokenName(violations, "name", name);
  RETURN_IF_ERROR(violations.ToStatus());
  ASSIGN_OR_RETURN(FoundToken found, store_.Find(token, context.deadline));
  if (!found.token) return TokenNotFound(token);
  const TokenState state = StateAt(*found.token, found.now);
  return TokenView{*std::move(found.token), state};
}

absl::StatusOr<TokenViewPage> TokenLifecycle::List(const CallContext& context,
                                                   const ListRequest& request) {
  FieldViolations violations;
  TokenQuery query;
  query.project = ParseProjectOrAll(violations, "parent", request.parent);
  query.page_size = ParsePageSize(violations, "page_size", request.page_size);
  query.filter = ParseFilter(violations, request.filter);
  RETURN_IF_ERROR(violations.ToStatus());

  const std::string listing = TokenListing(request);
  ASSIGN_OR_RETURN(const auto page_tokens, GetPageTokens(context.deadline));
  if (!request.page_token.empty()) {
    ASSIGN_OR_RETURN(query.after,
                     page_tokens->ReadTokenKey(request.page_token, listing));
  }
  ASSIGN_OR_RETURN(TokenPage page, store_.List(query, context.deadline));
  TrimPage(page);

  TokenViewPage result;
  for (TokenRecord& record : page.tokens) {
    const TokenState state = StateAt(record, page.now);
    result.tokens.push_back({std::move(record), state});
  }
  if (page.next)
    result.next_page_token = page_tokens->Make(*page.next, listing);
  return result;
}

absl::StatusOr<AuditView> TokenLifecycle::ListAudit(
    const CallContext& context, const AuditRequest& request) {
  FieldViolations violations;
  AuditQuery query;
  query.project = ParseProjectOrAll(violations, "parent", request.parent);
  query.page_size = ParsePageSize(violations, "page_size", request.page_size);
  query.start_time = request.start_time;
  RETURN_IF_ERROR(violations.ToStatus());

  const std::string listing = AuditListing(request);
  ASSIGN_OR_RETURN(const auto page_tokens, GetPageTokens(context.deadline));
  AuditPageKey last;
  if (!request.page_token.empty()) {
    ASSIGN_OR_RETURN(last,
                     page_tokens->ReadAuditKey(request.page_token, listing));
    query.after = last;
  }
  ASSIGN_OR_RETURN(AuditPage page, store_.ListAudit(query, context.deadline));

  AuditView view;
  view.records = std::move(page.records);
  if (!view.records.empty()) {
    last = {view.records.back().seq, view.records.back().ordinal};
  }
  view.resume_token = page_tokens->Make(last, listing);
  if (page.has_more) view.next_page_token = view.resume_token;
  return view;
}

absl::StatusOr<Receipt> TokenLifecycle::Commit(const CallContext& context,
                                               Body body, ErrorKeys error_keys,
                                               HasEffect has_effect) {
  const BootTime deadline = ReplyDeadline(context.deadline, clock_.Now());
  ASSIGN_OR_RETURN(const CommitStamp stamp, store_.Transact(deadline, body));
  if (!has_effect()) return Receipt{};
  const absl::StatusOr<BarrierReceipt> waited =
      barrier_.Await(stamp, {deadline, context.is_cancelled});
  if (!waited.ok()) {
    return MakeError(ErrorReason::kChangeUnconfirmed,
                     absl::StrCat("the change is durable, but not yet "
                                  "confirmed in effect everywhere: ",
                                  waited.status().message(),
                                  "; repeat the call to wait again"),
                     error_keys());
  }
  Receipt receipt;
  receipt.change_number = stamp.seq;
  // Never before it was confirmed, as it says since when access logs may show
  // no more uses.
  receipt.confirm_time = stamp.time + (clock_.Now() - stamp.sent_at);
  receipt.acknowledged_replicas = waited->acknowledged_replicas;
  receipt.gone_replicas = waited->gone_replicas;
  receipt.expired_replicas = waited->expired_replicas;
  return receipt;
}

absl::StatusOr<std::shared_ptr<const PageTokens>> TokenLifecycle::GetPageTokens(
    BootTime deadline) {
  {
    MutexLock lock(&mutex_);
    if (page_tokens_ != nullptr) return page_tokens_;
  }
  ASSIGN_OR_RETURN(Secret key, store_.SealingKey(deadline));
  ASSIGN_OR_RETURN(Sealer sealer, Sealer::Create(std::move(key), &random_));
  MutexLock lock(&mutex_);
  page_tokens_ = std::make_shared<const PageTokens>(std::move(sealer));
  return page_tokens_;
}

std::string EtagOf(const TokenRecord& record) {
  return absl::StrCat("\"", record.revision, "\"");
}

}  // namespace wemasy::tokens
