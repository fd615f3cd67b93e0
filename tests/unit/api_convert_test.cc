#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "server/api/grpc/convert.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

using ::google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;

// The fields that a status complains about.
template <typename T>
std::vector<std::string> FieldsAtFault(const absl::StatusOr<T>& result) {
  std::vector<std::string> fields;
  const auto detail = GetErrorDetail(result.status());
  if (!detail) return {"none"};
  EXPECT_EQ(detail->reason, ErrorReason::kFieldInvalid);
  for (const auto& violation : detail->violations) {
    fields.push_back(violation.field);
  }
  return fields;
}

TokenRecord SomeRecord() {
  TokenRecord record;
  record.name = {*ProjectId::Parse("shop"), TokenId()};
  record.display_name = "CI";
  record.description = "deploys";
  record.scopes = ScopeSet({"write", "read"});
  record.metadata = {{"team", "a"}};
  record.creator = "user-1";
  record.create_time = absl::FromUnixMicros(1'700'000'000'123'456);
  record.hint = "x3Fk";
  record.revision = 7;
  return record;
}

TEST(ConvertTest, ReadsACreation) {
  v1::CreateTokenRequest request;
  request.set_parent("projects/shop");
  request.set_actor("user-1");
  request.set_request_id("id");
  v1::Token& token = *request.mutable_token();
  token.set_display_name("CI");
  token.set_description("deploys");
  token.add_scopes("read");
  token.add_scopes("read");
  (*token.mutable_metadata())["team"] = "a";
  // What only the service sets is ignored.
  token.set_creator("somebody");
  token.set_state(v1::TOKEN_STATE_REVOKED);
  const auto create = FromProto(request);
  ASSERT_TRUE(create.ok()) << create.status();
  EXPECT_EQ(create->parent, "projects/shop");
  EXPECT_EQ(create->display_name, "CI");
  EXPECT_EQ(create->description, "deploys");
  EXPECT_THAT(create->scopes, ElementsAre("read", "read"));
  EXPECT_EQ(create->metadata, (Metadata{{"team", "a"}}));
  EXPECT_EQ(create->actor, "user-1");
  EXPECT_EQ(create->request_id, "id");
  EXPECT_EQ(create->expire_time, absl::nullopt);

  *token.mutable_expire_time() =
      TimeUtil::NanosecondsToTimestamp(1'700'000'000'123'456'789);
  EXPECT_EQ(*FromProto(request)->expire_time,
            absl::FromUnixNanos(1'700'000'000'123'456'789));
}

TEST(ConvertTest, MissingTokenIsAFault) {
  EXPECT_THAT(FieldsAtFault(FromProto(v1::CreateTokenRequest())),
              ElementsAre("token"));
  EXPECT_THAT(FieldsAtFault(FromProto(v1::UpdateTokenRequest())),
              ElementsAre("token"));
}

struct TimestampRow {
  int64_t seconds;
  int32_t nanos;
  bool is_valid;
};

TEST(ConvertTest, ChecksTimestamps) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  for (const TimestampRow& row :
       {TimestampRow{0, 0, true}, TimestampRow{-62135596800, 0, true},
        TimestampRow{253402300799, 999'999'999, true},
        TimestampRow{-62135596801, 0, false},
        TimestampRow{253402300800, 0, false}, TimestampRow{kMax, 0, false},
        TimestampRow{kMin, 0, false}, TimestampRow{0, -1, false},
        TimestampRow{0, 1'000'000'000, false},
        TimestampRow{0, std::numeric_limits<int32_t>::min(), false}}) {
    SCOPED_TRACE(absl::StrCat(row.seconds, "s ", row.nanos, "ns"));
    v1::CreateTokenRequest create;
    create.mutable_token()->mutable_expire_time()->set_seconds(row.seconds);
    create.mutable_token()->mutable_expire_time()->set_nanos(row.nanos);
    EXPECT_EQ(FromProto(create).ok(), row.is_valid);
    v1::ListAuditEventsRequest audit;
    *audit.mutable_start_time() = create.token().expire_time();
    EXPECT_EQ(FromProto(audit).ok(), row.is_valid);
    if (row.is_valid) continue;
    EXPECT_THAT(FieldsAtFault(FromProto(create)),
                ElementsAre("token.expire_time"));
    EXPECT_THAT(FieldsAtFault(FromProto(audit)), ElementsAre("start_time"));
  }
}

TEST(ConvertTest, ChecksDurations) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const TimestampRow& row :
       {TimestampRow{0, 0, true}, TimestampRow{3600, 5, true},
        TimestampRow{-1, -1, true}, TimestampRow{0, -1, true},
        TimestampRow{1, -1, false}, TimestampRow{-1, 1, false},
        TimestampRow{kMax, 0, false}, TimestampRow{-kMax, 0, false},
        TimestampRow{0, 1'000'000'000, false}}) {
    SCOPED_TRACE(absl::StrCat(row.seconds, "s ", row.nanos, "ns"));
    v1::RotateTokenRequest request;
    request.mutable_grace_period()->set_seconds(row.seconds);
    request.mutable_grace_period()->set_nanos(row.nanos);
    const auto rotate = FromProto(request);
    EXPECT_EQ(rotate.ok(), row.is_valid);
    if (row.is_valid) {
      EXPECT_EQ(rotate->grace_period,
                absl::Seconds(row.seconds) + absl::Nanoseconds(row.nanos));
    } else {
      EXPECT_THAT(FieldsAtFault(rotate), ElementsAre("grace_period"));
    }
  }
}

TEST(ConvertTest, RefusesAnUnknownRevokeReason) {
  v1::RevokeTokenRequest request;
  for (int reason = 0; reason <= v1::RevokeReason_MAX; ++reason) {
    request.set_reason(static_cast<v1::RevokeReason>(reason));
    ASSERT_TRUE(FromProto(request).ok());
    EXPECT_EQ(static_cast<int>(FromProto(request)->reason), reason);
  }
  for (const int reason : {-1, v1::RevokeReason_MAX + 1}) {
    request.set_reason(static_cast<v1::RevokeReason>(reason));
    EXPECT_THAT(FieldsAtFault(FromProto(request)), ElementsAre("reason"));
  }
}

TEST(ConvertTest, ReadsAnUpdate) {
  v1::UpdateTokenRequest request;
  request.set_actor("user-1");
  v1::Token& token = *request.mutable_token();
  token.set_name("projects/shop/tokens/t");
  token.set_etag("\"7\"");
  token.set_display_name("CI");
  request.mutable_update_mask()->add_paths("expire_time");
  request.mutable_update_mask()->add_paths("scopes");
  const auto update = FromProto(request);
  ASSERT_TRUE(update.ok());
  EXPECT_EQ(update->name, "projects/shop/tokens/t");
  EXPECT_EQ(update->etag, "\"7\"");
  EXPECT_EQ(update->actor, "user-1");
  EXPECT_EQ(update->display_name, absl::nullopt);
  ASSERT_TRUE(update->scopes.has_value());
  EXPECT_TRUE(update->scopes->empty());
  // In the mask and absent: never.
  EXPECT_EQ(update->expire_time, absl::InfiniteFuture());
  EXPECT_EQ(update->metadata, absl::nullopt);
}

TEST(ConvertTest, ReadsLeaks) {
  v1::RevokeLeakedTokensRequest request;
  request.set_actor("github");
  request.add_leaked_tokens()->set_secret("wmsy_x");
  request.mutable_leaked_tokens(0)->set_source("github");
  request.mutable_leaked_tokens(0)->set_url("https://example.com/");
  request.add_leaked_tokens()->set_secret_sha256("\x01\xff");
  request.add_leaked_tokens();
  const LeakRequest leaks = FromProto(request);
  ASSERT_EQ(leaks.leaked.size(), 3u);
  EXPECT_EQ(leaks.leaked[0].kind, LeakEvidence::Kind::kSecret);
  EXPECT_EQ(leaks.leaked[0].secret.Reveal(), "wmsy_x");
  EXPECT_EQ(leaks.leaked[0].source, "github");
  EXPECT_EQ(leaks.leaked[0].url, "https://example.com/");
  EXPECT_EQ(leaks.leaked[1].kind, LeakEvidence::Kind::kSha256);
  EXPECT_EQ(leaks.leaked[1].sha256, "\x01\xff");
  EXPECT_EQ(leaks.leaked[2].kind, LeakEvidence::Kind::kNone);
}

TEST(ConvertTest, WritesAToken) {
  TokenView view;
  view.record = SomeRecord();
  v1::Token token;
  ToProto(view, &token);
  EXPECT_EQ(token.name(), view.record.name.ToString());
  EXPECT_EQ(token.display_name(), "CI");
  EXPECT_EQ(token.description(), "deploys");
  EXPECT_EQ(token.state(), v1::TOKEN_STATE_ACTIVE);
  EXPECT_THAT(token.scopes(), ElementsAre("read", "write"));
  EXPECT_EQ(token.metadata().at("team"), "a");
  EXPECT_EQ(TimeUtil::TimestampToMicroseconds(token.create_time()),
            1'700'000'000'123'456);
  EXPECT_EQ(token.creator(), "user-1");
  EXPECT_EQ(token.hint(), "x3Fk");
  EXPECT_EQ(token.etag(), "\"7\"");
  EXPECT_FALSE(token.has_expire_time());
  EXPECT_FALSE(token.has_last_used_time());
  EXPECT_FALSE(token.has_old_secret_last_used_time());
  EXPECT_FALSE(token.has_old_secret_expire_time());
  EXPECT_FALSE(token.has_revoke_time());
  EXPECT_EQ(token.revoke_reason(), v1::REVOKE_REASON_UNSPECIFIED);
}

TEST(ConvertTest, WritesARevokedToken) {
  TokenView view;
  view.record = SomeRecord();
  view.state = TokenState::kRevoked;
  view.record.expire_time = absl::FromUnixSeconds(10);
  view.record.last_used_time = absl::FromUnixSeconds(20);
  view.record.old_secret_last_used_time = absl::FromUnixSeconds(30);
  view.record.old_secret_expire_time = absl::FromUnixSeconds(40);
  view.record.revocation = Revocation{absl::FromUnixSeconds(50), "user-2",
                                      RevokeReason::kOffboarded, "left"};
  v1::Token token;
  ToProto(view, &token);
  EXPECT_EQ(token.state(), v1::TOKEN_STATE_REVOKED);
  EXPECT_EQ(token.expire_time().seconds(), 10);
  EXPECT_EQ(token.last_used_time().seconds(), 20);
  EXPECT_EQ(token.old_secret_last_used_time().seconds(), 30);
  EXPECT_EQ(token.old_secret_expire_time().seconds(), 40);
  EXPECT_EQ(token.revoke_time().seconds(), 50);
  EXPECT_EQ(token.revoker(), "user-2");
  EXPECT_EQ(token.revoke_reason(), v1::REVOKE_REASON_OFFBOARDED);
  EXPECT_EQ(token.revoke_comment(), "left");
}

// A field added to the contract must be written, or be named here.
TEST(ConvertTest, WritesEveryFieldOfAToken) {
  TokenView view;
  view.record = SomeRecord();
  view.state = TokenState::kExpired;
  const absl::Time time = absl::FromUnixSeconds(1);
  view.record.expire_time = time;
  view.record.last_used_time = time;
  view.record.old_secret_last_used_time = time;
  view.record.old_secret_expire_time = time;
  view.record.revocation = Revocation{time, "u", RevokeReason::kOther, "c"};
  v1::Token token;
  ToProto(view, &token);
  std::vector<const google::protobuf::FieldDescriptor*> set;
  token.GetReflection()->ListFields(token, &set);
  EXPECT_EQ(static_cast<int>(set.size()),
            v1::Token::descriptor()->field_count());
}

TEST(ConvertTest, WritesTimesBeforeTheEpoch) {
  google::protobuf::Timestamp timestamp;
  ToProto(absl::FromUnixNanos(-1), &timestamp);
  EXPECT_EQ(timestamp.seconds(), -1);
  EXPECT_EQ(timestamp.nanos(), 999'999'999);
}

TEST(ConvertTest, WritesAnAuditEvent) {
  AuditRecord record;
  record.seq = 42;
  record.ordinal = 3;
  record.time = absl::FromUnixSeconds(5);
  record.action = AuditAction::kLeakRevoked;
  record.token = SomeRecord().name;
  record.actor = "user-1";
  record.caller = "spiffe://wemasy.local/backend";
  record.request_id = "id";
  record.details = {{"reason", "OTHER"}};
  v1::AuditEvent event;
  ToProto(record, &event);
  EXPECT_EQ(event.name(), "projects/shop/auditEvents/42-3");
  EXPECT_EQ(event.event_time().seconds(), 5);
  EXPECT_EQ(event.action(), v1::AUDIT_ACTION_LEAK_REVOKED);
  EXPECT_EQ(event.token(), record.token.ToString());
  EXPECT_EQ(event.actor(), "user-1");
  EXPECT_EQ(event.caller(), "spiffe://wemasy.local/backend");
  EXPECT_EQ(event.request_id(), "id");
  EXPECT_EQ(event.details().at("reason"), "OTHER");
}

TEST(ConvertTest, WritesLeakResults) {
  LeakResult result;
  result.outcomes.resize(2);
  result.outcomes[0].kind = LeakOutcome::Kind::kRevoked;
  result.outcomes[0].name = SomeRecord().name;
  result.outcomes[1].kind = LeakOutcome::Kind::kMalformed;
  v1::RevokeLeakedTokensResponse response;
  ToProto(result, &response);
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).outcome(), v1::LEAKED_TOKEN_OUTCOME_REVOKED);
  EXPECT_EQ(response.results(0).name(), SomeRecord().name.ToString());
  EXPECT_EQ(response.results(1).outcome(), v1::LEAKED_TOKEN_OUTCOME_MALFORMED);
  EXPECT_EQ(response.results(1).name(), "");
  EXPECT_FALSE(response.has_receipt());

  result.receipt = Receipt{absl::FromUnixSeconds(1), 9, 2, 3, 4};
  ToProto(result, &response);
  EXPECT_EQ(response.receipt().change_number(), 9);
  EXPECT_EQ(response.receipt().acknowledged_replicas(), 2);
  EXPECT_EQ(response.receipt().gone_replicas(), 3);
  EXPECT_EQ(response.receipt().expired_replicas(), 4);
}

}  // namespace
}  // namespace wemasy::tokens
