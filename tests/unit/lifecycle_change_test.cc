// How tokens change and end: revoked, rotated, updated, leaked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/token_format.h"
#include "server/token/error.h"
#include "tests/unit/lifecycle_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kOtherRequestId[] = "1c3fe2b5-7ab1-4c3e-8f2a-0123456789ab";

TEST_F(LifecycleTest, RevokeEndsTheSecretAndKeepsTheFirstReason) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const auto first = Revoke(issued.token.record);
  ASSERT_OK(first);
  EXPECT_EQ(first->token.state, TokenState::kRevoked);
  EXPECT_EQ(first->receipt.acknowledged_replicas, 1);
  EXPECT_EQ(UseOf(issued.secret), Use::kDead);

  store_.AdvanceTime(absl::Hours(1));
  const auto second = lifecycle_.Revoke(
      Context(), {issued.token.record.name.ToString(), "user-9",
                  RevokeReason::kCompromised, "late"});
  ASSERT_OK(second);
  EXPECT_EQ(second->token.record.revocation->revoker, "user-2");
  EXPECT_EQ(second->token.record.revocation->reason, RevokeReason::kUnused);
  EXPECT_EQ(second->token.record.revocation->time,
            first->token.record.revocation->time);
  // It committed a write of its own, and waited for that.
  EXPECT_GT(second->receipt.change_number, first->receipt.change_number);
  EXPECT_EQ(barrier_.awaited().back(), second->receipt.change_number);
  EXPECT_THAT(AuditActions(),
              ElementsAre(AuditAction::kCreated, AuditAction::kRevoked));
}

TEST_F(LifecycleTest, AnUnconfirmedRevokeIsDurable) {
  const IssuedToken issued = MustCreate(MakeCreate());
  barrier_.confirms = false;
  EXPECT_THAT(Revoke(issued.token.record),
              HasReason(ErrorReason::kChangeUnconfirmed));
  EXPECT_EQ(UseOf(issued.secret), Use::kDead);
  // A retry waits again, and may fail again.
  EXPECT_THAT(Revoke(issued.token.record),
              HasReason(ErrorReason::kChangeUnconfirmed));
  barrier_.confirms = true;
  EXPECT_OK(Revoke(issued.token.record));
}

TEST_F(LifecycleTest, AnotherProjectsTokenIsNotFound) {
  const IssuedToken issued = MustCreate(MakeCreate());
  TokenName foreign = issued.token.record.name;
  foreign.project = *ProjectId::Parse("other");
  const std::string name = foreign.ToString();
  EXPECT_THAT(lifecycle_.Get(Context(), name),
              HasReason(ErrorReason::kTokenNotFound));
  EXPECT_THAT(lifecycle_.Revoke(Context(), {name, "user-2", {}, ""}),
              HasReason(ErrorReason::kTokenNotFound));
  EXPECT_THAT(lifecycle_.Rotate(Context(), {name, "user-2", {}, ""}),
              HasReason(ErrorReason::kTokenNotFound));
  UpdateRequest update;
  update.name = name;
  update.actor = "user-2";
  update.display_name = "mine";
  EXPECT_THAT(lifecycle_.Update(Context(), update),
              HasReason(ErrorReason::kTokenNotFound));
  EXPECT_EQ(UseOf(issued.secret), Use::kLive);
}

TEST_F(LifecycleTest, RotateWithoutGraceEndsTheOldSecret) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const auto rotated = lifecycle_.Rotate(Context(), MakeRotate(issued));
  ASSERT_OK(rotated);
  EXPECT_EQ(rotated->token.record.name, issued.token.record.name);
  EXPECT_EQ(UseOf(issued.secret), Use::kDead);
  EXPECT_EQ(UseOf(rotated->secret), Use::kLive);
  EXPECT_EQ(rotated->token.record.hint, TokenHint(rotated->secret));
}

TEST_F(LifecycleTest, RotateWithGraceLetsTheOldSecretWorkUntilItsEnd) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const auto rotated =
      lifecycle_.Rotate(Context(), MakeRotate(issued, absl::Hours(1)));
  ASSERT_OK(rotated);
  EXPECT_EQ(UseOf(issued.secret), Use::kLive);
  EXPECT_EQ(UseOf(rotated->secret), Use::kLive);
  EXPECT_EQ(rotated->token.record.old_secret_expire_time,
            store_.now() + absl::Hours(1));
  store_.AdvanceTime(absl::Hours(1));
  EXPECT_EQ(UseOf(issued.secret), Use::kDead);
  EXPECT_EQ(UseOf(rotated->secret), Use::kLive);
}

