// The streams of caching clients at the replica: rules 5, 6 and 13.
#include "server/coherence/watch_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/token/error.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::SizeIs;

constexpr absl::Duration kTtl = absl::Seconds(2);
// Until when the replica counts a grant, by its clock that may run fast.
constexpr absl::Duration kLongTtl = absl::Milliseconds(2002);

class CountingListener final : public WatchListener {
 public:
  void OnReady() override { ++calls; }
  int calls = 0;
};

class WatchHubTest : public ::testing::Test {
 protected:
  WatchHubTest() {
    lease_.Extend(clock_.Now() + absl::Seconds(30));
    hub_.Open({"one", "00000001"}, 10);
  }

  WatchStreams::StreamId Join() {
    const auto stream = hub_.Join(listener_);
    EXPECT_TRUE(stream.ok());
    return stream.value_or(0);
  }
  // A stream whose Hello has been taken.
  WatchStreams::StreamId JoinPastHello() {
    const auto stream = Join();
    EXPECT_TRUE(hub_.Take(stream).hello);
    EXPECT_TRUE(hub_.Take(stream).empty());
    return stream;
  }
  // A stream that tells of what matters to its client.
  WatchStreams::StreamId JoinForNoted() {
    const auto stream = JoinPastHello();
    hub_.TellOnlyOfNoted(stream);
    return stream;
  }
  void Queue(int64_t seq) { Queue(seq, token_.entry); }
  void Queue(int64_t seq, const IndexEntry& entry) {
    Change change;
    change.seq = seq;
    change.operation = ChangeOperation::kPut;
    change.entry = entry;
    hub_.Queue(change);
  }
  bool Note(WatchStreams::StreamId stream, const TestToken& token,
            int64_t applied) {
    return hub_.Note(stream, token.entry.name.token, applied);
  }
  bool NoteUnknown(WatchStreams::StreamId stream, int64_t applied) {
    return hub_.Note(stream, absl::nullopt, applied);
  }
  // The entry of a token that is not live any more.
  static IndexEntry Dead(const TestToken& token) {
    IndexEntry dead = token.entry;
    dead.dead_at = absl::FromUnixSeconds(1'800'000'000);
    return dead;
  }
  // The grant that a ping is answered with, if it comes next.
  absl::optional<WatchGrant> Ping(WatchStreams::StreamId stream, int64_t id) {
    hub_.Ping(stream, id);
    return hub_.Take(stream).grant;
  }

  FakeBootClock clock_;
  FakeRandom random_;
  const TestToken token_ = MakeTestToken(random_);
  const TestToken other_ = MakeTestToken(random_);
  Lease lease_;
  std::shared_ptr<CountingListener> listener_ =
      std::make_shared<CountingListener>();
  WatchHub hub_{{kTtl, 3, 4}, &lease_, &clock_};
};

TEST_F(WatchHubTest, HelloSaysWhereTheChangesBegin) {
  Queue(11);
  const auto stream = Join();
  Queue(12);
  const WatchMessage hello = hub_.Take(stream);
  ASSERT_TRUE(hello.hello);
  EXPECT_EQ(hello.hello->replica.incarnation, "one");
  EXPECT_EQ(hello.hello->replica.timeline, "00000001");
  EXPECT_EQ(hello.hello->seq, 11);
  const WatchMessage changes = hub_.Take(stream);
  ASSERT_THAT(changes.changes, SizeIs(1));
  EXPECT_EQ(changes.changes[0].seq, 12);
  EXPECT_EQ(changes.changes[0].token, token_.entry.name.ToString());
  EXPECT_TRUE(changes.changes[0].is_live);
}

TEST_F(WatchHubTest, ADeadSecretAndANoopAreToldAsWhatTheyAre) {
  const auto stream = JoinPastHello();
  Queue(11, Dead(token_));
  Change noop;
  noop.seq = 12;
  hub_.Queue(noop);
  const WatchMessage message = hub_.Take(stream);
  ASSERT_THAT(message.changes, SizeIs(2));
  EXPECT_FALSE(message.changes[0].is_live);
  EXPECT_EQ(message.changes[1].token, "");
  EXPECT_FALSE(message.changes[1].is_live);
}

TEST_F(WatchHubTest, OnlyStreamsThatHadNothingToTakeAreCalled) {
  const auto stream = Join();
  Queue(11);
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, 0);
  while (!hub_.Take(stream).empty()) {
  }
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, 0);
  Queue(12);
  hub_.Deliver();
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, 1);
}

