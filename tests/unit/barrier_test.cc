// The wait for all replicas, step by step: nothing here waits for real time,
// as a wait whose deadline is now says what it would have done.
#include "server/coherence/barrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(10);
constexpr char kFirst[] = "00000001";
constexpr char kSecond[] = "00000002";

class RecordingObserver final : public BarrierObserver {
 public:
  void OnWaited(WaitEnd end, absl::Duration) override { ends.push_back(end); }
  std::vector<WaitEnd> ends;
};

ReplicaOptions Options(bool synchronous_failover = false) {
  ReplicaOptions options;
  options.ttl = kTtl;
  options.synchronous_failover = synchronous_failover;
  return options;
}

ListedReplica Listed(std::string id, int64_t acked,
                     std::string timeline = kFirst, absl::Duration ttl = kTtl) {
  return {{std::move(id), std::move(timeline), 1}, acked, ttl};
}

class BarrierTest : public ::testing::Test {
 protected:
  // What a sync point of the replica "own" sees, which acknowledges `acked`.
  void Learn(int64_t head, int64_t acked, std::vector<ListedReplica> others,
             const std::string& timeline = kFirst) {
    Renewal renewal;
    renewal.head = head;
    renewal.replicas = std::move(others);
    barrier_.Learn({"own", timeline, 2}, acked, renewal);
  }
  CommitStamp Commit(int64_t seq, std::vector<std::string> replicas,
                     const std::string& timeline = kFirst) {
    CommitStamp commit;
    commit.seq = seq;
    commit.timeline = timeline;
    commit.returned_at = clock_.Now();
    commit.replicas = std::move(replicas);
    return commit;
  }
  // Waits no longer than now.
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit) {
    return barrier_.Await(commit, {clock_.Now(), {}});
  }
  bool IsOver(const CommitStamp& commit) { return Await(commit).ok(); }

  FakeBootClock clock_;
  RecordingObserver observer_;
  Barrier barrier_{Options(), &clock_, &observer_};
};

TEST_F(BarrierTest, WaitsForTheAcknowledgementOfEveryListedReplica) {
  const CommitStamp commit = Commit(7, {"a", "b", "own"});
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 6, {Listed("a", 7), Listed("b", 6)});
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 7, {Listed("a", 7), Listed("b", 6)});
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 7, {Listed("a", 9), Listed("b", 7)});
  const auto receipt = Await(commit);
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 3);
  EXPECT_EQ(receipt->gone_replicas, 0);
  EXPECT_EQ(receipt->expired_replicas, 0);
  EXPECT_EQ(observer_.ends.back(), WaitEnd::kAcknowledged);
}

TEST_F(BarrierTest, TheOwnRowCountsAsItWasJustRenewed) {
  // The table has it as it was before.
  Learn(7, 7, {Listed("own", 3)});
  EXPECT_TRUE(IsOver(Commit(7, {"own"})));
}

TEST_F(BarrierTest, NobodyListedMeansNobodyToWaitFor) {
  const auto receipt = Await(Commit(7, {}));
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 0);
}

// Fault: a view from before the row was there is taken for its end.
TEST_F(BarrierTest, GoneIsWhoAViewAfterTheCommitDoesNotHave) {
  const CommitStamp commit = Commit(7, {"a", "own"});
  Learn(6, 6, {});
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 7, {});
  const auto receipt = Await(commit);
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 1);
  EXPECT_EQ(receipt->gone_replicas, 1);
  EXPECT_EQ(observer_.ends.back(), WaitEnd::kGone);
}

TEST_F(BarrierTest, WhatAnotherTimelineLacksMayLive) {
  Learn(9, 9, {}, kSecond);
  // The other timeline itself is old enough to be trusted.
  clock_.Advance(LongestLease(kTtl));
  EXPECT_TRUE(IsOver(Commit(9, {"gone"}, kSecond)));
  EXPECT_FALSE(IsOver(Commit(7, {"a"}, kFirst)));
}

