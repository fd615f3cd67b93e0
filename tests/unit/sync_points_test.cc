// Loading, renewing, applying, acknowledging: how a lease comes about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tests/unit/sync_points_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(SyncPointsTest, LoadGivesNoLeaseTheFirstSyncPointDoes) {
  TestToken token = MakeTestToken(random_);
  store_.snapshot.push_back(token.entry);
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(Knows(token));
  EXPECT_THAT(store_.rows, SizeIs(1));
  EXPECT_FALSE(HasLease());
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(HasLease());
}

TEST_F(SyncPointsTest, LeaseCountsFromBeforeTheRenewalWasSent) {
  Run();
  const BootTime sent = clock_.Now() + absl::Seconds(1);
  clock_.Advance(absl::Seconds(1));
  store_.before = [&](const std::string& method) {
    if (method == "Renew") clock_.Advance(absl::Seconds(3));
    return absl::OkStatus();
  };
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(lease_.Capture().end, sent + kSafeTtl);
}

TEST_F(SyncPointsTest, ChangesAreAppliedBeforeTheLeaseIsExtended) {
  TestToken token = MakeTestToken(random_);
  store_.snapshot.push_back(token.entry);
  Run();
  const BootTime before = lease_.Capture().end;
  bool is_told = false;
  // Clients are told when the revocation is in the index, and until then the
  // lease stays what it was.
  class Listener final : public WatchListener {
   public:
    explicit Listener(std::function<void()> tell) : tell_(std::move(tell)) {}
    void OnReady() override { tell_(); }

   private:
    const std::function<void()> tell_;
  };
  const auto client = hub_.Join(std::make_shared<Listener>([&] {
    is_told = true;
    EXPECT_TRUE(SaysDead(token));
    EXPECT_EQ(lease_.Capture().end, before);
  }));
  ASSERT_OK(client);
  while (!hub_.Take(*client).empty()) {
  }
  clock_.Advance(absl::Seconds(1));
  token.entry.dead_at = store_.now;
  store_.AppendPut(token.entry);
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(is_told);
  EXPECT_TRUE(SaysDead(token));
  EXPECT_GT(lease_.Capture().end, before);
  EXPECT_EQ(lease_.Capture().applied, 1);
}

TEST_F(SyncPointsTest, ARenewalInDoubtAppliesAndExtendsNothing) {
  Run();
  const BootTime before = lease_.Capture().end;
  clock_.Advance(absl::Seconds(1));
  const TestToken token = MakeTestToken(random_);
  store_.AppendPut(token.entry);
  store_.before = [](const std::string&) {
    return absl::UnavailableError("in doubt");
  };
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(observer_.failures, 1);
  EXPECT_FALSE(Knows(token));
  EXPECT_EQ(lease_.Capture().end, before);
  EXPECT_EQ(steps_.state(), SyncPoints::State::kRunning);
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(Knows(token));
  EXPECT_GT(lease_.Capture().end, before);
}

// Fault: acknowledge before apply.
TEST_F(SyncPointsTest, AChangeIsAcknowledgedOnceItIsInTheIndex) {
  Run();
  const std::string own = store_.rows.begin()->first;
  TestToken token = MakeTestToken(random_);
  store_.AppendPut(token.entry);
  const absl::StatusOr<NextStep> applying = steps_.Step();
  ASSERT_OK(applying);
  EXPECT_EQ(*applying, NextStep::kAcknowledge);
  EXPECT_TRUE(Knows(token));
  EXPECT_EQ(store_.acked[own], 0);
  const absl::StatusOr<NextStep> acknowledging = steps_.Step();
  ASSERT_OK(acknowledging);
  EXPECT_EQ(*acknowledging, NextStep::kRest);
  EXPECT_EQ(store_.acked[own], 1);
}

TEST_F(SyncPointsTest, TheRowSaysHowLongItsLeasesMayBe) {
  Run();
  EXPECT_EQ(store_.ttls[store_.rows.begin()->first], kTtl);
}

// Fault: what the barrier learns is not what was confirmed.
TEST_F(SyncPointsTest, TheBarrierSeesConfirmedAcknowledgementsOnly) {
  Run();
  CommitStamp commit;
  commit.seq = 1;
  commit.timeline = store_.timeline;
  commit.returned_at = clock_.Now();
  commit.replicas = {store_.rows.begin()->first};
  const auto is_over = [&] {
    return barrier_.Await(commit, {clock_.Now(), {}}).ok();
  };
  store_.AppendPut(MakeTestToken(random_).entry);
  ASSERT_OK(steps_.Step());
  EXPECT_FALSE(is_over());
  store_.before = [](const std::string&) {
    return absl::UnavailableError("in doubt");
  };
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(is_over());
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(is_over());
}

TEST_F(SyncPointsTest, TheRowOfADeadReplicaIsTakenAwayButNotOfALiveOne) {
  Run();
  store_.rows["dead"] = {"dead", store_.timeline, 5};
  store_.rows["live"] = {"live", store_.timeline, 5};
  // A lease's length, a little more, and a look.
  for (int i = 0; i < 7; ++i) {
    ++store_.rows["live"].renewals;
    ASSERT_OK(steps_.Step());
    clock_.Advance(kTtl / 5);
  }
  EXPECT_THAT(store_.rows, SizeIs(2));
  EXPECT_THAT(observer_.reaped, ElementsAre("dead"));
}