TEST_F(LifecycleTest, AGracePeriodNeverOutlivesTheToken) {
  CreateRequest request = MakeCreate();
  request.expire_time = store_.now() + absl::Minutes(5);
  const IssuedToken issued = MustCreate(request);
  const auto rotated =
      lifecycle_.Rotate(Context(), MakeRotate(issued, absl::Hours(1)));
  ASSERT_OK(rotated);
  EXPECT_EQ(rotated->token.record.old_secret_expire_time, *request.expire_time);
}

// Fault: what shortened the old secret's time stays, though it went away.
TEST_F(LifecycleTest, AnOldSecretsEndFollowsTheTokens) {
  const IssuedToken issued = MustCreate(MakeCreate());
  ASSERT_OK(lifecycle_.Rotate(Context(), MakeRotate(issued, absl::Hours(1))));
  const absl::Time soon = store_.now() + absl::Minutes(5);
  UpdateRequest update = MakeUpdate(issued);
  update.expire_time = soon;
  auto updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->record.old_secret_expire_time, soon);
  update.expire_time = absl::InfiniteFuture();
  updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->record.old_secret_expire_time,
            store_.now() + absl::Hours(1));
}

TEST_F(LifecycleTest, AtMostTwoSecretsLive) {
  const IssuedToken first = MustCreate(MakeCreate());
  const auto second =
      lifecycle_.Rotate(Context(), MakeRotate(first, absl::Hours(1)));
  ASSERT_OK(second);
  const auto third =
      lifecycle_.Rotate(Context(), MakeRotate(first, absl::Hours(1)));
  ASSERT_OK(third);
  EXPECT_EQ(UseOf(first.secret), Use::kDead);
  EXPECT_EQ(UseOf(second->secret), Use::kLive);
  EXPECT_EQ(UseOf(third->secret), Use::kLive);
  ASSERT_OK(Revoke(first.token.record));
  EXPECT_EQ(UseOf(second->secret), Use::kDead);
  EXPECT_EQ(UseOf(third->secret), Use::kDead);
}

TEST_F(LifecycleTest, ARepeatedRotateKeepsTheOldSecretsGrace) {
  const IssuedToken issued = MustCreate(MakeCreate());
  RotateRequest request = MakeRotate(issued, absl::Hours(1));
  request.request_id = kOtherRequestId;
  const auto lost = lifecycle_.Rotate(Context(), request);
  ASSERT_OK(lost);
  const auto again = lifecycle_.Rotate(Context(), request);
  ASSERT_OK(again);
  EXPECT_EQ(UseOf(issued.secret), Use::kLive);
  EXPECT_EQ(UseOf(lost->secret), Use::kDead);
  EXPECT_EQ(UseOf(again->secret), Use::kLive);
}

TEST_F(LifecycleTest, TheDeadCannotBeRotated) {
  CreateRequest request = MakeCreate();
  request.expire_time = store_.now() + absl::Minutes(5);
  const IssuedToken expired = MustCreate(request);
  const IssuedToken revoked = MustCreate(MakeCreate());
  ASSERT_OK(Revoke(revoked.token.record));
  store_.AdvanceTime(absl::Minutes(5));
  for (const IssuedToken* dead : {&expired, &revoked}) {
    EXPECT_THAT(lifecycle_.Rotate(Context(), MakeRotate(*dead)),
                HasReason(ErrorReason::kTokenNotActive));
  }
}

// A purge finds it by that.
TEST_F(LifecycleTest, AReplacedSecretIsNotTheCurrentOne) {
  const IssuedToken issued = MustCreate(MakeCreate());
  ASSERT_OK(lifecycle_.Rotate(Context(), MakeRotate(issued)));
  const std::vector<Change> changes = store_.changes();
  const auto ended =
      std::find_if(changes.begin(), changes.end(),
                   [](const Change& c) { return c.entry.dead_at.has_value(); });
  ASSERT_NE(ended, changes.end());
  EXPECT_EQ(ended->entry.digest, TokenDigest::Of(issued.secret.Reveal()));
  EXPECT_TRUE(ended->entry.is_old);
}

TEST_F(LifecycleTest, UpdateChangesWhatIsNamedAndGuardsByEtag) {
  const IssuedToken issued = MustCreate(MakeCreate());
  UpdateRequest update = MakeUpdate(issued);
  update.etag = EtagOf(issued.token.record);
  update.scopes = std::vector<std::string>{"pages:read"};
  const auto updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->record.scopes, ScopeSet({"pages:read"}));
  EXPECT_EQ(updated->record.display_name, "CI deploy");
  EXPECT_THAT(store_.changes().back().entry.scopes.scopes(),
              ElementsAre("pages:read"));
  update.scopes = std::vector<std::string>{"pages:write"};
  EXPECT_THAT(lifecycle_.Update(Context(), update),
              HasReason(ErrorReason::kEtagMismatch));
  update.etag = EtagOf(updated->record);
  EXPECT_OK(lifecycle_.Update(Context(), update));
}

