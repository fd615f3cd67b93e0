// How a replica ends, and how it outlives a failover.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/sync_points_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(SyncPointsTest, AMissingRowClosesForGood) {
  Run();
  store_.rows.clear();
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kRowGone);
  EXPECT_FALSE(HasLease());
  FinishClosing();
}

TEST_F(SyncPointsTest, AHoleInTheLogClosesForGood) {
  Run();
  for (int i = 0; i < 3; ++i) store_.AppendPut(MakeTestToken(random_).entry);
  store_.log.erase(store_.log.begin() + 1);
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHole);
  EXPECT_FALSE(HasLease());
  FinishClosing();
  EXPECT_THAT(store_.rows, IsEmpty());
}

TEST_F(SyncPointsTest, AnEmptyLogBelowItsHeadIsAHole) {
  Run();
  store_.head = 5;
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHole);
}

TEST_F(SyncPointsTest, AnUnknownOperationClosesForGood) {
  Run();
  store_.AppendPut(MakeTestToken(random_).entry);
  store_.before = [](const std::string& method) {
    return method == "Renew" ? absl::DataLossError("operation 9")
                             : absl::OkStatus();
  };
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kUnknownOperation);
  EXPECT_FALSE(HasLease());
}

TEST_F(SyncPointsTest, ATimelineThatLostNothingIsAdoptedWithoutAGap) {
  Run();
  const BootTime before = lease_.Capture().end;
  clock_.Advance(absl::Seconds(1));
  store_.timeline = "00000002";
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(lease_.Capture().end, before) << "adoption itself is no lease";
  EXPECT_TRUE(HasLease());
  ASSERT_OK(steps_.Step());
  EXPECT_GT(lease_.Capture().end, before);
  EXPECT_FALSE(observer_.closed);
}

TEST_F(SyncPointsTest, AnAdoptionWhoseAnswerWasLostIsFound) {
  Run();
  store_.timeline = "00000002";
  bool lose_answer = true;
  store_.before = [&](const std::string& method) {
    if (method == "AdoptTimeline" && std::exchange(lose_answer, false)) {
      ReplicaRow& row = store_.rows.begin()->second;
      row.timeline = store_.timeline;
      ++row.renewals;
      return absl::UnavailableError("answer lost");
    }
    return absl::OkStatus();
  };
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_OK(steps_.Step());
  ASSERT_OK(steps_.Step());
  EXPECT_FALSE(observer_.closed);
  EXPECT_TRUE(HasLease());
}

TEST_F(SyncPointsTest, ATimelineWithoutOurRenewalsIsLostHistory) {
  Run();
  store_.timeline = "00000002";
  store_.rows.begin()->second.renewals = 0;
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_FALSE(HasLease());
  EXPECT_TRUE(store_.lost_history);
}

// Fault: a row that others took away looks like one that a failover lost.
TEST_F(SyncPointsTest, ARowThatWasReapedOnANewTimelineIsNoLostHistory) {
  Run();
  store_.timeline = "00000002";
  store_.reaped[store_.rows.begin()->first] = 1;
  store_.rows.clear();
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kRowGone);
  EXPECT_FALSE(store_.lost_history);
}

TEST_F(SyncPointsTest, ARowThatWasReapedWithFewerRenewalsIsLostHistory) {
  Run();
  store_.timeline = "00000002";
  store_.reaped[store_.rows.begin()->first] = 0;
  store_.rows.clear();
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
}

TEST_F(SyncPointsTest, AHeadBelowWhatWasAppliedIsLostHistory) {
  for (int i = 0; i < 3; ++i) store_.AppendPut(MakeTestToken(random_).entry);
  Run();
  store_.head = 2;
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_FALSE(HasLease());
}

// Fault: take it for a row that others took away, though changes are missing,
// too. A backup that was restored has the timeline that it always had.
TEST_F(SyncPointsTest, AMissingRowAndAHeadBelowIsLostHistory) {
  for (int i = 0; i < 3; ++i) store_.AppendPut(MakeTestToken(random_).entry);
  Run();
  store_.head = 2;
  store_.rows.clear();
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_TRUE(store_.lost_history);
}

// Fault: apply what others changed since, for what is gone.
TEST_F(SyncPointsTest, RenewalsThatAreMissingAreLostHistory) {
  Run();
  store_.rows.begin()->second.renewals = 0;
  store_.AppendPut(MakeTestToken(random_).entry);
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_FALSE(HasLease());
  EXPECT_EQ(index_.size(), 0);
}

// Fault: go on where another one has seen a loss.
TEST_F(SyncPointsTest, ClosesWhenAnotherHasMarkedTheDatabase) {
  Run();
  store_.lost_history = "changes 3 to 5";
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_FALSE(HasLease());
  EXPECT_EQ(*store_.lost_history, "changes 3 to 5");
}

