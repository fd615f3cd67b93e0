// The rules of a token's life, on a store in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/token_format.h"
#include "server/lifecycle/field_rules.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/token/error.h"
#include "server/validate/token_index.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_token_store.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRequestId[] = "0b3fe2b5-7ab1-4c3e-8f2a-0123456789ab";
constexpr char kOtherRequestId[] = "1c3fe2b5-7ab1-4c3e-8f2a-0123456789ab";

// A barrier that says what a test tells it to.
class FakeBarrier final : public ChangeBarrier {
 public:
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                       const Patience&) override {
    awaited.push_back(commit.seq);
    if (!confirms) return absl::DeadlineExceededError("not yet");
    BarrierReceipt receipt;
    receipt.acknowledged_replicas = 1;
    return receipt;
  }
  bool confirms = true;
  std::vector<int64_t> awaited;
};

class LifecycleTest : public ::testing::Test {
 protected:
  CallContext Context() {
    return {clock_.Now() + absl::Seconds(10), "spiffe://test/ui", "call-1"};
  }
  CreateRequest MakeCreate(absl::string_view name = "CI deploy") {
    CreateRequest request;
    request.parent = "projects/demo";
    request.display_name = std::string(name);
    request.scopes = {"pages:write", "pages:read"};
    request.metadata = {{"tier", "gold"}};
    request.actor = "user-1";
    return request;
  }
  IssuedToken MustCreate(const CreateRequest& request) {
    auto issued = lifecycle_.Create(Context(), request);
    EXPECT_OK(issued);
    return *std::move(issued);
  }
  absl::StatusOr<RevokedToken> Revoke(const TokenRecord& record) {
    return lifecycle_.Revoke(Context(), {record.name.ToString(), "user-2",
                                         RevokeReason::kUnused, "gone"});
  }
  RotateRequest MakeRotate(const IssuedToken& issued,
                           absl::Duration grace = absl::ZeroDuration()) {
    return {issued.token.record.name.ToString(), "user-3", grace, ""};
  }

  // What an index that read the change log would say of a secret.
  enum class Use { kUnknown, kLive, kDead };
  Use UseOf(const Secret& secret) {
    TokenIndex index;
    for (const Change& change : store_.changes()) {
      if (change.operation == ChangeOperation::kPut) index.Put(change.entry);
    }
    Use use = Use::kUnknown;
    const int64_t now = absl::ToUnixNanos(store_.now());
    index.Visit(TokenDigest::Of(secret.Reveal()), [&](IndexSlot& slot) {
      use = slot.dead_nanos == IndexSlot::kNever && now < slot.expire_nanos
                ? Use::kLive
                : Use::kDead;
    });
    return use;
  }
  std::vector<AuditAction> AuditActions() {
    auto view = lifecycle_.ListAudit(Context(), {"projects/-", 0, "", {}});
    EXPECT_OK(view);
    std::vector<AuditAction> actions;
    for (const AuditRecord& record : view->records) {
      actions.push_back(record.action);
    }
    return actions;
  }

  FakeBootClock clock_;
  FakeRandom random_;
  FakeTokenStore store_{&clock_};
  FakeBarrier barrier_;
  TokenLifecycle lifecycle_{&store_, &barrier_, &clock_, &random_,
                            LifecycleLimits{3}};
};

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
  EXPECT_THAT(barrier_.awaited, SizeIs(1));
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
  EXPECT_EQ(barrier_.awaited.back(), second->receipt.change_number);
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

TEST_F(LifecycleTest, UpdateChangesWhatIsNamedAndGuardsByEtag) {
  const IssuedToken issued = MustCreate(MakeCreate());
  UpdateRequest update;
  update.name = issued.token.record.name.ToString();
  update.actor = "user-2";
  update.etag = EtagOf(issued.token.record);
  update.scopes = std::vector<std::string>{"pages:read"};
  const auto updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->record.scopes, ScopeSet({"pages:read"}));
  EXPECT_EQ(updated->record.display_name, "CI deploy");
  EXPECT_THAT(store_.changes().back().entry.scopes.scopes(),
              ElementsAre("pages:read"));
  EXPECT_THAT(lifecycle_.Update(Context(), update),
              HasReason(ErrorReason::kEtagMismatch));
  update.etag = EtagOf(updated->record);
  EXPECT_OK(lifecycle_.Update(Context(), update));
}

TEST_F(LifecycleTest, AnUpdateThatChangesNothingOnlyWaits) {
  const IssuedToken issued = MustCreate(MakeCreate());
  UpdateRequest update;
  update.name = issued.token.record.name.ToString();
  update.actor = "user-2";
  update.display_name = issued.token.record.display_name;
  update.scopes = std::vector<std::string>{"pages:read", "pages:write"};
  AuditRequest trail;
  trail.parent = "projects/demo";
  const size_t audited = lifecycle_.ListAudit(Context(), trail)->records.size();
  const size_t waits = barrier_.awaited.size();
  const auto updated = lifecycle_.Update(Context(), update);
  ASSERT_OK(updated);
  EXPECT_EQ(EtagOf(updated->record), EtagOf(issued.token.record));
  EXPECT_EQ(lifecycle_.ListAudit(Context(), trail)->records.size(), audited);
  EXPECT_EQ(barrier_.awaited.size(), waits + 1);
}