TEST_F(WatchHubTest, AGrantIsNestedInTheReplicasLease) {
  const auto stream = JoinPastHello();
  EXPECT_EQ(Ping(stream, 7)->ttl, kTtl);
  clock_.Advance(absl::Seconds(29));
  const auto short_grant = Ping(stream, 8);
  ASSERT_TRUE(short_grant);
  EXPECT_EQ(short_grant->ping, 8);
  EXPECT_EQ(short_grant->ttl, absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Ping(stream, 9)->ttl, absl::ZeroDuration());
}

TEST_F(WatchHubTest, AGrantComesAfterAllThatWasQueuedBeforeIt) {
  const auto stream = JoinPastHello();
  Queue(11);
  hub_.Ping(stream, 1);
  Queue(12);
  const WatchMessage first = hub_.Take(stream);
  ASSERT_THAT(first.changes, SizeIs(1));
  EXPECT_EQ(first.changes[0].seq, 11);
  const WatchMessage second = hub_.Take(stream);
  ASSERT_TRUE(second.grant);
  EXPECT_EQ(second.grant->seq, 11);
  EXPECT_THAT(hub_.Take(stream).changes, SizeIs(1));
}

TEST_F(WatchHubTest, AFloodOfPingsIsOneGrant) {
  const auto stream = JoinPastHello();
  for (int i = 1; i <= 1000; ++i) hub_.Ping(stream, i);
  EXPECT_EQ(hub_.Take(stream).grant->ping, 1);
  EXPECT_TRUE(hub_.Take(stream).empty());
}

TEST_F(WatchHubTest, AcknowledgedIsWhatTheSlowestClientWithAGrantHas) {
  const auto quick = JoinPastHello();
  const auto slow = JoinPastHello();
  const auto without_grant = JoinPastHello();
  Ping(quick, 1);
  Ping(slow, 1);
  for (int seq = 11; seq <= 13; ++seq) Queue(seq);
  while (!hub_.Take(quick).empty()) {
  }
  while (!hub_.Take(slow).empty()) {
  }
  EXPECT_EQ(hub_.Acked(13), 10);
  ASSERT_OK(hub_.Acknowledge(quick, 13));
  ASSERT_OK(hub_.Acknowledge(slow, 12));
  EXPECT_EQ(hub_.Acked(13), 12);
  EXPECT_EQ(hub_.Acked(11), 11);
  ASSERT_OK(hub_.Acknowledge(slow, 13));
  EXPECT_EQ(hub_.Acked(13), 13);
  hub_.Leave(without_grant);
  EXPECT_EQ(hub_.Acked(13), 13);
}

TEST_F(WatchHubTest, CallsReleasedWhenTheLastClientHasCaughtUp) {
  int released = 0;
  hub_.SetReleased([&] { ++released; });
  const auto a = JoinPastHello();
  const auto b = JoinPastHello();
  Ping(a, 1);
  Ping(b, 1);
  Queue(11);
  hub_.Take(a);
  hub_.Take(b);
  EXPECT_EQ(hub_.Acked(11), 10);
  ASSERT_OK(hub_.Acknowledge(a, 11));
  EXPECT_EQ(released, 0);
  ASSERT_OK(hub_.Acknowledge(b, 11));
  EXPECT_EQ(released, 1);
  ASSERT_OK(hub_.Acknowledge(b, 11));
  EXPECT_EQ(released, 1);
}

