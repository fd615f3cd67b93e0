// The lease, and the guess at the database's clock.
#include "server/validate/lease.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace wemasy::tokens {
namespace {

const absl::Time kDatabaseNow = absl::FromUnixSeconds(1'800'000'000);

TEST(LeaseTest, BeginsWithoutLeave) {
  FakeBootClock clock;
  const Lease lease;
  EXPECT_LE(lease.Capture().end, clock.Now());
}

TEST(LeaseTest, NeverGetsShorterButByClosing) {
  FakeBootClock clock;
  Lease lease;
  const BootTime end = clock.Now() + absl::Seconds(30);
  lease.Extend(end);
  lease.Extend(end - absl::Seconds(1));
  EXPECT_EQ(lease.Capture().end, end);
}

TEST(LeaseTest, StaysClosed) {
  FakeBootClock clock;
  Lease lease;
  lease.Extend(clock.Now() + absl::Seconds(30));
  lease.Close();
  // A sync point that was in flight.
  lease.Extend(clock.Now() + absl::Seconds(60));
  EXPECT_LE(lease.Capture().end, clock.Now());
}

TEST(LeaseTest, DatabaseTimeIsNeverBehindTheDatabase) {
  FakeBootClock clock;
  Lease lease;
  const BootTime asked_at = clock.Now();
  clock.Advance(absl::Milliseconds(5));
  lease.SetDatabaseTime(asked_at, kDatabaseNow, clock.Now());
  // This clock may have run slow by a thousandth since.
  clock.Advance(absl::Seconds(999));
  const absl::Time estimate = lease.CaptureDatabaseTime().At(clock.Now());
  EXPECT_GE(estimate, kDatabaseNow + absl::Seconds(1000));
  EXPECT_LE(estimate, kDatabaseNow + absl::Seconds(1000.1));
}

TEST(LeaseTest, DatabaseTimeNeverRunsBack) {
  FakeBootClock clock;
  Lease lease;
  lease.SetDatabaseTime(clock.Now(), kDatabaseNow, clock.Now());
  clock.Advance(absl::Seconds(10));
  const absl::Time before = lease.CaptureDatabaseTime().At(clock.Now());
  // The next reading is a little behind the estimate.
  lease.SetDatabaseTime(clock.Now(), kDatabaseNow + absl::Seconds(9),
                        clock.Now());
  EXPECT_EQ(lease.CaptureDatabaseTime().At(clock.Now()), before);
  // The fast line is not kept: the estimate waits for the new one.
  clock.Advance(absl::Milliseconds(500));
  EXPECT_EQ(lease.CaptureDatabaseTime().At(clock.Now()), before);
  clock.Advance(absl::Seconds(10));
  EXPECT_LT(lease.CaptureDatabaseTime().At(clock.Now()),
            kDatabaseNow + absl::Seconds(19.6));
}

TEST(LeaseTest, AFloorFarAheadIsDropped) {
  FakeBootClock clock;
  Lease lease;
  EXPECT_FALSE(lease.SetDatabaseTime(clock.Now(), kDatabaseNow + absl::Hours(1),
                                     clock.Now()));
  EXPECT_TRUE(lease.SetDatabaseTime(clock.Now(), kDatabaseNow, clock.Now()));
  EXPECT_LT(lease.CaptureDatabaseTime().At(clock.Now()),
            kDatabaseNow + absl::Seconds(1));
}

}  // namespace
}  // namespace wemasy::tokens