TEST_F(LifecycleTest, TheExpiredMayBeDescribedAnewTheRevokedNot) {
  CreateRequest request = MakeCreate();
  request.expire_time = store_.now() + absl::Minutes(5);
  const IssuedToken issued = MustCreate(request);
  store_.AdvanceTime(absl::Minutes(5));
  UpdateRequest describe;
  describe.name = issued.token.record.name.ToString();
  describe.actor = "user-2";
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
    LeakEvidence evidence;
    evidence.kind = LeakEvidence::Kind::kSecret;
    evidence.secret = Secret(secret);
    evidence.source = "github";
    request.leaked.push_back(std::move(evidence));
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

TEST_F(LifecycleTest, ListsPageByPageNewestFirst) {
  std::vector<std::string> created;
  for (const char* name : {"one", "two", "three"}) {
    created.push_back(MustCreate(MakeCreate(name)).token.record.display_name);
    store_.AdvanceTime(absl::Seconds(1));
  }
  ListRequest request{"projects/demo", 2, "", ""};
  const auto first = lifecycle_.List(Context(), request);
  ASSERT_OK(first);
  ASSERT_THAT(first->tokens, SizeIs(2));
  EXPECT_EQ(first->tokens[0].record.display_name, "three");
  ASSERT_NE(first->next_page_token, "");

  request.page_token = first->next_page_token;
  const auto second = lifecycle_.List(Context(), request);
  ASSERT_OK(second);
  ASSERT_THAT(second->tokens, SizeIs(1));
  EXPECT_EQ(second->tokens[0].record.display_name, "one");
  EXPECT_EQ(second->next_page_token, "");

  request.parent = "projects/other";
  EXPECT_THAT(lifecycle_.List(Context(), request),
              HasReason(ErrorReason::kPageTokenInvalid));
  request.parent = "projects/demo";
  request.filter = "state = ACTIVE";
  EXPECT_THAT(lifecycle_.List(Context(), request),
              HasReason(ErrorReason::kPageTokenInvalid));
  request.filter = "";
  request.page_size = -1;
  EXPECT_THAT(lifecycle_.List(Context(), request), HasViolation("page_size"));
}

TEST_F(LifecycleTest, APageOfHeavyTokensHasFewer) {
  TokenLifecycle roomy(&store_, &barrier_, &clock_, &random_,
                       LifecycleLimits{1000});
  CreateRequest heavy = MakeCreate();
  heavy.description = std::string(1000, 'd');
  for (int i = 0; i < 16; ++i) {
    heavy.metadata["k" + std::to_string(i)] = std::string(256, 'v');
  }
  heavy.metadata.erase("tier");
  for (int i = 0; i < 500; ++i) ASSERT_OK(roomy.Create(Context(), heavy));
  ListRequest request{"projects/demo", 1000, "", ""};
  size_t seen = 0;
  int pages = 0;
  do {
    const auto page = roomy.List(Context(), request);
    ASSERT_OK(page);
    EXPECT_LT(page->tokens.size(), 400);
    seen += page->tokens.size();
    request.page_token = page->next_page_token;
    ++pages;
  } while (!request.page_token.empty());
  EXPECT_EQ(seen, 500);
  EXPECT_EQ(pages, 2);
}

TEST_F(LifecycleTest, TheAuditTrailCanBeResumed) {
  const IssuedToken issued = MustCreate(MakeCreate());
  auto view = lifecycle_.ListAudit(Context(), {"projects/demo", 0, "", {}});
  ASSERT_OK(view);
  ASSERT_THAT(view->records, SizeIs(1));
  EXPECT_EQ(view->records[0].actor, "user-1");
  EXPECT_EQ(view->records[0].caller, "spiffe://test/ui");
  EXPECT_EQ(view->records[0].request_id, "call-1");
  EXPECT_EQ(view->next_page_token, "");

  ASSERT_OK(Revoke(issued.token.record));
  view = lifecycle_.ListAudit(Context(),
                              {"projects/demo", 0, view->resume_token, {}});
  ASSERT_OK(view);
  ASSERT_THAT(view->records, SizeIs(1));
  EXPECT_EQ(view->records[0].action, AuditAction::kRevoked);
  EXPECT_EQ(view->records[0].details.at("reason"), "UNUSED");
  EXPECT_EQ(view->records[0].details.at("comment"), "gone");
  // Nothing new: the cursor stays where it is.
  view = lifecycle_.ListAudit(Context(),
                              {"projects/demo", 0, view->resume_token, {}});
  ASSERT_OK(view);
  EXPECT_THAT(view->records, IsEmpty());
}

}  // namespace
}  // namespace wemasy::tokens
