// How tokens come to be, once, and how a retry finds them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/ascii.h"
#include "common/token_format.h"
#include "server/lifecycle/field_rules.h"
#include "server/token/error.h"
#include "tests/unit/lifecycle_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST_F(LifecycleTest, CreateIssuesASecretOnce) {
  const IssuedToken issued = MustCreate(MakeCreate());
  EXPECT_TRUE(IsTokenWellFormed(issued.secret.Reveal()));
  EXPECT_EQ(issued.token.state, TokenState::kActive);
  EXPECT_EQ(issued.token.record.creator, "user-1");
  EXPECT_EQ(issued.token.record.hint, TokenHint(issued.secret));
  EXPECT_EQ(issued.token.record.scopes,
            ScopeSet({"pages:read", "pages:write"}));
  EXPECT_EQ(UseOf(issued.secret), Use::kLive);
  EXPECT_THAT(AuditActions(), ElementsAre(AuditAction::kCreated));
  EXPECT_THAT(barrier_.awaited(), SizeIs(1));
}

TEST_F(LifecycleTest, NamesMayRepeat) {
  MustCreate(MakeCreate("same"));
  MustCreate(MakeCreate("same"));
}

TEST_F(LifecycleTest, EveryFaultOfARequestIsReported) {
  CreateRequest request;
  request.parent = "demo";
  request.scopes = {"Bad Scope"};
  request.request_id = "7";
  const auto refused = lifecycle_.Create(Context(), request);
  for (const char* field : {"parent", "token.display_name", "token.scopes[0]",
                            "actor", "request_id"}) {
    EXPECT_THAT(refused, HasViolation(field));
  }
  EXPECT_THAT(store_.changes(), IsEmpty());
}

TEST_F(LifecycleTest, ExpiryInThePastIsRefusedByTheDatabasesClock) {
  CreateRequest request = MakeCreate();
  request.expire_time = store_.now();
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasViolation("token.expire_time"));
  request.expire_time = store_.now() + kMaxTokenLifetime + absl::Hours(1);
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasViolation("token.expire_time"));
}

TEST_F(LifecycleTest, ActiveTokensAreLimitedDeadOnesDoNotCount) {
  const IssuedToken first = MustCreate(MakeCreate());
  CreateRequest shortlived = MakeCreate();
  shortlived.expire_time = store_.now() + absl::Hours(1);
  MustCreate(shortlived);
  MustCreate(MakeCreate());
  EXPECT_THAT(lifecycle_.Create(Context(), MakeCreate()),
              HasReason(ErrorReason::kActiveTokenLimit));
  CreateRequest elsewhere = MakeCreate();
  elsewhere.parent = "projects/other";
  MustCreate(elsewhere);

  ASSERT_OK(Revoke(first.token.record));
  MustCreate(MakeCreate());
  EXPECT_THAT(lifecycle_.Create(Context(), MakeCreate()),
              HasReason(ErrorReason::kActiveTokenLimit));
  store_.AdvanceTime(absl::Hours(1));
  MustCreate(MakeCreate());
}

TEST_F(LifecycleTest, NewMetadataNeedsRoom) {
  MustCreate(MakeCreate());
  metadata_room_.is_full = true;
  metadata_room_.known = MakeCreate().metadata;
  CreateRequest request = MakeCreate();
  request.metadata = {{"tier", "silver"}};
  const auto refused = lifecycle_.Create(Context(), request);
  ASSERT_THAT(refused, HasReason(ErrorReason::kMetadataLimit));
  EXPECT_THAT(GetErrorDetail(refused.status())->metadata,
              ElementsAre(Pair("limit", "1000")));
  EXPECT_THAT(store_.changes(), SizeIs(1));

  // What a token has already, and nothing, need none.
  MustCreate(MakeCreate());
  request.metadata.clear();
  MustCreate(request);
}

TEST_F(LifecycleTest, ARepeatedCreateNeedsNoRoomForMetadata) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  const IssuedToken lost = MustCreate(request);
  metadata_room_.is_full = true;
  const auto again = lifecycle_.Create(Context(), request);
  ASSERT_OK(again);
  EXPECT_EQ(again->token.record.name, lost.token.record.name);
}

TEST_F(LifecycleTest, ARepeatedCreateIssuesAgainOnTheSameToken) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  const IssuedToken lost = MustCreate(request);
  // Written otherwise, it is the same id.
  request.request_id = absl::AsciiStrToUpper(kRequestId);
  const IssuedToken again = MustCreate(request);
  EXPECT_EQ(again.token.record.name, lost.token.record.name);
  EXPECT_NE(again.secret, lost.secret);
  EXPECT_EQ(UseOf(lost.secret), Use::kDead);
  EXPECT_EQ(UseOf(again.secret), Use::kLive);
  EXPECT_THAT(AuditActions(),
              ElementsAre(AuditAction::kCreated, AuditAction::kReissued));
  const IssuedToken third = MustCreate(request);
  EXPECT_EQ(UseOf(again.secret), Use::kDead);
  EXPECT_EQ(UseOf(third.secret), Use::kLive);
}

// Fault: the first attempt, done late, takes back what the second was given.
TEST_F(LifecycleTest, ACallThatWasGivenUpDoesNotIssueAgain) {
  CallContext given_up = Context();
  given_up.is_cancelled = [] { return true; };
  CreateRequest create = MakeCreate();
  create.request_id = kRequestId;
  const IssuedToken created = MustCreate(create);
  EXPECT_THAT(lifecycle_.Create(given_up, create),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(UseOf(created.secret), Use::kLive);

  RotateRequest rotate = MakeRotate(created);
  rotate.request_id = "1b3fe2b5-7ab1-4c3e-8f2a-0123456789ab";
  const auto rotated = lifecycle_.Rotate(Context(), rotate);
  ASSERT_OK(rotated);
  EXPECT_THAT(lifecycle_.Rotate(given_up, rotate),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(UseOf(rotated->secret), Use::kLive);
}

TEST_F(LifecycleTest, ARequestIdStandsForOneContent) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  MustCreate(request);
  request.display_name = "another";
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasReason(ErrorReason::kRequestIdReused));
}

TEST_F(LifecycleTest, ARequestIdLastsTenMinutes) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  MustCreate(request);
  store_.AdvanceTime(absl::Minutes(10) + absl::Seconds(1));
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasReason(ErrorReason::kRequestIdExpired));
}

TEST_F(LifecycleTest, ARetryNeverTakesBackALaterSecret) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  const IssuedToken created = MustCreate(request);
  const auto rotated = lifecycle_.Rotate(Context(), MakeRotate(created));
  ASSERT_OK(rotated);
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasReason(ErrorReason::kRequestIdExpired));
  EXPECT_EQ(UseOf(rotated->secret), Use::kLive);
}

TEST_F(LifecycleTest, ARetryAfterARevokeStaysRevoked) {
  CreateRequest request = MakeCreate();
  request.request_id = kRequestId;
  const IssuedToken created = MustCreate(request);
  ASSERT_OK(Revoke(created.token.record));
  EXPECT_THAT(lifecycle_.Create(Context(), request),
              HasReason(ErrorReason::kTokenNotActive));
}

TEST_F(LifecycleTest, AnUnconfirmedCreateNamesItsToken) {
  barrier_.confirms = false;
  const auto created = lifecycle_.Create(Context(), MakeCreate());
  ASSERT_THAT(created, HasReason(ErrorReason::kChangeUnconfirmed));
  const std::string name =
      GetErrorDetail(created.status())->metadata.at("name");
  EXPECT_OK(lifecycle_.Get(Context(), name));
}

}  // namespace
}  // namespace wemasy::tokens
