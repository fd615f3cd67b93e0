// The decision on presented tokens, and the index it looks in.
#include "server/validate/validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "server/token/error.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kDatabaseNow = absl::FromUnixSeconds(1'800'000'000);

class ValidatorTest : public ::testing::Test {
 protected:
  ValidatorTest() {
    lease_.SetDatabaseTime(clock_.Now(), kDatabaseNow, clock_.Now());
    lease_.Extend(clock_.Now() + absl::Seconds(30));
  }

  TestToken Add(absl::string_view project = "demo") {
    TestToken token = MakeTestToken(random_, project);
    index_.Put(token.entry);
    return token;
  }

  absl::StatusOr<Validation> Validate(absl::string_view presented) {
    return validator_.Validate({presented});
  }
  // The verdict, or kMalformed - 1 if there was none.
  Verdict VerdictOn(const ValidationRequest& request) {
    const auto validation = validator_.Validate(request);
    EXPECT_OK(validation);
    return validation.ok() ? validation->verdict : Verdict{};
  }

  FakeBootClock clock_;
  HookedClock hooked_clock_{&clock_};
  FakeRandom random_;
  TokenIndex index_{
      [](const Metadata& metadata) { return "tier=" + metadata.at("tier"); }};
  Lease lease_;
  Validator validator_{&index_, &lease_, &hooked_clock_};
};

TEST_F(ValidatorTest, LiveTokenIsValidAndSaysWhoItIs) {
  TestToken token = Add();
  int described = 0;
  const auto validation = validator_.Validate(
      {token.secret.Reveal()}, [&](Verdict verdict, const IndexSlot& slot) {
        ++described;
        EXPECT_EQ(verdict, Verdict::kValid);
        EXPECT_EQ(slot.name(), token.entry.name);
        EXPECT_EQ(*slot.creator, "user-1");
        EXPECT_EQ(*slot.scopes, token.entry.scopes);
        EXPECT_EQ(*slot.metadata, "tier=gold");
      });
  ASSERT_OK(validation);
  EXPECT_EQ(described, 1);
  EXPECT_EQ(validation->verdict, Verdict::kValid);
  EXPECT_EQ(validation->expire_time, absl::InfiniteFuture());
}

TEST_F(ValidatorTest, MalformedNeedsNoLease) {
  lease_.Close();
  for (const std::string& presented :
       {std::string(), std::string("wmsy_"), std::string(1 << 20, 'a'),
        std::string(41, '\0'), std::string(41, '\xFF')}) {
    EXPECT_EQ(VerdictOn({presented}), Verdict::kMalformed);
  }
}

TEST_F(ValidatorTest, NeverIssuedIsUnknown) {
  Add();
  const Secret secret = GenerateToken(random_);
  const auto validation = validator_.Validate(
      {secret.Reveal()}, [](Verdict, const IndexSlot&) { ADD_FAILURE(); });
  ASSERT_OK(validation);
  EXPECT_EQ(validation->verdict, Verdict::kUnknown);
}

TEST_F(ValidatorTest, RevokedTokenIsNeverValid) {
  TestToken token = Add();
  token.entry.dead_at = kDatabaseNow;
  index_.Put(token.entry);
  TokenName described;
  const auto validation = validator_.Validate(
      {token.secret.Reveal()},
      [&](Verdict, const IndexSlot& slot) { described = slot.name(); });
  ASSERT_OK(validation);
  EXPECT_EQ(validation->verdict, Verdict::kRevoked);
  // A gateway's log can say which token it was.
  EXPECT_EQ(described, token.entry.name);
}

TEST_F(ValidatorTest, ExpiresByTheDatabasesClock) {
  TestToken token = Add();
  token.entry.expire_time = kDatabaseNow + absl::Seconds(10);
  index_.Put(token.entry);
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kExpired);
}

TEST_F(ValidatorTest, ChecksInThePublishedOrder) {
  TestToken token = Add();
  const ProjectId other = *ProjectId::Parse("other");
  const ScopeSet missing({"sites:delete"});
  const ValidationRequest request{token.secret.Reveal(), &missing, &other};
  ProjectId own = token.entry.name.project;

  EXPECT_EQ(VerdictOn({request.presented, &missing, &own}),
            Verdict::kInsufficientScope);
  EXPECT_EQ(VerdictOn(request), Verdict::kWrongProject);
  token.entry.expire_time = kDatabaseNow;
  index_.Put(token.entry);
  EXPECT_EQ(VerdictOn(request), Verdict::kExpired);
  token.entry.dead_at = kDatabaseNow;
  index_.Put(token.entry);
  EXPECT_EQ(VerdictOn(request), Verdict::kRevoked);
}