// Its load may be from before the mark.
TEST_F(SyncPointsTest, HasNoLeaseEverIfMarkedWhileItRegisters) {
  store_.before = [&](const std::string& method) {
    if (method == "Register") store_.lost_history = "changes 3 to 5";
    return absl::OkStatus();
  };
  ASSERT_OK(steps_.Step());
  ASSERT_OK(steps_.Step());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  EXPECT_FALSE(HasLease());
}

// Faults: leave, though the next process will not know; take new changes for
// those that are gone.
TEST_F(SyncPointsTest, StaysUntilTheLossIsMarked) {
  for (int i = 0; i < 3; ++i) store_.AppendPut(MakeTestToken(random_).entry);
  Run();
  store_.head = 2;
  RefuseMarks();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_FALSE(HasLease());
    EXPECT_FALSE(observer_.closed);
    store_.head = 3;
  }
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(store_.lost_history);
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
  FinishClosing();
}

// Faults: believe in a row that was taken away, on the old timeline or a new
// one, and forget what was seen before.
TEST_F(SyncPointsTest, StaysUntilTheLossIsMarkedThoughItsRowIsGone) {
  for (int i = 0; i < 3; ++i) store_.AppendPut(MakeTestToken(random_).entry);
  Run();
  store_.head = 2;
  RefuseMarks();
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  store_.head = 3;
  store_.reaped[store_.rows.begin()->first] = 100;
  store_.rows.clear();
  for (const char* timeline : {"00000001", "00000002"}) {
    store_.timeline = timeline;
    EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_FALSE(observer_.closed);
  }
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(store_.lost_history);
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
}

// Fault: mark the database that is found next, whatever it has.
TEST_F(SyncPointsTest, ADatabaseThatLostNothingIsNotMarkedForAnother) {
  Run();
  store_.timeline = "00000002";
  const int64_t renewals =
      std::exchange(store_.rows.begin()->second.renewals, 0);
  RefuseMarks();
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(HasLease());
  EXPECT_FALSE(observer_.closed);
  store_.timeline = "00000001";
  store_.rows.begin()->second.renewals = renewals;
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_FALSE(store_.lost_history);
  EXPECT_FALSE(HasLease());
  EXPECT_EQ(observer_.closed, CloseReason::kHistoryLost);
}

TEST_F(SyncPointsTest, StaysClosedAfterLostHistoryUntilItIsAccepted) {
  store_.lost_history = "changes 3 to 5";
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<NextStep> again = steps_.Step();
    ASSERT_OK(again);
    EXPECT_EQ(*again, NextStep::kRest);
    EXPECT_EQ(steps_.state(), SyncPoints::State::kStarting);
  }
  ASSERT_THAT(observer_.notices, SizeIs(1));
  EXPECT_THAT(observer_.notices[0], HasSubstr("accept-lost-history"));
  store_.lost_history.reset();
  Run();
}

TEST_F(SyncPointsTest, ALoadFromAnotherTimelineIsLoadedAgain) {
  TestToken lost = MakeTestToken(random_);
  store_.snapshot.push_back(lost.entry);
  store_.before = [&](const std::string& method) {
    if (method == "Register") {
      store_.timeline = "00000002";
      store_.snapshot.clear();
      store_.before = [](const std::string&) { return absl::OkStatus(); };
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<NextStep> first = steps_.Step();
  ASSERT_OK(first);
  EXPECT_EQ(*first, NextStep::kGoOn);
  EXPECT_EQ(steps_.state(), SyncPoints::State::kStarting);
  Run();
  EXPECT_FALSE(Knows(lost));
}

TEST_F(SyncPointsTest, ARestartNeverTakesOverARow) {
  Run();
  const std::string first = store_.rows.begin()->first;
  TokenIndex index;
  Lease lease;
  WatchHub hub({kClientTtl}, &lease, &clock_);
  SyncPoints restarted({kTtl}, &store_, &index, &lease, &hub, &barrier_,
                       &clock_, &random_, &observer_);
  ASSERT_OK(restarted.Step());
  EXPECT_THAT(store_.rows, SizeIs(2));
}

TEST_F(SyncPointsTest, StoppingEndsTheLeaseBeforeTheRowGoes) {
  Run();
  store_.before = [&](const std::string& method) {
    if (method == "Deregister") {
      EXPECT_FALSE(HasLease());
    }
    return absl::OkStatus();
  };
  steps_.Stop();
  FinishClosing();
  EXPECT_THAT(store_.rows, IsEmpty());
  EXPECT_EQ(observer_.closed, CloseReason::kStopped);
}

}  // namespace
}  // namespace wemasy::tokens
