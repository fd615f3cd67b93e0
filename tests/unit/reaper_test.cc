// When the row of another replica may be taken away.
#include "server/coherence/reaper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/coherence/replica_options.h"
#include "tests/support/fake_clock.h"

namespace wemasy::tokens {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kTtl = absl::Seconds(10);
// The reaper's clock may be fast and the holder's slow.
const absl::Duration kPatience = kTtl * 1.002 + kTimerSlack;

class ReaperTest : public ::testing::Test {
 protected:
  // A look at the table that takes `took`.
  void Look(const std::vector<ListedReplica>& replicas,
            absl::Duration took = absl::ZeroDuration()) {
    const BootTime asked_at = clock_.Now();
    clock_.Advance(took);
    reaper_.Observe("own", replicas, asked_at, clock_.Now());
  }
  std::vector<ReplicaRow> Due() { return reaper_.Due(clock_.Now()); }
  // Looks now and then until `duration` has passed.
  void KeepLooking(const std::vector<ListedReplica>& replicas,
                   absl::Duration duration) {
    for (int i = 0; i < 4; ++i) {
      clock_.Advance(duration / 4);
      Look(replicas);
    }
  }

  FakeBootClock clock_;
  Reaper reaper_{kTtl};
};

ListedReplica Row(int64_t renewals, const char* timeline = "00000001") {
  return {{"a", timeline, renewals}, 0};
}

// Fault: reckon with the own leases' length.
TEST_F(ReaperTest, LeasesOfOthersMayBeLonger) {
  ListedReplica row = Row(5);
  row.ttl = 2 * kTtl;
  Look({row});
  KeepLooking({row}, kPatience);
  KeepLooking({row}, kPatience - kTimerSlack - absl::Nanoseconds(8));
  EXPECT_THAT(Due(), IsEmpty());
  KeepLooking({row}, absl::Nanoseconds(8));
  EXPECT_THAT(Due(), SizeIs(1));
}

// Fault: one tick earlier.
TEST_F(ReaperTest, ARowGoesWhenEveryLeaseOfItHasEnded) {
  Look({Row(5)});
  clock_.Advance(kPatience - absl::Nanoseconds(1));
  EXPECT_THAT(Due(), IsEmpty());
  clock_.Advance(absl::Nanoseconds(1));
  ASSERT_THAT(Due(), SizeIs(1));
  EXPECT_EQ(Due()[0].id, "a");
  EXPECT_EQ(Due()[0].renewals, 5);
  EXPECT_EQ(Due()[0].timeline, "00000001");
}

TEST_F(ReaperTest, LooksThatShowNothingNewDoNotStartAgain) {
  Look({Row(5)});
  KeepLooking({Row(5)}, kPatience);
  EXPECT_THAT(Due(), SizeIs(1));
}

// Fault: an outage for all of them ends, and the first one back takes the
// others' rows away.
TEST_F(ReaperTest, WhoSawNothingForAWhileStartsAgain) {
  Look({Row(5)});
  KeepLooking({Row(5)}, kPatience / 2);
  clock_.Advance(kTtl / 2 + absl::Nanoseconds(1));
  Look({Row(5)});
  EXPECT_THAT(Due(), IsEmpty());
  KeepLooking({Row(5)}, kPatience - absl::Nanoseconds(4));
  EXPECT_THAT(Due(), IsEmpty());
  clock_.Advance(absl::Nanoseconds(4));
  EXPECT_THAT(Due(), SizeIs(1));
}

// Fault: judge by what was seen before, if the first look takes long.
TEST_F(ReaperTest, WhoSawNothingForAWhileStartsAgainThoughTheLookIsLong) {
  Look({Row(5)});
  clock_.Advance(kPatience);
  Look({Row(5)}, absl::Milliseconds(600));
  EXPECT_THAT(Due(), IsEmpty());
}

// Fault: count from before the look.
TEST_F(ReaperTest, TimeCountsFromWhenTheLookWasOver) {
  Look({Row(5)}, absl::Milliseconds(300));
  clock_.Advance(kPatience - absl::Milliseconds(1));
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(ReaperTest, ALongLookCountsForNothing) {
  Look({Row(5)}, absl::Milliseconds(501));
  clock_.Advance(kPatience);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(ReaperTest, ARenewalStartsAgain) {
  Look({Row(5)});
  KeepLooking({Row(5)}, kPatience / 2);
  KeepLooking({Row(6)}, kPatience / 2);
  EXPECT_THAT(Due(), IsEmpty());
}

// A failover may set the number of renewals back to where it was.
TEST_F(ReaperTest, ANewTimelineStartsAgain) {
  Look({Row(5)});
  KeepLooking({Row(5)}, kPatience / 2);
  KeepLooking({Row(5, "00000002")}, kPatience / 2);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(ReaperTest, TheOwnRowIsNotItsToTakeAway) {
  Look({{{"own", "00000001", 5}, 0}});
  KeepLooking({{{"own", "00000001", 5}, 0}}, kPatience);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_F(ReaperTest, WhatIsGoneIsForgotten) {
  Look({Row(5)});
  KeepLooking({Row(5)}, kPatience);
  Look({});
  EXPECT_THAT(Due(), IsEmpty());
}

}  // namespace
}  // namespace wemasy::tokens
