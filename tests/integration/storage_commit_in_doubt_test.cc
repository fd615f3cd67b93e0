// Commits whose outcome cannot be known are never called successful.
//
// A standby that never answers makes every commit wait: it has been done at
// the primary already, and a failover would lose it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;

class CommitInDoubtTest : public ::testing::Test {
 protected:
  CommitInDoubtTest() {
    // Connections, and what they have prepared, before the waiting starts.
    EXPECT_OK(database_.Write(Mutation()));
    EXPECT_OK(database_.replicas().Register("r1", "00000001", kTtl));
    cluster_.Reconfigure("synchronous_standby_names = 'nobody'");
    while (database_.Sql("SHOW synchronous_standby_names") != "nobody") {
      absl::SleepFor(absl::Milliseconds(10));
    }
    // Commits wait once the checkpointer has read it, too: it answers after.
    database_.Sql("CHECKPOINT");
  }
  void TearDown() override {
    cluster_.Reconfigure("synchronous_standby_names = ''");
  }

  // Does `action` to the session that waits for the standby, once one does.
  std::thread WhenWaiting(const std::string& action) {
    return std::thread([this, action] {
      const std::string sql = absl::StrCat("SELECT ", action,
                                           "(pid) FROM pg_stat_activity"
                                           " WHERE wait_event = 'SyncRep'");
      for (int i = 0; i < 1000 && database_.Sql(sql).empty(); ++i) {
        absl::SleepFor(absl::Milliseconds(10));
      }
    });
  }

  PostgresCluster cluster_;
  TestDatabase database_{&cluster_};
};

TEST_F(CommitInDoubtTest, TheDeadlineEndsTheWait) {
  const absl::Time start = absl::Now();
  EXPECT_THAT(database_.Write(Mutation(), database_.In(absl::Seconds(2))),
              HasReason(ErrorReason::kCommitInDoubt));
  EXPECT_LT(absl::Now() - start, absl::Seconds(15));
  EXPECT_THAT(database_.log(), HasSubstr("the commit is in doubt"));
}

TEST_F(CommitInDoubtTest, ACancelledWaitIsNoSuccess) {
  std::thread canceller = WhenWaiting("pg_cancel_backend");
  EXPECT_THAT(database_.Write(Mutation()),
              HasReason(ErrorReason::kCommitInDoubt));
  canceller.join();
  // It was committed here, and yet must not be vouched for.
  EXPECT_EQ(database_.Sql("SELECT seq FROM change_head"), "2");
}

TEST_F(CommitInDoubtTest, AKilledSessionIsNoSuccess) {
  std::thread killer = WhenWaiting("pg_terminate_backend");
  EXPECT_THAT(database_.Write(Mutation()),
              HasReason(ErrorReason::kCommitInDoubt));
  killer.join();
}

TEST_F(CommitInDoubtTest, ACancelledRenewalIsNone) {
  std::thread canceller = WhenWaiting("pg_cancel_backend");
  EXPECT_FALSE(database_.replicas().Renew({"r1", "00000001", 0}, 0, 0).ok());
  canceller.join();
  EXPECT_EQ(database_.Sql("SELECT renewals FROM replicas"), "1");
}

TEST_F(CommitInDoubtTest, ARenewalThatHangsEndsByItself) {
  database_.options().exchange_timeout = absl::Milliseconds(500);
  const absl::Time start = absl::Now();
  EXPECT_FALSE(database_.replicas().Renew({"r1", "00000001", 0}, 0, 0).ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(15));
}

TEST_F(CommitInDoubtTest, NeitherIsARegistration) {
  std::thread canceller = WhenWaiting("pg_cancel_backend");
  EXPECT_FALSE(database_.replicas().Register("r2", "00000001", kTtl).ok());
  canceller.join();
}

}  // namespace
}  // namespace wemasy::tokens