// Fault: look at the etag first.
TEST_F(LifecycleTest, AnUnconfirmedUpdateIsRepeatedWithItsEtag) {
  const IssuedToken issued = MustCreate(MakeCreate());
  UpdateRequest update = MakeUpdate(issued);
  update.etag = EtagOf(issued.token.record);
  update.scopes = std::vector<std::string>{"pages:read"};
  barrier_.confirms = false;
  EXPECT_THAT(lifecycle_.Update(Context(), update),
              HasReason(ErrorReason::kChangeUnconfirmed));
  barrier_.confirms = true;
  EXPECT_OK(lifecycle_.Update(Context(), update));
}

TEST_F(LifecycleTest, AnUpdateThatChangesNothingOnlyWaits) {
  const IssuedToken issued = MustCreate(MakeCreate());
  UpdateRequest update = MakeUpdate(issued);
  update.display_name = issued.token.record.display_name;
  update.scopes = std::vector<std::string>{"pages:read", "pages:write"};
  AuditRequest trail;
  trail.parent = "projects/demo";
  const size_t audited = lifecycle_.ListAudit(Context(), trail)->records.size();
  const size_t waits = barrier_.awaited().size();
  const auto updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(EtagOf(updated->record), EtagOf(issued.token.record));
  EXPECT_EQ(lifecycle_.ListAudit(Context(), trail)->records.size(), audited);
  EXPECT_EQ(barrier_.awaited().size(), waits + 1);
}

TEST_F(LifecycleTest, AnUpdateToNewMetadataNeedsRoom) {
  const IssuedToken issued = MustCreate(MakeCreate());
  metadata_room_.is_full = true;
  UpdateRequest update = MakeUpdate(issued);
  update.metadata = Metadata{{"tier", "silver"}};
  const auto refused = lifecycle_.Update(Context(), update);
  ASSERT_THAT(refused, HasReason(ErrorReason::kMetadataLimit));
  EXPECT_THAT(GetErrorDetail(refused.status())->metadata,
              ElementsAre(Pair("limit", "1000")));
  EXPECT_EQ(lifecycle_.Get(Context(), update.name)->record.metadata,
            MakeCreate().metadata);

  // The token's own, another's, none, and a change of something else.
  update.metadata = MakeCreate().metadata;
  EXPECT_OK(lifecycle_.Update(Context(), update));
  metadata_room_.known = {{"tier", "bronze"}};
  update.metadata = metadata_room_.known;
  EXPECT_OK(lifecycle_.Update(Context(), update));
  update.metadata = Metadata{};
  EXPECT_OK(lifecycle_.Update(Context(), update));
  update.metadata.reset();
  update.display_name = "another";
  EXPECT_OK(lifecycle_.Update(Context(), update));
}

TEST_F(LifecycleTest, TheExpiredMayBeDescribedAnewTheRevokedNot) {
  CreateRequest request = MakeCreate();
  request.expire_time = store_.now() + absl::Minutes(5);
  const IssuedToken issued = MustCreate(request);
  store_.AdvanceTime(absl::Minutes(5));
  UpdateRequest describe = MakeUpdate(issued);
  describe.description = "was for the old site";
  EXPECT_OK(lifecycle_.Update(Context(), describe));
  UpdateRequest prolong = describe;
  prolong.expire_time = absl::InfiniteFuture();
  EXPECT_THAT(lifecycle_.Update(Context(), prolong),
              HasReason(ErrorReason::kTokenNotActive));
  ASSERT_OK(Revoke(issued.token.record));
  EXPECT_THAT(lifecycle_.Update(Context(), describe),
              HasReason(ErrorReason::kTokenNotActive));
}

// Fault: count from the commit's return.
TEST_F(LifecycleTest, AReceiptIsNotOfATimeBeforeTheConfirmation) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const absl::Time start = store_.now();
  store_.set_on_commit(
      [&](const std::vector<Change>&) { clock_.Advance(absl::Seconds(5)); });
  const auto revoked = Revoke(issued.token.record);
  ASSERT_OK(revoked);
  EXPECT_EQ(revoked->receipt.confirm_time, start + absl::Seconds(5));
}

LeakEvidence Leaked(absl::string_view secret, absl::string_view url = "") {
  LeakEvidence evidence;
  evidence.kind = LeakEvidence::Kind::kSecret;
  evidence.secret = Secret(secret);
  evidence.source = "github";
  evidence.url = std::string(url);
  return evidence;
}