TEST_F(BarrierTest, AcknowledgementsOfAnotherTimelineAreOfOtherChanges) {
  Learn(6, 6, {}, kSecond);
  clock_.Advance(LongestLease(kTtl));
  const CommitStamp commit = Commit(7, {"a"}, kSecond);
  Learn(7, 7, {Listed("a", 7, kFirst)}, kSecond);
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 7, {Listed("a", 7, kSecond)}, kSecond);
  EXPECT_TRUE(IsOver(commit));
}

TEST_F(BarrierTest, EndsWhenNoLeaseFromBeforeCanBeHeld) {
  const CommitStamp commit = Commit(7, {"a", "b", "own"});
  Learn(7, 7, {Listed("a", 6), Listed("b", 7)});
  clock_.Advance(LongestLease(kTtl) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(absl::Nanoseconds(1));
  const auto receipt = Await(commit);
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 2);
  EXPECT_EQ(receipt->expired_replicas, 1);
  EXPECT_EQ(observer_.ends.back(), WaitEnd::kExpired);
  // A holder's slow clock and the waiter's fast one: a thousandth each.
  EXPECT_GE(LongestLease(kTtl), kTtl * 1.001);
  EXPECT_LE(SafeTtl(kTtl), kTtl * 0.999);
}

// Fault: reckon with the own leases' length.
TEST_F(BarrierTest, LeasesOfOthersMayBeLonger) {
  CommitStamp commit = Commit(7, {"a", "own"});
  commit.longest_ttl = 2 * kTtl;
  Learn(7, 7, {Listed("a", 6, kFirst, 2 * kTtl)});
  clock_.Advance(LongestLease(2 * kTtl) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(commit));
}

TEST_F(BarrierTest, ARowThatDoesNotSayHasLeasesAsLongAsTheOwn) {
  const CommitStamp commit = Commit(7, {"a", "own"});
  Learn(7, 7, {Listed("a", 6, kFirst, absl::ZeroDuration())});
  clock_.Advance(LongestLease(kTtl) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(commit));
}

TEST_F(BarrierTest, ADeadlineThatComesFirstIsNoConfirmation) {
  Learn(7, 7, {Listed("a", 6)});
  EXPECT_EQ(Await(Commit(7, {"own", "a"})).status(),
            absl::DeadlineExceededError("1 of 2 replicas have not; the wait is "
                                        "over in at most 11s"));
  EXPECT_EQ(observer_.ends.back(), WaitEnd::kGivenUp);
}

TEST_F(BarrierTest, ACallerWhoWentAwayIsNotWaitedFor) {
  EXPECT_THAT(barrier_.Await(Commit(7, {"a"}),
                             {BootTime::InfiniteFuture(), [] { return true; }}),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(observer_.ends.back(), WaitEnd::kGivenUp);
}

TEST_F(BarrierTest, WhomNobodyListedAreThoseOfAViewAfterTheCommit) {
  CommitStamp commit = Commit(7, {});
  commit.replicas.reset();
  Learn(6, 6, {Listed("a", 9)});
  EXPECT_FALSE(IsOver(commit));
  Learn(7, 7, {Listed("a", 6)});
  EXPECT_FALSE(IsOver(commit));
  Learn(8, 8, {Listed("a", 7)});
  EXPECT_TRUE(IsOver(commit));
}

// Fault: end by the own leases' length, though one whom this process has never
// seen may have longer ones.
TEST_F(BarrierTest, WhomNobodyListedMayHaveLongerLeases) {
  CommitStamp commit = Commit(7, {});
  commit.replicas.reset();
  clock_.Advance(LongestLease(kTtl));
  EXPECT_EQ(
      Await(commit).status(),
      absl::DeadlineExceededError("it is not known yet which replicas have"));
  Learn(7, 7, {Listed("a", 6, kFirst, 2 * kTtl)});
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(LongestLease(2 * kTtl) - LongestLease(kTtl));
  EXPECT_TRUE(IsOver(commit));
}

// Fault: wait for a table of the commit's timeline, when a failover ended its
// session.
TEST_F(BarrierTest, WhomNobodyListedAreThoseOfALaterTimeline) {
  CommitStamp commit = Commit(7, {});
  commit.replicas.reset();
  Learn(7, 7, {Listed("a", 7, kSecond, 2 * kTtl)}, kSecond);
  clock_.Advance(LongestLease(2 * kTtl) - absl::Nanoseconds(1));
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(commit));
}

