// What a new timeline of a real server does to replicas.
//
// A recovery to the end of the log starts a new timeline, as a promotion does.
// An older copy of the data directory stands for a standby that had not heard
// of the last commits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

class StorageFailoverTest : public ::testing::Test {
 protected:
  static void Run(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  // Recovers from the log into a new timeline.
  void StartOnNewTimeline() {
    const std::string data = cluster_.data_directory();
    std::ofstream(data + "/recovery.signal").close();
    std::ofstream config(data + "/postgresql.conf", std::ios::app);
    config << "restore_command = 'false'\n"
           << "recovery_target_timeline = 'latest'\n";
    config.close();
    cluster_.Start();
    // The server accepts reads before the recovery has ended.
    for (int i = 0; i < 600; ++i) {
      if (database_.Sql("SELECT pg_is_in_recovery()") == "f") return;
    }
    FAIL() << "the recovery does not end";
  }
  std::string CopyOfData() { return cluster_.socket_directory() + "/copy"; }

  PostgresCluster cluster_;
  TestDatabase database_{&cluster_};
};

TEST_F(StorageFailoverTest, ARowThatKeptItsRenewalsIsAdopted) {
  PostgresReplicaStore& replicas = database_.replicas();
  ReplicaRow row{"r1", "00000001", 0};
  ASSERT_OK(replicas.Register(row.id, row.timeline, kTtl));
  ASSERT_OK(database_.Write(Mutation()));
  const auto outcome = replicas.Renew(row, 1, 1);
  ASSERT_OK(outcome);
  row.renewals = outcome->renewal->renewals;
  cluster_.StopImmediate();
  StartOnNewTimeline();

  EXPECT_FALSE(replicas.Renew(row, 1, 1).ok());  // The connection is gone.
  const auto refused = replicas.Renew(row, 1, 1);
  ASSERT_OK(refused);
  EXPECT_EQ(refused->refusal, RenewalRefusal::kOtherTimeline);
  const auto registered = replicas.Register("r2", "00000001", kTtl);
  ASSERT_OK(registered);
  EXPECT_FALSE(*registered);

  auto adopted = replicas.AdoptTimeline(row);
  ASSERT_OK(adopted);
  ASSERT_TRUE(adopted->row.has_value());
  EXPECT_EQ(adopted->row->timeline, "00000002");
  EXPECT_EQ(adopted->row->renewals, row.renewals + 1);
  // Its answer was lost: the same question again.
  adopted = replicas.AdoptTimeline(row);
  ASSERT_OK(adopted);
  ASSERT_TRUE(adopted->row.has_value());
  // Two failovers came in succession, and the one answer between them was lost.
  database_.Sql("UPDATE replicas SET timeline = '00000001a'");
  adopted = replicas.AdoptTimeline(row);
  ASSERT_OK(adopted);
  ASSERT_TRUE(adopted->row.has_value());
  EXPECT_EQ(adopted->row->timeline, "00000002");
  for (const char* elsewhere : {"00000000", "00000003"}) {
    database_.Sql(
        absl::StrCat("UPDATE replicas SET timeline = '", elsewhere, "'"));
    const auto refused = replicas.AdoptTimeline(row);
    ASSERT_OK(refused);
    EXPECT_EQ(refused->refusal, AdoptionRefusal::kHistoryLost);
  }
  database_.Sql("UPDATE replicas SET timeline = '00000002'");
  // One that another replica took away there had lost nothing.
  for (const int64_t kept : {row.renewals, row.renewals - 1}) {
    const ReplicaRow cut_off{absl::StrCat("cut-off-", kept), "00000001",
                             row.renewals};
    ASSERT_OK(replicas.Register(cut_off.id, "00000002", kTtl));
    ReplicaRow reaped{cut_off.id, "00000002", 0};
    while (reaped.renewals < kept) {
      const auto renewed = replicas.Renew(reaped, 0, 0);
      ASSERT_OK(renewed);
      reaped.renewals = renewed->renewal->renewals;
    }
    ASSERT_OK(replicas.Reap(reaped));
    const auto refused = replicas.AdoptTimeline(cut_off);
    ASSERT_OK(refused);
    EXPECT_EQ(refused->refusal, kept == row.renewals
                                    ? AdoptionRefusal::kReaped
                                    : AdoptionRefusal::kHistoryLost);
  }
  const auto renewed = replicas.Renew(*adopted->row, 1, 1);
  ASSERT_OK(renewed);
  ASSERT_TRUE(renewed->renewal.has_value());
  EXPECT_EQ(renewed->renewal->renewals, adopted->row->renewals + 1);
  EXPECT_EQ(renewed->renewal->head, 1);

  const auto stamp = database_.Write(Mutation());
  ASSERT_OK(stamp);
  EXPECT_EQ(stamp->timeline, "00000002");
}

TEST_F(StorageFailoverTest, ARowThatLostRenewalsIsNot) {
  PostgresReplicaStore& replicas = database_.replicas();
  ReplicaRow row{"r1", "00000001", 0};
  ASSERT_OK(replicas.Register(row.id, row.timeline, kTtl));
  cluster_.Stop();
  Run(absl::StrCat("cp -a ", cluster_.data_directory(), " ", CopyOfData()));
  cluster_.Start();
  // The first call finds that the connection is gone.
  absl::StatusOr<RenewalOutcome> outcome = replicas.Renew(row, 0, 0);
  if (!outcome.ok()) outcome = replicas.Renew(row, 0, 0);
  ASSERT_OK(outcome);
  row.renewals = outcome->renewal->renewals;
  ASSERT_GT(row.renewals, 0);
  cluster_.StopImmediate();
  Run(absl::StrCat("rm -rf ", cluster_.data_directory(), " && mv ",
                   CopyOfData(), " ", cluster_.data_directory()));
  StartOnNewTimeline();

  EXPECT_FALSE(replicas.AdoptTimeline(row).ok());  // The connection is gone.
  const auto adopted = replicas.AdoptTimeline(row);
  ASSERT_OK(adopted);
  EXPECT_EQ(adopted->refusal, AdoptionRefusal::kHistoryLost);
  ASSERT_OK(replicas.MarkHistoryLost("renewals of r1"));
  const auto head = replicas.LoadSnapshot(0, [](const auto&) {});
  ASSERT_OK(head);
  EXPECT_EQ(head->timeline, "00000002");
  EXPECT_EQ(head->lost_history, "renewals of r1");
}

}  // namespace
}  // namespace wemasy::tokens