TEST_F(SyncPointsTest, ARowThatWasRenewedSinceItWasSeenStays) {
  Run();
  store_.rows["slow"] = {"slow", store_.timeline, 5};
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(steps_.Step());
    clock_.Advance(kTtl / 4);
  }
  store_.before = [&](const std::string& method) {
    if (method == "Reap") ++store_.rows["slow"].renewals;
    return absl::OkStatus();
  };
  ASSERT_OK(steps_.Step());
  EXPECT_THAT(store_.calls, Contains("Reap"));
  EXPECT_THAT(observer_.reaped, IsEmpty());
  EXPECT_THAT(store_.rows, SizeIs(2));
}

// Fault: a row that lost a renewal in a failover was "as it was seen".
TEST_F(SyncPointsTest, ReapingBeginsAnewOnAnotherTimeline) {
  Run();
  store_.rows["cut-off"] = {"cut-off", store_.timeline, 5};
  const auto step_for = [&](int quarters) {
    for (int i = 0; i < quarters; ++i) {
      ASSERT_OK(steps_.Step());
      clock_.Advance(kTtl / 4);
    }
  };
  step_for(3);
  store_.timeline = "00000002";
  ASSERT_OK(steps_.Step());
  step_for(4);
  EXPECT_THAT(store_.calls, Not(Contains("Reap")));
  step_for(2);
  EXPECT_THAT(observer_.reaped, ElementsAre("cut-off"));
}

TEST_F(SyncPointsTest, ALargeBacklogIsAppliedInPiecesAndLeasedAtItsEnd) {
  Run();
  TestToken token = MakeTestToken(random_);
  for (int i = 0; i < 2 * kChangesPerRenewal; ++i) {
    store_.AppendPut(token.entry);
  }
  clock_.Advance(kTtl);
  EXPECT_EQ(Step(), NextStep::kGoOn);
  EXPECT_EQ(steps_.applied(), kChangesPerRenewal);
  EXPECT_FALSE(HasLease());
  EXPECT_EQ(Step(), NextStep::kAcknowledge);
  EXPECT_EQ(steps_.applied(), 2 * kChangesPerRenewal);
  EXPECT_TRUE(HasLease());
}

TEST_F(SyncPointsTest, AcknowledgesOnlyWhatItsClientsHave) {
  Run();
  const auto client = Watch();
  Change();
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(Acked(), 0);
  EXPECT_THAT(hub_.Take(client).changes, SizeIs(1));
  ASSERT_OK(hub_.Acknowledge(client, 1));
  EXPECT_EQ(Step(), NextStep::kRest);
  EXPECT_EQ(Acked(), 1);
}

TEST_F(SyncPointsTest, AcknowledgesWhenTheGrantOfASilentClientHasEnded) {
  Run();
  Watch();
  Change();
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(steps_.NextExpiry(),
            clock_.Now() + kClientTtl + kClientTtl / kClockDriftDivisor);
  clock_.Advance(kClientTtl);
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(Acked(), 0);
  clock_.Advance(kClientTtl / kClockDriftDivisor);
  EXPECT_EQ(Step(), NextStep::kRest);
  EXPECT_EQ(Acked(), 1);
}

TEST_F(SyncPointsTest, ABrokenStreamHoldsItsAcknowledgementUp) {
  Run();
  hub_.Leave(Watch());
  Change();
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(Step(), NextStep::kAwaitClients);
  EXPECT_EQ(Acked(), 0);
  clock_.Advance(kClientTtl + kClientTtl / kClockDriftDivisor);
  Step();
  EXPECT_EQ(Acked(), 1);
}

TEST_F(SyncPointsTest, AcknowledgesAtOnceWithoutClients) {
  Run();
  Change();
  EXPECT_EQ(Step(), NextStep::kAcknowledge);
  EXPECT_EQ(Step(), NextStep::kRest);
  EXPECT_EQ(Acked(), 1);
}

TEST_F(SyncPointsTest, TheRowStaysUntilTheLastGrantHasEnded) {
  Run();
  hub_.Leave(Watch());
  clock_.Advance(absl::Seconds(1));
  Watch();
  steps_.Stop();
  EXPECT_FALSE(HasLease());
  EXPECT_FALSE(hub_.Join(std::make_shared<SilentListener>()).ok());
  EXPECT_EQ(Step(), NextStep::kRest);
  clock_.Advance(kClientTtl);
  EXPECT_EQ(Step(), NextStep::kRest);
  EXPECT_EQ(steps_.state(), SyncPoints::State::kClosing);
  EXPECT_THAT(store_.rows, SizeIs(1));
  clock_.Advance(kClientTtl / kClockDriftDivisor);
  FinishClosing();
  EXPECT_THAT(store_.rows, IsEmpty());
}

}  // namespace
}  // namespace wemasy::tokens