TEST_F(WatchHubTest, WhatABrokenStreamWasGrantedStaysUntilItHasEnded) {
  const auto stream = JoinPastHello();
  Ping(stream, 1);
  clock_.Advance(absl::Seconds(1));
  hub_.Leave(stream);
  Queue(11);
  EXPECT_EQ(hub_.Acked(11), 10);
  EXPECT_EQ(hub_.NextExpiry(), clock_.Now() + kLongTtl - absl::Seconds(1));
  EXPECT_EQ(hub_.GrantsEnd(), hub_.NextExpiry());
  clock_.Advance(kLongTtl - absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_EQ(hub_.Acked(11), 10);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(hub_.Acked(11), 11);
  EXPECT_EQ(hub_.NextExpiry(), BootTime::InfiniteFuture());
}

TEST_F(WatchHubTest, AClientThatDoesNotAcknowledgeGetsNoFurtherGrant) {
  const auto stream = JoinPastHello();
  Ping(stream, 1);
  Queue(11);
  clock_.Advance(kAcknowledgePatience - absl::Nanoseconds(1));
  hub_.Ping(stream, 2);
  EXPECT_THAT(hub_.Take(stream).changes, SizeIs(1));
  EXPECT_EQ(hub_.Take(stream).grant->ttl, kTtl);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(Ping(stream, 3)->ttl, absl::ZeroDuration());
  ASSERT_OK(hub_.Acknowledge(stream, 11));
  EXPECT_EQ(Ping(stream, 4)->ttl, kTtl);
}

TEST_F(WatchHubTest, AcknowledgingWhatWasNotToldIsAnError) {
  const auto stream = JoinPastHello();
  Queue(11);
  EXPECT_THAT(hub_.Acknowledge(stream, 11),
              StatusIs(absl::StatusCode::kInvalidArgument));
  hub_.Take(stream);
  EXPECT_OK(hub_.Acknowledge(stream, 11));
  EXPECT_OK(hub_.Acknowledge(stream, -5));
}

TEST_F(WatchHubTest, TellsOnlyOfTokensThatWereNoted) {
  const auto stream = JoinForNoted();
  Ping(stream, 1);
  ASSERT_TRUE(Note(stream, token_, 10));
  Queue(11, Dead(other_));
  // Nobody has to be asked.
  EXPECT_TRUE(hub_.Take(stream).empty());
  EXPECT_EQ(hub_.Acked(11), 11);
  Queue(12, Dead(token_));
  EXPECT_EQ(hub_.Acked(12), 11);
  const WatchMessage message = hub_.Take(stream);
  ASSERT_THAT(message.changes, SizeIs(1));
  EXPECT_EQ(message.changes[0].seq, 12);
  EXPECT_EQ(message.changes[0].previous_seq, 10);
  EXPECT_EQ(message.changes[0].token, token_.entry.name.ToString());
  // The grant is of who has what was told.
  Queue(13, Dead(other_));
  EXPECT_EQ(Ping(stream, 2)->seq, 12);
  ASSERT_OK(hub_.Acknowledge(stream, 12));
  EXPECT_EQ(hub_.Acked(13), 13);
}

TEST_F(WatchHubTest, OnlyStreamsThatHaveSomethingToTellAreCalled) {
  const auto stream = JoinForNoted();
  ASSERT_TRUE(Note(stream, token_, 10));
  Queue(11, other_.entry);
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, 0);
  Queue(12);
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, 1);
}

TEST_F(WatchHubTest, AnAnswerFromBeforeAChangeToItsTokenIsNotNoted) {
  const auto stream = JoinForNoted();
  Queue(11, Dead(token_));
  EXPECT_FALSE(Note(stream, token_, 10));
  EXPECT_TRUE(Note(stream, token_, 11));
  EXPECT_TRUE(Note(stream, other_, 10));
  // Nor one of which that is not known.
  for (int seq = 12; seq <= 16; ++seq) Queue(seq, Dead(token_));
  EXPECT_FALSE(Note(stream, other_, 10));
  EXPECT_FALSE(Note(stream + 1, other_, 16));
}

TEST_F(WatchHubTest, AnUnknownIsToldOfSecretsThatBecomeLive) {
  const auto stream = JoinForNoted();
  Queue(11, token_.entry);
  EXPECT_FALSE(NoteUnknown(stream, 10));
  ASSERT_TRUE(NoteUnknown(stream, 11));
  Queue(12, Dead(other_));
  EXPECT_TRUE(hub_.Take(stream).empty());
  EXPECT_TRUE(NoteUnknown(stream, 11));
  Queue(13, token_.entry);
  EXPECT_THAT(hub_.Take(stream).changes, SizeIs(1));
  // It has dropped them all.
  Queue(14, token_.entry);
  EXPECT_TRUE(hub_.Take(stream).empty());
}

TEST_F(WatchHubTest, WhatABrokenStreamWasNotToldOfDoesNotMatterToIt) {
  const auto stream = JoinForNoted();
  Ping(stream, 1);
  ASSERT_TRUE(Note(stream, token_, 10));
  Queue(11, Dead(other_));
  hub_.Leave(stream);
  EXPECT_EQ(hub_.Acked(11), 11);
  // But whatever comes then, as far as is known.
  Queue(12, Dead(other_));
  EXPECT_EQ(hub_.Acked(12), 11);
  clock_.Advance(kLongTtl);
  EXPECT_EQ(hub_.Acked(12), 12);
}

TEST_F(WatchHubTest, WhoIsTooFarBehindHoldsUpUntilItsGrantHasEnded) {
  const auto stream = JoinPastHello();
  Ping(stream, 1);
  for (int seq = 11; seq <= 14; ++seq) Queue(seq);
  EXPECT_THAT(hub_.Take(stream).changes, SizeIs(4));
  EXPECT_TRUE(hub_.Take(stream).empty());
  Queue(15);
  ASSERT_OK(hub_.Acknowledge(stream, 14));
  EXPECT_EQ(hub_.Acked(15), 10);
  const int calls = listener_->calls;
  hub_.Deliver();
  EXPECT_EQ(listener_->calls, calls + 1);
  EXPECT_TRUE(hub_.Take(stream).end);
  hub_.Leave(stream);
  EXPECT_EQ(hub_.Acked(15), 10);
  clock_.Advance(kLongTtl);
  EXPECT_EQ(hub_.Acked(15), 15);
}

