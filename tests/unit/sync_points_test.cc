// The replica's side of the coherence protocol, against a database in memory.
#include "server/coherence/sync_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_replica_store.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kTtl = absl::Seconds(10);
// What is left of it on a clock that may run slow by a thousandth.
constexpr absl::Duration kSafeTtl = absl::Milliseconds(9990);

constexpr absl::Duration kClientTtl = absl::Seconds(2);

class SilentListener final : public WatchListener {
 public:
  void OnReady() override {}
};

class RecordingObserver final : public ReplicaObserver {
 public:
  void OnLoaded(int64_t entries, int64_t) override { loaded = entries; }
  void OnSyncPoint(int64_t, BootTime) override { ++sync_points; }
  void OnFailure(const absl::Status&) override { ++failures; }
  void OnNotice(absl::string_view text) override { notices.emplace_back(text); }
  void OnReaped(absl::string_view id) override { reaped.emplace_back(id); }
  void OnClosed(CloseReason why, absl::string_view) override { closed = why; }

  int64_t loaded = -1;
  int sync_points = 0;
  int failures = 0;
  std::vector<std::string> notices;
  std::vector<std::string> reaped;
  absl::optional<CloseReason> closed;
};

class QuietBarrierObserver final : public BarrierObserver {
 public:
  void OnWaited(WaitEnd, absl::Duration) override {}
};

class SyncPointsTest : public ::testing::Test {
 protected:
  bool HasLease() { return clock_.Now() < lease_.Capture().end; }
  bool Knows(const TestToken& token) {
    return index_.Visit(token.entry.digest, [](IndexSlot&) {});
  }
  bool SaysDead(const TestToken& token) {
    bool dead = false;
    index_.Visit(token.entry.digest, [&](IndexSlot& slot) {
      dead = slot.dead_nanos != IndexSlot::kNever;
    });
    return dead;
  }
  void Run() {
    ASSERT_OK(steps_.Step());
    ASSERT_EQ(steps_.state(), SyncPoints::State::kRunning);
    ASSERT_OK(steps_.Step());
    ASSERT_TRUE(HasLease());
  }

  // Takes the last step, after which the replica is gone.
  void FinishClosing() {
    ASSERT_EQ(steps_.state(), SyncPoints::State::kClosing);
    ASSERT_OK(steps_.Step());
    ASSERT_EQ(steps_.state(), SyncPoints::State::kClosed);
  }
  // A client that has joined and has a grant.
  WatchStreams::StreamId Watch() {
    const auto stream = hub_.Join(std::make_shared<SilentListener>());
    EXPECT_TRUE(stream.ok());
    hub_.Ping(*stream, 1);
    while (!hub_.Take(*stream).empty()) {
    }
    return *stream;
  }
  // A change that revokes nothing anybody knows, at the database.
  void Change() { store_.AppendPut(MakeTestToken(random_).entry); }
  // What the one replica has acknowledged.
  int64_t Acked() { return store_.acked[store_.rows.begin()->first]; }
  NextStep Step() {
    const absl::StatusOr<NextStep> next = steps_.Step();
    EXPECT_TRUE(next.ok());
    return next.value_or(NextStep::kRest);
  }

  FakeBootClock clock_;
  FakeRandom random_;
  FakeReplicaStore store_;
  TokenIndex index_;
  Lease lease_;
  RecordingObserver observer_;
  QuietBarrierObserver barrier_observer_;
  WatchHub hub_{{kClientTtl}, &lease_, &clock_};
  Barrier barrier_{{kTtl}, &clock_, &barrier_observer_};
  SyncPoints steps_{{kTtl},    &store_, &index_,  &lease_,   &hub_,
                    &barrier_, &clock_, &random_, &observer_};
};

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
  clock_.Advance(absl::Seconds(1));
  token.entry.dead_at = store_.now;
  store_.AppendPut(token.entry);
  store_.before = [&](const std::string& method) {
    // Until the revocation is in the index, the lease stays what it was.
    if (method == "FetchChanges") {
      EXPECT_EQ(lease_.Capture().end, before);
    }
    return absl::OkStatus();
  };
  ASSERT_OK(steps_.Step());
  EXPECT_THAT(store_.calls, Contains("FetchChanges"));
  EXPECT_TRUE(SaysDead(token));
  EXPECT_GT(lease_.Capture().end, before);
  EXPECT_EQ(lease_.Capture().applied, 1);
}

TEST_F(SyncPointsTest, AFailedFetchExtendsNothing) {
  TestToken token = MakeTestToken(random_);
  Run();
  const BootTime before = lease_.Capture().end;
  clock_.Advance(absl::Seconds(1));
  store_.AppendPut(token.entry);
  store_.before = [](const std::string& method) {
    return method == "FetchChanges" ? absl::UnavailableError("cut")
                                    : absl::OkStatus();
  };
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(observer_.failures, 1);
  EXPECT_EQ(lease_.Capture().end, before);
  EXPECT_EQ(steps_.state(), SyncPoints::State::kRunning);
  store_.before = [](const std::string&) { return absl::OkStatus(); };
  ASSERT_OK(steps_.Step());
  EXPECT_TRUE(Knows(token));
}

TEST_F(SyncPointsTest, ARenewalInDoubtAppliesAndExtendsNothing) {
  Run();
  const BootTime before = lease_.Capture().end;
  clock_.Advance(absl::Seconds(1));
  store_.AppendPut(MakeTestToken(random_).entry);
  store_.calls.clear();
  store_.before = [](const std::string&) {
    return absl::UnavailableError("in doubt");
  };
  EXPECT_THAT(steps_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(store_.calls, Not(Contains("FetchChanges")));
  EXPECT_EQ(lease_.Capture().end, before);
  clock_.Advance(kTtl);
  EXPECT_FALSE(HasLease());
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

TEST_F(SyncPointsTest, ALargeBacklogIsAppliedInPiecesAndLeasedAtItsEnd) {
  Run();
  TestToken token = MakeTestToken(random_);
  for (int i = 0; i < 20'000; ++i) store_.AppendPut(token.entry);
  clock_.Advance(kTtl);
  const absl::StatusOr<NextStep> first = steps_.Step();
  ASSERT_OK(first);
  EXPECT_EQ(*first, NextStep::kGoOn);
  EXPECT_GT(steps_.applied(), 0);
  EXPECT_LT(steps_.applied(), 20'000);
  EXPECT_FALSE(HasLease());
  const absl::StatusOr<NextStep> second = steps_.Step();
  ASSERT_OK(second);
  EXPECT_EQ(*second, NextStep::kAcknowledge);
  EXPECT_EQ(steps_.applied(), 20'000);
  EXPECT_TRUE(HasLease());
}

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
    return method == "FetchChanges" ? absl::DataLossError("operation 9")
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
