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
  void Queue(int64_t seq) {
    Change change;
    change.seq = seq;
    change.operation = ChangeOperation::kPut;
    change.entry = token_.entry;
    hub_.Queue(change);
  }
  // The grant that a ping is answered with, if it comes next.
  absl::optional<WatchGrant> Ping(WatchStreams::StreamId stream, int64_t id) {
    hub_.Ping(stream, id);
    return hub_.Take(stream).grant;
  }

  FakeBootClock clock_;
  FakeRandom random_;
  const TestToken token_ = MakeTestToken(random_);
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
  Change dead;
  dead.seq = 11;
  dead.operation = ChangeOperation::kPut;
  dead.entry = token_.entry;
  dead.entry.dead_at = absl::FromUnixSeconds(1'800'000'000);
  hub_.Queue(dead);
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