TEST_F(WatchHubTest, AStreamTooFarBehindIsEnded) {
  const auto stream = JoinPastHello();
  for (int seq = 11; seq <= 14; ++seq) Queue(seq);
  const auto kept = JoinPastHello();
  Queue(15);
  const WatchMessage message = hub_.Take(stream);
  ASSERT_TRUE(message.end);
  EXPECT_THAT(*message.end, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(hub_.Take(kept).changes, SizeIs(1));
}

TEST_F(WatchHubTest, NoMoreStreamsThanItMayServe) {
  for (int i = 0; i < 3; ++i) Join();
  EXPECT_THAT(hub_.Join(listener_).status(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(hub_.streams(), 3);
  hub_.Leave(1);
  EXPECT_TRUE(hub_.Join(listener_).ok());
}

TEST_F(WatchHubTest, NobodyJoinsBeforeTheIndexIsLoaded) {
  WatchHub hub({}, &lease_, &clock_);
  EXPECT_THAT(hub.Join(listener_).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WatchHubTest, AStreamRetiresWhenItsLastGrantHasEnded) {
  lease_.Extend(clock_.Now() + absl::Minutes(10));
  const auto stream = JoinPastHello();
  const BootTime begun = clock_.Now();
  int64_t pings = 0;
  while (Ping(stream, ++pings)->ttl == kTtl) clock_.Advance(absl::Seconds(1));
  EXPECT_GT(clock_.Now() - begun, absl::Minutes(3));
  EXPECT_LT(clock_.Now() - begun, absl::Minutes(7));
  EXPECT_FALSE(hub_.Take(stream).end);
  EXPECT_EQ(Ping(JoinPastHello(), 1)->ttl, kTtl);
  clock_.Advance(kLongTtl);
  hub_.Ping(stream, ++pings);
  const WatchMessage message = hub_.Take(stream);
  ASSERT_TRUE(message.end);
  EXPECT_THAT(*message.end, StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WatchHubTest, RetiringEndsAStreamWhenItsLastGrantHasEnded) {
  const auto stream = JoinPastHello();
  EXPECT_EQ(Ping(stream, 1)->ttl, kTtl);
  hub_.Retire();
  EXPECT_FALSE(hub_.Join(listener_).ok());
  EXPECT_EQ(Ping(stream, 2)->ttl, absl::ZeroDuration());
  Queue(11);
  EXPECT_THAT(hub_.Take(stream).changes, SizeIs(1));
  clock_.Advance(kLongTtl);
  hub_.Ping(stream, 3);
  EXPECT_TRUE(hub_.Take(stream).end);
}

// Fault: wait for the ping of a client that sends none.
TEST_F(WatchHubTest, AStreamWhoseClientSaysNothingRetiresToo) {
  const auto silent = JoinPastHello();
  hub_.Take(silent);
  hub_.Acked(10);
  EXPECT_EQ(listener_->calls, 0);
  clock_.Advance(absl::Minutes(7));
  hub_.Acked(10);
  EXPECT_EQ(listener_->calls, 1);
  EXPECT_TRUE(hub_.Take(silent).end);
}

TEST_F(WatchHubTest, ADrainDoesNotWaitForAClientThatSaysNothing) {
  const auto silent = JoinPastHello();
  EXPECT_EQ(Ping(silent, 1)->ttl, kTtl);
  hub_.Take(silent);
  hub_.Retire();
  hub_.Acked(10);
  EXPECT_FALSE(hub_.Take(silent).end);
  clock_.Advance(kLongTtl);
  hub_.Acked(10);
  EXPECT_TRUE(hub_.Take(silent).end);
}

TEST_F(WatchHubTest, ClosingEndsStreamsAndGivesNoGrants) {
  const auto stream = JoinPastHello();
  Ping(stream, 1);
  EXPECT_TRUE(hub_.Take(stream).empty());
  EXPECT_EQ(listener_->calls, 1);
  hub_.Close();
  EXPECT_EQ(listener_->calls, 2);
  const BootTime end = hub_.GrantsEnd();
  clock_.Advance(absl::Seconds(1));
  hub_.Ping(stream, 3);
  EXPECT_EQ(hub_.GrantsEnd(), end);
  const WatchMessage message = hub_.Take(stream);
  ASSERT_TRUE(message.end);
  EXPECT_THAT(*message.end, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(hub_.Join(listener_).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace wemasy::tokens
