#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/api/grpc/convert.h"
#include "server/lifecycle/token_lifecycle.h"

namespace wemasy::tokens {
namespace {

static_assert(static_cast<int>(AuditAction::kCreated) ==
              v1::AUDIT_ACTION_CREATED);
static_assert(static_cast<int>(AuditAction::kReissued) ==
              v1::AUDIT_ACTION_REISSUED);
static_assert(static_cast<int>(AuditAction::kUpdated) ==
              v1::AUDIT_ACTION_UPDATED);
static_assert(static_cast<int>(AuditAction::kRotated) ==
              v1::AUDIT_ACTION_ROTATED);
static_assert(static_cast<int>(AuditAction::kRevoked) ==
              v1::AUDIT_ACTION_REVOKED);
static_assert(static_cast<int>(AuditAction::kLeakRevoked) ==
              v1::AUDIT_ACTION_LEAK_REVOKED);
static_assert(v1::AuditAction_MAX == v1::AUDIT_ACTION_LEAK_REVOKED);

static_assert(static_cast<int>(LeakOutcome::Kind::kRevoked) ==
              v1::LEAKED_TOKEN_OUTCOME_REVOKED);
static_assert(static_cast<int>(LeakOutcome::Kind::kAlreadyRevoked) ==
              v1::LEAKED_TOKEN_OUTCOME_ALREADY_REVOKED);
static_assert(static_cast<int>(LeakOutcome::Kind::kReplaced) ==
              v1::LEAKED_TOKEN_OUTCOME_REPLACED);
static_assert(static_cast<int>(LeakOutcome::Kind::kUnknown) ==
              v1::LEAKED_TOKEN_OUTCOME_UNKNOWN);
static_assert(static_cast<int>(LeakOutcome::Kind::kMalformed) ==
              v1::LEAKED_TOKEN_OUTCOME_MALFORMED);
static_assert(v1::LeakedTokenOutcome_MAX == v1::LEAKED_TOKEN_OUTCOME_MALFORMED);

v1::TokenState StateToProto(TokenState state) {
  switch (state) {
    case TokenState::kActive:
      return v1::TOKEN_STATE_ACTIVE;
    case TokenState::kExpired:
      return v1::TOKEN_STATE_EXPIRED;
    case TokenState::kRevoked:
      return v1::TOKEN_STATE_REVOKED;
  }
  return v1::TOKEN_STATE_UNSPECIFIED;
}

void RevocationToProto(const Revocation& revocation, v1::Token* token) {
  ToProto(revocation.time, token->mutable_revoke_time());
  token->set_revoker(revocation.revoker);
  token->set_revoke_reason(static_cast<v1::RevokeReason>(revocation.reason));
  token->set_revoke_comment(revocation.comment);
}

}  // namespace

void ToProto(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void ToProto(absl::Duration duration, google::protobuf::Duration* message) {
  message->set_seconds(
      absl::IDivDuration(duration, absl::Seconds(1), &duration));
  message->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

void ToProto(const TokenView& view, v1::Token* token) {
  const TokenRecord& record = view.record;
  token->set_name(record.name.ToString());
  token->set_display_name(record.display_name);
  token->set_description(record.description);
  token->set_state(StateToProto(view.state));
  for (const std::string& scope : record.scopes.scopes()) {
    token->add_scopes(scope);
  }
  token->mutable_metadata()->insert(record.metadata.begin(),
                                    record.metadata.end());
  ToProto(record.create_time, token->mutable_create_time());
  token->set_creator(record.creator);
  if (record.expire_time != absl::InfiniteFuture()) {
    ToProto(record.expire_time, token->mutable_expire_time());
  }
  if (record.last_used_time) {
    ToProto(*record.last_used_time, token->mutable_last_used_time());
  }
  if (record.old_secret_last_used_time) {
    ToProto(*record.old_secret_last_used_time,
            token->mutable_old_secret_last_used_time());
  }
  if (record.old_secret_expire_time) {
    ToProto(*record.old_secret_expire_time,
            token->mutable_old_secret_expire_time());
  }
  if (record.revocation) RevocationToProto(*record.revocation, token);
  token->set_hint(record.hint);
  token->set_etag(EtagOf(record));
}

void ToProto(const Receipt& receipt, v1::RevocationReceipt* message) {
  ToProto(receipt.confirm_time, message->mutable_confirm_time());
  message->set_change_number(receipt.change_number);
  message->set_acknowledged_replicas(receipt.acknowledged_replicas);
  message->set_gone_replicas(receipt.gone_replicas);
  message->set_expired_replicas(receipt.expired_replicas);
}

void ToProto(const AuditRecord& record, v1::AuditEvent* event) {
  event->set_name(absl::StrCat(record.token.project.Name(), "/auditEvents/",
                               record.seq, "-", record.ordinal));
  ToProto(record.time, event->mutable_event_time());
  event->set_action(static_cast<v1::AuditAction>(record.action));
  event->set_token(record.token.ToString());
  event->set_actor(record.actor);
  event->set_caller(record.caller);
  event->set_request_id(record.request_id);
  event->mutable_details()->insert(record.details.begin(),
                                   record.details.end());
}

void ToProto(const LeakResult& result,
             v1::RevokeLeakedTokensResponse* response) {
  response->mutable_results()->Reserve(
      static_cast<int>(result.outcomes.size()));
  for (const LeakOutcome& outcome : result.outcomes) {
    v1::LeakedTokenResult* out = response->add_results();
    out->set_outcome(static_cast<v1::LeakedTokenOutcome>(outcome.kind));
    if (outcome.name) out->set_name(outcome.name->ToString());
  }
  if (result.receipt) ToProto(*result.receipt, response->mutable_receipt());
}

}  // namespace wemasy::tokens
