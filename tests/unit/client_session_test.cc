// What a caching client may answer from memory: rules 7, 8 and 14.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/answer_cache.h"
#include "client/cpp/hot_answers.h"
#include "client/cpp/watch_session.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(2);
// By a clock that may run slow.
constexpr absl::Duration kShortTtl = absl::Milliseconds(1998);

TokenDigest DigestOf(int i) { return TokenDigest::Of(std::to_string(i)); }

Answer ValidAnswer(const std::string& name) {
  Answer answer;
  answer.verdict = v1::VERDICT_VALID;
  auto identity = std::make_shared<TokenIdentity>();
  identity->name = name;
  answer.identity = std::move(identity);
  return answer;
}

Answer UnknownAnswer() {
  Answer answer;
  answer.verdict = v1::VERDICT_UNKNOWN;
  return answer;
}

class WatchSessionTest : public ::testing::Test {
 protected:
  void Grant(int64_t seq = 10) { session_.Grant(clock_.Now(), kTtl, seq); }
  bool Keeps(int64_t seq, const std::string& incarnation = "one") {
    return session_.Keep(digest_, ValidAnswer("a"), {incarnation, seq});
  }

  FakeBootClock clock_;
  const TokenDigest digest_ = DigestOf(1);
  WatchSession session_{{"one", 10}, 100, 100, &clock_};
};

TEST_F(WatchSessionTest, AnswersOnlyUnderItsLease) {
  ASSERT_TRUE(Keeps(10));
  EXPECT_FALSE(session_.Find(digest_));
  Grant();
  clock_.Advance(kShortTtl - absl::Nanoseconds(1));
  EXPECT_TRUE(session_.Find(digest_));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(session_.Find(digest_));
}

TEST_F(WatchSessionTest, TheLeaseCountsFromBeforeThePing) {
  ASSERT_TRUE(Keeps(10));
  const BootTime pinged_at = clock_.Now();
  clock_.Advance(absl::Seconds(1));
  session_.Grant(pinged_at, kTtl, 10);
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(session_.Find(digest_));
}

TEST_F(WatchSessionTest, AGrantForWhoKnowsMoreIsNone) {
  ASSERT_TRUE(Keeps(10));
  Grant(11);
  EXPECT_FALSE(session_.has_lease());
  ASSERT_OK(session_.Apply(10, 11, "", false));
  Grant(11);
  EXPECT_TRUE(session_.has_lease());
}

TEST_F(WatchSessionTest, AChangeDropsTheTokensAnswers) {
  Grant();
  ASSERT_TRUE(Keeps(10));
  ASSERT_TRUE(session_.Keep(DigestOf(2), ValidAnswer("b"), {"one", 10}));
  ASSERT_OK(session_.Apply(10, 11, "a", false));
  EXPECT_FALSE(session_.Find(digest_));
  EXPECT_TRUE(session_.Find(DigestOf(2)));
}

TEST_F(WatchSessionTest, ALiveSecretDropsWhatWasUnknown) {
  Grant();
  ASSERT_TRUE(session_.Keep(digest_, UnknownAnswer(), {"one", 10}));
  ASSERT_OK(session_.Apply(10, 11, "b", false));
  EXPECT_EQ(session_.Find(digest_)->verdict, v1::VERDICT_UNKNOWN);
  ASSERT_OK(session_.Apply(11, 12, "a", true));
  EXPECT_FALSE(session_.Find(digest_));
}

TEST_F(WatchSessionTest, KeepsNoAnswerOlderThanItsChanges) {
  Grant();
  ASSERT_OK(session_.Apply(10, 11, "a", false));
  EXPECT_FALSE(Keeps(10));
  EXPECT_FALSE(session_.Find(digest_));
  EXPECT_TRUE(Keeps(11));
  EXPECT_TRUE(Keeps(12));
}

TEST_F(WatchSessionTest, KeepsNoAnswerOfAnotherMemory) {
  EXPECT_FALSE(Keeps(20, "two"));
  EXPECT_FALSE(Keeps(20, ""));
}

TEST_F(WatchSessionTest, KeepsNothingOnceItIsOver) {
  Grant();
  ASSERT_TRUE(Keeps(10));
  session_.End();
  EXPECT_FALSE(session_.Keep(DigestOf(2), ValidAnswer("b"), {"one", 10}));
  // Who still holds it may finish under its lease, which gets no longer.
  EXPECT_TRUE(session_.Find(digest_));
  clock_.Advance(absl::Seconds(1));
  Grant();
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(session_.Find(digest_));
}