// Fault: say REPLACED of what stands before the secret that works.
TEST_F(LifecycleTest, EveryPlaceOfALeakIsWrittenDown) {
  const IssuedToken old = MustCreate(MakeCreate());
  const auto current = lifecycle_.Rotate(Context(), MakeRotate(old));
  ASSERT_OK(current);
  LeakRequest request;
  request.actor = "scanner";
  request.leaked.push_back(Leaked(old.secret.Reveal(), "a"));
  request.leaked.push_back(Leaked(current->secret.Reveal(), "b"));
  request.leaked.push_back(Leaked(current->secret.Reveal(), "c"));
  const auto result = lifecycle_.RevokeLeaked(Context(), request);
  ASSERT_OK(result);
  for (const LeakOutcome& outcome : result->outcomes) {
    EXPECT_EQ(outcome.kind, LeakOutcome::Kind::kRevoked);
  }
  const auto trail = lifecycle_.ListAudit(Context(), {"projects/-", 0, "", {}});
  ASSERT_OK(trail);
  std::vector<std::string> urls;
  for (const AuditRecord& record : trail->records) {
    if (record.action != AuditAction::kLeakRevoked) continue;
    urls.push_back(record.details.at("url"));
  }
  EXPECT_THAT(urls, ElementsAre("a", "b", "c"));
}

// Fault: wait for the others to learn of nothing.
TEST_F(LifecycleTest, NobodyWaitsForAReportThatMatchesNothing) {
  barrier_.confirms = false;
  LeakRequest request;
  request.actor = "scanner";
  request.leaked.push_back(Leaked(GenerateToken(random_).Reveal()));
  const auto result = lifecycle_.RevokeLeaked(Context(), request);
  ASSERT_OK(result);
  EXPECT_FALSE(result->receipt);
  // One that was revoked before may not be so everywhere yet.
  const IssuedToken dead = [&] {
    barrier_.confirms = true;
    IssuedToken issued = MustCreate(MakeCreate());
    EXPECT_OK(Revoke(issued.token.record));
    barrier_.confirms = false;
    return issued;
  }();
  request.leaked.push_back(Leaked(dead.secret.Reveal()));
  EXPECT_THAT(lifecycle_.RevokeLeaked(Context(), request),
              HasReason(ErrorReason::kChangeUnconfirmed));
}

TEST_F(LifecycleTest, LeaksAreRevokedBySecretOrDigest) {
  const IssuedToken by_secret = MustCreate(MakeCreate());
  const IssuedToken by_digest = MustCreate(MakeCreate());
  const IssuedToken dead = MustCreate(MakeCreate());
  ASSERT_OK(Revoke(dead.token.record));
  const IssuedToken rotated = MustCreate(MakeCreate());
  ASSERT_OK(lifecycle_.Rotate(Context(), MakeRotate(rotated)));

  LeakRequest request;
  request.actor = "scanner";
  const auto add_secret = [&](absl::string_view secret) {
    request.leaked.push_back(Leaked(secret));
  };
  add_secret(by_secret.secret.Reveal());
  LeakEvidence digest;
  digest.kind = LeakEvidence::Kind::kSha256;
  digest.sha256 =
      std::string(TokenDigest::Of(by_digest.secret.Reveal()).bytes());
  request.leaked.push_back(std::move(digest));
  add_secret(dead.secret.Reveal());
  add_secret(rotated.secret.Reveal());
  add_secret(GenerateToken(random_).Reveal());
  add_secret("hunter2");
  add_secret(by_secret.secret.Reveal());

  const auto result = lifecycle_.RevokeLeaked(Context(), request);
  ASSERT_OK(result);
  std::vector<LeakOutcome::Kind> kinds;
  for (const LeakOutcome& outcome : result->outcomes) {
    kinds.push_back(outcome.kind);
  }
  using Kind = LeakOutcome::Kind;
  EXPECT_THAT(kinds,
              ElementsAre(Kind::kRevoked, Kind::kRevoked, Kind::kAlreadyRevoked,
                          Kind::kReplaced, Kind::kUnknown, Kind::kMalformed,
                          Kind::kRevoked));
  EXPECT_EQ(result->outcomes[0].name, by_secret.token.record.name);
  EXPECT_TRUE(result->receipt);
  EXPECT_EQ(UseOf(by_secret.secret), Use::kDead);
  EXPECT_EQ(UseOf(by_digest.secret), Use::kDead);
}

TEST_F(LifecycleTest, LeaksAreBoundedAndCheckedOneByOne) {
  LeakRequest request;
  request.actor = "scanner";
  EXPECT_THAT(lifecycle_.RevokeLeaked(Context(), request),
              HasViolation("leaked_tokens"));
  LeakEvidence short_digest;
  short_digest.kind = LeakEvidence::Kind::kSha256;
  short_digest.sha256 = "short";
  request.leaked.push_back(std::move(short_digest));
  request.leaked.emplace_back();
  const auto refused = lifecycle_.RevokeLeaked(Context(), request);
  EXPECT_THAT(refused, HasViolation("leaked_tokens[0].secret_sha256"));
  EXPECT_THAT(refused, HasViolation("leaked_tokens[1]"));
}

}  // namespace
}  // namespace wemasy::tokens