// Fault: judge by the timeline of the last table, which may be an old one that
// comes late.
TEST_F(BarrierTest, AYoungTimelineIsSoThoughAnOldOneIsSeenAfterIt) {
  Barrier::Wait wait = barrier_.Begin(Commit(7, {}, kSecond));
  Learn(7, 7, {});
  EXPECT_EQ(barrier_.Look(wait), absl::nullopt);
}

// Fault: each look of a wait makes the present timeline young again.
TEST_F(BarrierTest, AWaitFromBeforeAFailoverHoldsUpNobodyElse) {
  Barrier::Wait wait = barrier_.Begin(Commit(7, {"a"}));
  Learn(7, 7, {}, kSecond);
  clock_.Advance(LongestLease(kTtl) / 2);
  barrier_.Look(wait);
  Learn(8, 8, {}, kSecond);
  clock_.Advance(LongestLease(kTtl) / 2);
  EXPECT_TRUE(IsOver(Commit(8, {"own"}, kSecond)));
}

// Fault: return early on a timeline that may lack the row of a live replica.
TEST_F(BarrierTest, AYoungTimelineIsWaitedOut) {
  Learn(7, 7, {}, kSecond);
  clock_.Advance(LongestLease(kTtl) - absl::Nanoseconds(1));
  const CommitStamp commit = Commit(7, {"own"}, kSecond);
  EXPECT_FALSE(IsOver(commit));
  EXPECT_FALSE(IsOver(Commit(7, {}, kSecond)));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(commit));
}

TEST_F(BarrierTest, AYoungTimelineIsWaitedOutForTheLongestLease) {
  Learn(7, 7, {Listed("a", 7, kSecond, 2 * kTtl)}, kSecond);
  clock_.Advance(LongestLease(2 * kTtl) - absl::Nanoseconds(1));
  CommitStamp commit = Commit(7, {"a", "own"}, kSecond);
  commit.longest_ttl = 2 * kTtl;
  EXPECT_FALSE(IsOver(commit));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(IsOver(commit));
}

TEST_F(BarrierTest, ACommitMayBeTheFirstToSeeATimeline) {
  Learn(6, 6, {});
  EXPECT_FALSE(IsOver(Commit(7, {}, kSecond)));
}

// Fault: trust what comes after a cluster's upgrade for its age before.
TEST_F(BarrierTest, TimelinesMayBeginAnew) {
  Learn(6, 6, {}, "00000003");
  clock_.Advance(LongestLease(kTtl));
  Learn(6, 6, {}, kFirst);
  EXPECT_FALSE(IsOver(Commit(7, {}, kSecond)));
}

TEST_F(BarrierTest, ATimelineIsTrustedAtOnceIfFailoverIsSynchronous) {
  Barrier trusting(Options(/*synchronous_failover=*/true), &clock_, &observer_);
  EXPECT_OK(trusting.Await(Commit(7, {}, kSecond), {clock_.Now(), {}}));
}

// Fault: news wake nobody.
TEST_F(BarrierTest, AWaitEndsAsSoonAsTheNewsAreThere) {
  // Without the news it would last longer than this test may.
  ReplicaOptions options = Options();
  options.ttl = absl::Hours(1);
  Barrier patient(options, &clock_, &observer_);
  const CommitStamp commit = Commit(7, {"own"});
  const int reads = clock_.reads();
  std::thread waiter([&] {
    EXPECT_OK(patient.Await(commit, {BootTime::InfiniteFuture(), {}}));
  });
  // The second time it has the lock, until it waits.
  while (clock_.reads() < reads + 2) std::this_thread::yield();
  Renewal renewal;
  renewal.head = 7;
  patient.Learn({"own", kFirst, 2}, 7, renewal);
  waiter.join();
}

TEST_F(BarrierTest, CountsTheReplicasThatItKnows) {
  EXPECT_EQ(barrier_.replicas(), 0);
  Learn(7, 7, {Listed("own", 3), Listed("a", 7)});
  EXPECT_EQ(barrier_.replicas(), 2);
}

}  // namespace
}  // namespace wemasy::tokens