TEST_F(WatchSessionTest, AHoleInTheChangesIsAnError) {
  EXPECT_THAT(session_.Apply(11, 12, "a", false),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(session_.Apply(9, 10, "a", false),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(session_.Apply(10, 10, "a", false),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_OK(session_.Apply(10, 11, "a", false));
  EXPECT_EQ(session_.applied(), 11);
}

TEST_F(WatchSessionTest, ChangesThatDoNotMatterAreNoHole) {
  Grant();
  ASSERT_TRUE(Keeps(10));
  ASSERT_OK(session_.Apply(10, 20, "a", false));
  EXPECT_FALSE(session_.Find(digest_));
  EXPECT_FALSE(Keeps(19));
  EXPECT_TRUE(Keeps(20));
  Grant(20);
  EXPECT_TRUE(session_.has_lease());
  EXPECT_THAT(session_.Apply(19, 21, "a", false),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(WatchSessionTest, KeepsNoAnswerWhoseChangesItsStreamDoesNotTellOf) {
  WatchSession session({"one", 10, 5}, 100, 100, &clock_);
  EXPECT_FALSE(session.Keep(digest_, ValidAnswer("a"), {"one", 10, 0}));
  EXPECT_FALSE(session.Keep(digest_, ValidAnswer("a"), {"one", 10, 4}));
  EXPECT_FALSE(session.Keep(digest_, ValidAnswer("a"), {"two", 10, 5}));
  EXPECT_TRUE(session.Keep(digest_, ValidAnswer("a"), {"one", 10, 5}));
}

TEST_F(WatchSessionTest, AnAnswerEndsWithItsToken) {
  Answer answer = ValidAnswer("a");
  answer.end = clock_.Now() + absl::Seconds(1);
  ASSERT_TRUE(session_.Keep(digest_, answer, {"one", 10}));
  Grant();
  clock_.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_TRUE(session_.Find(digest_));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(session_.Find(digest_));
}

class HotAnswersTest : public WatchSessionTest {
 protected:
  // Asks the session, and copies what it says.
  void Copy(const Answer& answer = ValidAnswer("a")) {
    const uint64_t version = session_.state()->version();
    ASSERT_TRUE(session_.Keep(digest_, answer, {"one", session_.applied()}));
    hot_.Keep(session_, version, digest_, answer);
  }

  HookedClock hooked_clock_{&clock_};
  HotAnswers hot_{&hooked_clock_};
};

TEST_F(HotAnswersTest, AnswersOnlyUnderTheCapturedLease) {
  Grant();
  Copy();
  // A pause after the look-up, in which the lease ended, a revocation came and
  // another lease with it.
  hooked_clock_.hook = [this] {
    clock_.Advance(kTtl);
    ASSERT_OK(session_.Apply(10, 11, "a", false));
    Grant(11);
  };
  EXPECT_FALSE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, ACopyIsUsedUnderTheSessionsLeaseOnly) {
  EXPECT_FALSE(hot_.Find(digest_));
  Copy();
  EXPECT_FALSE(hot_.Find(digest_));
  Grant();
  EXPECT_EQ(hot_.Find(digest_)->identity->name, "a");
  EXPECT_FALSE(hot_.Find(DigestOf(2)));
  EXPECT_EQ(hot_.hits(), 1);
  clock_.Advance(kShortTtl);
  EXPECT_FALSE(hot_.Find(digest_));
  Grant();
  EXPECT_TRUE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, NoCopyOutlivesAChange) {
  Grant();
  Copy();
  // Whatever it is about: a copy is cheap.
  ASSERT_OK(session_.Apply(10, 11, "b", false));
  EXPECT_FALSE(hot_.Find(digest_));
  Copy(UnknownAnswer());
  EXPECT_EQ(hot_.Find(digest_)->verdict, v1::VERDICT_UNKNOWN);
  ASSERT_OK(session_.Apply(11, 12, "a", true));
  EXPECT_FALSE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, WhatWasFoundBeforeAChangeIsNoCopyAfterIt) {
  Grant();
  const uint64_t version = session_.state()->version();
  ASSERT_TRUE(Keeps(10));
  const absl::optional<Answer> found = session_.Find(digest_);
  ASSERT_OK(session_.Apply(10, 11, "a", false));
  hot_.Keep(session_, version, digest_, *found);
  EXPECT_FALSE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, NoCopyOutlivesTheStream) {
  Grant();
  Copy();
  session_.End();
  EXPECT_FALSE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, AnotherSessionHasNoneOfTheCopies) {
  Grant();
  Copy();
  WatchSession other({"two", 10}, 100, 100, &clock_);
  other.Grant(clock_.Now(), kTtl, 10);
  hot_.Keep(other, other.state()->version(), DigestOf(2), ValidAnswer("b"));
  EXPECT_TRUE(hot_.Find(DigestOf(2)));
  EXPECT_FALSE(hot_.Find(digest_));
}

TEST_F(HotAnswersTest, ACopyEndsWithItsToken) {
  Answer answer = ValidAnswer("a");
  answer.end = clock_.Now() + absl::Seconds(1);
  Grant();
  Copy(answer);
  EXPECT_TRUE(hot_.Find(digest_));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(hot_.Find(digest_));
}

// A token is revoked and the client's acknowledgement counted, again and again,
// while others ask: who begins to ask after that never hears that it is valid.
TEST(HotAnswersRaceTest, NobodyHearsOfAnAcknowledgedRevocationTooLate) {
  SystemBootClock clock;
  constexpr int kRounds = 2000;
  const TokenDigest digest = DigestOf(1);
  WatchSession session({"one", 0}, 100, 100, &clock);
  HotAnswers hot(&clock);
  std::atomic<int64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> askers(2);
  for (std::thread& asker : askers) {
    asker = std::thread([&] {
      int64_t found = 0;
      while (!done || found == 0) {
        const int64_t before = acknowledged;
        absl::optional<Answer> answer = hot.Find(digest);
        if (!answer) {
          const uint64_t version = session.state()->version();
          answer = session.Find(digest);
          if (answer) hot.Keep(session, version, digest, *answer);
        }
        if (!answer) continue;
        ++found;
        // Its name is the change before which it was true.
        EXPECT_GT(std::stoll(answer->identity->name), before);
      }
    });
  }
  for (int64_t seq = 1; seq <= kRounds; ++seq) {
    const std::string name = std::to_string(seq);
    session.Grant(clock.Now(), kTtl, seq - 1);
    ASSERT_TRUE(session.Keep(digest, ValidAnswer(name), {"one", seq - 1}));
    std::this_thread::yield();
    ASSERT_OK(session.Apply(seq - 1, seq, name, false));
    acknowledged = seq;
  }
  session.Grant(clock.Now(), kTtl, kRounds);
  ASSERT_TRUE(session.Keep(digest, ValidAnswer(std::to_string(kRounds + 1)),
                           {"one", kRounds}));
  done = true;
  for (std::thread& asker : askers) asker.join();
}

TEST(AnswerCacheTest, KeepsABoundedNumberAndWhatIsUsed) {
  constexpr int kLimit = 1000;
  AnswerCache cache(kLimit, kLimit);
  const TokenDigest hot = DigestOf(-1);
  cache.Put(hot, ValidAnswer("hot"));
  for (int i = 0; i < 100 * kLimit; ++i) {
    cache.Put(DigestOf(i), ValidAnswer(std::to_string(i)));
    cache.Put(DigestOf(-2 - i), UnknownAnswer());
    EXPECT_TRUE(cache.Find(hot));
  }
  int kept = 0;
  int kept_unknown = 0;
  for (int i = 0; i < 100 * kLimit; ++i) {
    if (cache.Find(DigestOf(i))) ++kept;
    if (cache.Find(DigestOf(-2 - i))) ++kept_unknown;
  }
  EXPECT_GT(kept, kLimit / 4);
  // A shard rounds up.
  EXPECT_LT(kept, 2 * kLimit);
  EXPECT_GT(kept_unknown, kLimit / 4);
  EXPECT_LT(kept_unknown, 2 * kLimit);
}

TEST(AnswerCacheTest, DropsBothSecretsOfATokenWhereverTheyAre) {
  AnswerCache cache(100, 100);
  cache.Put(DigestOf(1), ValidAnswer("a"));
  cache.Put(DigestOf(2), ValidAnswer("a"));
  for (int i = 10; i < 60; ++i) cache.Put(DigestOf(i), ValidAnswer("b"));
  cache.Drop("a");
  EXPECT_FALSE(cache.Find(DigestOf(1)));
  EXPECT_FALSE(cache.Find(DigestOf(2)));
}

TEST(AnswerCacheTest, KeepsNothingWithoutRoom) {
  AnswerCache cache(0, 0);
  cache.Put(DigestOf(1), ValidAnswer("a"));
  cache.Put(DigestOf(2), UnknownAnswer());
  EXPECT_FALSE(cache.Find(DigestOf(1)));
  EXPECT_FALSE(cache.Find(DigestOf(2)));
}

}  // namespace
}  // namespace wemasy::tokens