TEST_F(ValidatorTest, RequiredScopesMustAllBeThere) {
  TestToken token = Add();
  const ScopeSet both({"pages:read", "pages:write"});
  const ScopeSet more({"pages:read", "sites:read"});
  EXPECT_EQ(VerdictOn({token.secret.Reveal(), &both}), Verdict::kValid);
  EXPECT_EQ(VerdictOn({token.secret.Reveal(), &more}),
            Verdict::kInsufficientScope);
}

TEST_F(ValidatorTest, WithoutALeaseNothingIsSaid) {
  TestToken token = Add();
  clock_.Advance(absl::Seconds(30));
  EXPECT_THAT(
      validator_.Validate({token.secret.Reveal()},
                          [](Verdict, const IndexSlot&) { ADD_FAILURE(); }),
      HasReason(ErrorReason::kLeaseNotHeld));
  // UNKNOWN neither: the token may have been created elsewhere meanwhile.
  EXPECT_THAT(Validate(GenerateToken(random_).Reveal()),
              HasReason(ErrorReason::kLeaseNotHeld));
}

TEST_F(ValidatorTest, AnswersOnlyUnderTheCapturedLease) {
  TestToken token = Add();
  // A pause after the look-up, in which the lease ended and was renewed: what
  // was looked up may have been revoked in between.
  hooked_clock_.hook = [&] {
    clock_.Advance(absl::Seconds(31));
    lease_.Extend(clock_.Now() + absl::Seconds(30));
  };
  EXPECT_THAT(Validate(token.secret.Reveal()),
              HasReason(ErrorReason::kLeaseNotHeld));
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
}

TEST_F(ValidatorTest, UseIsMarkedOnceAMinute) {
  TestToken token = Add();
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
  std::vector<TokenUse> uses = index_.DrainUses();
  ASSERT_THAT(uses, SizeIs(1));
  EXPECT_EQ(uses[0].token, token.entry.name.token);
  EXPECT_FALSE(uses[0].is_old);
  EXPECT_EQ(uses[0].minute, kDatabaseNow);
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
  EXPECT_THAT(index_.DrainUses(), IsEmpty());
  lease_.Extend(clock_.Now() + absl::Minutes(2));
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(VerdictOn({token.secret.Reveal()}), Verdict::kValid);
  EXPECT_THAT(index_.DrainUses(), SizeIs(1));
}

TEST_F(ValidatorTest, RefusalsAreNoUse) {
  TestToken token = Add();
  const ScopeSet missing({"sites:delete"});
  EXPECT_EQ(VerdictOn({token.secret.Reveal(), &missing}),
            Verdict::kInsufficientScope);
  EXPECT_THAT(index_.DrainUses(), IsEmpty());
}

TEST_F(ValidatorTest, DeadAreForgottenByAgeAndNumberTheOldestFirst) {
  std::vector<TestToken> tokens(40);
  for (TestToken& token : tokens) token = Add();
  for (int i = 0; i < 10; ++i) {
    tokens[i].entry.dead_at = kDatabaseNow - absl::Hours(i);
    index_.Put(tokens[i].entry);
  }
  // By age: the ones dead for 8 and 9 hours.
  TokenIndex::Census census =
      index_.EvictDead(kDatabaseNow, absl::Hours(7.5), /*max_dead=*/100);
  EXPECT_EQ(census.live, 30);
  EXPECT_EQ(census.dead, 8);
  EXPECT_EQ(VerdictOn({tokens[9].secret.Reveal()}), Verdict::kUnknown);
  // By number: a tenth of the live may stay.
  census = index_.EvictDead(kDatabaseNow, absl::Hours(100), /*max_dead=*/0);
  EXPECT_EQ(census.dead, 3);
  EXPECT_EQ(VerdictOn({tokens[2].secret.Reveal()}), Verdict::kRevoked);
  EXPECT_EQ(VerdictOn({tokens[3].secret.Reveal()}), Verdict::kUnknown);
  EXPECT_EQ(index_.size(), 33);
}

TEST_F(ValidatorTest, ReadersAndAWriterGetOn) {
  std::vector<TestToken> tokens(64);
  for (TestToken& token : tokens) token = Add();
  std::atomic<bool> done{false};
  std::atomic<int> rounds_read{0};
  std::vector<std::thread> readers(2);
  for (std::thread& reader : readers) {
    reader = std::thread([&] {
      for (; !done; ++rounds_read) {
        for (const TestToken& token : tokens) {
          EXPECT_OK(Validate(token.secret.Reveal()));
        }
      }
    });
  }
  // Goes on until the readers have really been beside it.
  for (int round = 0; round < 20 || rounds_read < 10; ++round) {
    for (TestToken& token : tokens) {
      token.entry.creator += "x";
      index_.Put(token.entry);
    }
    index_.DrainUses();
    index_.EvictDead(kDatabaseNow, absl::Hours(1), 10);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace wemasy::tokens
