// A replica's exchanges with a real database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/types/optional.h"
#include "server/storage/postgres_change_listener.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

class StorageReplicaTest : public ::testing::Test {
 protected:
  PostgresReplicaStore& replicas() { return database_.replicas(); }
  RenewalOutcome MustRenew(const ReplicaRow& row, int64_t acked = 0,
                           int64_t applied = 0) {
    const auto outcome = replicas().Renew(row, acked, applied);
    EXPECT_OK(outcome);
    return *outcome;
  }

  TestDatabase database_{&PostgresCluster::Shared()};
};

TEST_F(StorageReplicaTest, RegistersOnTheLoadsTimelineOnly) {
  const auto wrong = replicas().Register("r1", "00000002", kTtl);
  ASSERT_OK(wrong);
  EXPECT_FALSE(*wrong);
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM replicas"), "0");
  const auto right = replicas().Register("r1", kTimeline, kTtl);
  ASSERT_OK(right);
  EXPECT_TRUE(*right);
  EXPECT_EQ(database_.Sql("SELECT id || timeline || max_operation || renewals"
                          " FROM replicas"),
            "r100000001"
            "20");
}

TEST_F(StorageReplicaTest, ARenewalTellsTheHeadAndEverybody) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  ASSERT_OK(replicas().Register("r2", kTimeline, kTtl));
  ASSERT_OK(database_.Write(Mutation()));
  const absl::Time before = absl::Now() - absl::Milliseconds(1);
  const ReplicaRow row{"r1", kTimeline, 0};
  RenewalOutcome outcome = MustRenew(row, 1);
  ASSERT_TRUE(outcome.renewal.has_value());
  EXPECT_FALSE(outcome.refusal.has_value());
  EXPECT_EQ(outcome.renewal->head, 1);
  EXPECT_EQ(outcome.renewal->renewals, 1);
  EXPECT_GE(outcome.renewal->database_time, before);
  EXPECT_LE(outcome.renewal->database_time, absl::Now());
  // What was acknowledged once stays so.
  outcome = MustRenew(row, 0);
  EXPECT_EQ(outcome.renewal->renewals, 2);
  ASSERT_THAT(outcome.renewal->replicas, SizeIs(2));
  EXPECT_EQ(outcome.renewal->replicas[0].row.id, "r1");
  EXPECT_EQ(outcome.renewal->replicas[0].acked, 1);
  EXPECT_EQ(outcome.renewal->replicas[0].row.renewals, 1);
  EXPECT_EQ(outcome.renewal->replicas[1].row.id, "r2");
  EXPECT_EQ(outcome.renewal->replicas[1].row.timeline, kTimeline);
  EXPECT_EQ(MustRenew(row, 0).renewal->replicas[0].acked, 1);
}

TEST_F(StorageReplicaTest, RowsSayHowLongTheirLeasesMayBe) {
  // Rounded up, if at all.
  ASSERT_OK(replicas().Register("r1", kTimeline,
                                kTtl + absl::Nanoseconds(1'000'001)));
  ASSERT_OK(replicas().Register("r2", kTimeline, kTtl));
  // As a server of the release before does.
  database_.Sql(
      "INSERT INTO replicas (id, timeline, max_operation)"
      " VALUES ('r3', '00000001', 1)");
  const RenewalOutcome outcome = MustRenew({"r2", kTimeline, 0});
  ASSERT_THAT(outcome.renewal->replicas, SizeIs(3));
  EXPECT_EQ(outcome.renewal->replicas[0].ttl, kTtl + absl::Milliseconds(2));
  EXPECT_EQ(outcome.renewal->replicas[1].ttl, kTtl);
  EXPECT_EQ(outcome.renewal->replicas[2].ttl, absl::ZeroDuration());
  const auto stamp = database_.Write(Mutation());
  ASSERT_OK(stamp);
  EXPECT_THAT(stamp->replicas, Optional(ElementsAre("r1", "r2", "r3")));
  EXPECT_EQ(stamp->longest_ttl, kTtl + absl::Milliseconds(2));
}

TEST_F(StorageReplicaTest, ARenewalBringsTheMarkOfLostHistory) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  const ReplicaRow row{"r1", kTimeline, 0};
  EXPECT_EQ(MustRenew(row).renewal->lost_history, absl::nullopt);
  ASSERT_OK(replicas().MarkHistoryLost("changes 7..9"));
  EXPECT_EQ(MustRenew(row).renewal->lost_history, "changes 7..9");
}

TEST_F(StorageReplicaTest, WithoutTheRowAndTheLastChangeHistoryWasLost) {
  ASSERT_OK(database_.Write(Mutation()));
  const ReplicaRow row{"r1", kTimeline, 0};
  const auto refusal = [&](int64_t applied) {
    const auto outcome = replicas().Renew(row, 0, applied);
    EXPECT_OK(outcome);
    return outcome->refusal;
  };
  EXPECT_EQ(refusal(1), RenewalRefusal::kRowGone);
  EXPECT_EQ(refusal(2), RenewalRefusal::kHistoryLost);
}

TEST_F(StorageReplicaTest, ARenewalIsRefusedWithoutTheRowOrItsTimeline) {
  const ReplicaRow row{"r1", kTimeline, 0};
  EXPECT_EQ(MustRenew(row).refusal, RenewalRefusal::kRowGone);
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  EXPECT_TRUE(MustRenew(row).renewal.has_value());
  EXPECT_EQ(MustRenew({"r1", "00000002", 0}).refusal,
            RenewalRefusal::kOtherTimeline);
  database_.Sql("UPDATE replicas SET timeline = '00000002'");
  EXPECT_EQ(MustRenew(row).refusal, RenewalRefusal::kOtherTimeline);
  // The server is not on the row's timeline either.
  EXPECT_EQ(MustRenew({"r1", "00000002", 0}).refusal,
            RenewalRefusal::kOtherTimeline);
  EXPECT_EQ(database_.Sql("SELECT renewals FROM replicas"), "1");
  ASSERT_OK(replicas().Deregister("r1"));
  ASSERT_OK(replicas().Deregister("r1"));
  EXPECT_EQ(MustRenew(row).refusal, RenewalRefusal::kRowGone);
}

TEST_F(StorageReplicaTest, ARowIsReapedOnlyAsItWasSeen) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  ASSERT_TRUE(MustRenew({"r1", kTimeline, 0}).renewal.has_value());
  for (const ReplicaRow& other :
       {ReplicaRow{"r1", kTimeline, 0}, ReplicaRow{"r1", "00000002", 1},
        ReplicaRow{"r2", kTimeline, 1}}) {
    const auto reaped = replicas().Reap(other);
    ASSERT_OK(reaped);
    EXPECT_FALSE(*reaped);
  }
  const auto reaped = replicas().Reap({"r1", kTimeline, 1});
  ASSERT_OK(reaped);
  EXPECT_TRUE(*reaped);
}

TEST_F(StorageReplicaTest, ChangesComeInOrderAndInPieces) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  ASSERT_OK(replicas().Register("r2", kTimeline, kTtl));
  Mutation mutation;
  mutation.changes.resize(kChangesPerRenewal + 2);
  ASSERT_OK(database_.Write(mutation));
  const auto seqs_after = [&](int64_t applied) {
    const RenewalOutcome outcome =
        MustRenew({"r1", kTimeline, 0}, applied, applied);
    EXPECT_THAT(outcome.renewal->replicas, SizeIs(2));
    EXPECT_EQ(outcome.renewal->head, kChangesPerRenewal + 2);
    std::vector<int64_t> seqs;
    for (const Change& change : outcome.renewal->changes) {
      seqs.push_back(change.seq);
    }
    return seqs;
  };
  std::vector<int64_t> first_piece(kChangesPerRenewal);
  std::iota(first_piece.begin(), first_piece.end(), 1);
  EXPECT_EQ(seqs_after(0), first_piece);
  EXPECT_THAT(seqs_after(kChangesPerRenewal),
              ElementsAre(kChangesPerRenewal + 1, kChangesPerRenewal + 2));
  EXPECT_THAT(seqs_after(kChangesPerRenewal + 2), IsEmpty());
}

// Fault: take the absence of a change for that of the replicas.
TEST_F(StorageReplicaTest, TheReplicasComeThoughTheNextChangeIsMissing) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  Mutation mutation;
  mutation.changes.resize(3);
  ASSERT_OK(database_.Write(mutation));
  database_.Sql("DELETE FROM change_log WHERE seq = 1");
  const RenewalOutcome outcome = MustRenew({"r1", kTimeline, 0});
  EXPECT_THAT(outcome.renewal->replicas, SizeIs(1));
  EXPECT_THAT(outcome.renewal->changes, SizeIs(2));
}

TEST_F(StorageReplicaTest, AChangeOfAnUnknownKindIsDataLoss) {
  database_.MustCreate();
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  const ReplicaRow row{"r1", kTimeline, 0};
  database_.Sql("UPDATE change_log SET operation = 99");
  EXPECT_THAT(replicas().Renew(row, 0, 0),
              StatusIs(absl::StatusCode::kDataLoss));
  // So is one that cannot be read.
  database_.Sql("UPDATE change_log SET operation = 2, project = NULL");
  EXPECT_THAT(replicas().Renew(row, 0, 0),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StorageReplicaTest, ConcurrentMutationsAreDenseAndCountedOneByOne) {
  constexpr int kThreads = 6;
  constexpr int kTries = 12;
  constexpr int64_t kLimit = 40;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      FakeRandom random(i + 100);
      for (int n = 0; n < kTries; ++n) {
        TokenRecord record = database_.MakeRecord();
        record.name.token = TokenId::Generate(random);
        const auto stamp = database_.tokens().Transact(
            database_.In(absl::Seconds(60)),
            [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
              const auto project = transaction.LockProject(record.name.project);
              if (!project.ok()) return project.status();
              if (project->active_tokens >= kLimit) return Mutation();
              Mutation mutation;
              mutation.inserted_tokens = {record};
              return mutation;
            });
        EXPECT_OK(stamp);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM tokens"), absl::StrCat(kLimit));
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  const std::vector<Change> changes =
      MustRenew({"r1", kTimeline, 0}).renewal->changes;
  ASSERT_THAT(changes, SizeIs(kThreads * kTries));
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].seq, static_cast<int64_t>(i) + 1);
  }
}

TEST_F(StorageReplicaTest, TheListenerHearsOfChanges) {
  PostgresChangeListener listener(&database_.options(), &database_.clock());
  // A new connection may have missed some.
  auto heard = listener.Wait(absl::ZeroDuration());
  ASSERT_OK(heard);
  EXPECT_TRUE(*heard);
  heard = listener.Wait(absl::Milliseconds(20));
  ASSERT_OK(heard);
  EXPECT_FALSE(*heard);
  ASSERT_OK(database_.Write(Mutation()));
  heard = listener.Wait(absl::Seconds(20));
  ASSERT_OK(heard);
  EXPECT_TRUE(*heard);
}

TEST_F(StorageReplicaTest, AListenerThatLostItsConnectionSaysSo) {
  PostgresChangeListener listener(&database_.options(), &database_.clock());
  ASSERT_OK(listener.Wait(absl::ZeroDuration()));
  database_.Sql(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
      " WHERE datname = current_database() AND query LIKE 'LISTEN%'");
  ASSERT_OK(database_.Write(Mutation()));
  // The goodbye may come first.
  absl::StatusOr<bool> heard = true;
  for (int i = 0; i < 3 && heard.ok(); ++i) {
    heard = listener.Wait(absl::Seconds(5));
  }
  EXPECT_THAT(heard, StatusIs(absl::StatusCode::kUnavailable));
  // The missed one is made up for.
  heard = listener.Wait(absl::ZeroDuration());
  ASSERT_OK(heard);
  EXPECT_TRUE(*heard);
}

TEST_F(StorageReplicaTest, AListenerEndsThoughTheServerDoesNotAnswer) {
  absl::optional<PostgresChangeListener> listener;
  listener.emplace(&database_.options(), &database_.clock());
  ASSERT_OK(listener->Wait(absl::ZeroDuration()));
  const std::string pid = database_.Sql(
      "SELECT pid FROM pg_stat_activity"
      " WHERE datname = current_database() AND query LIKE 'LISTEN%'");
  const auto backend = static_cast<pid_t>(std::stol(pid));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  absl::Notification ended;
  std::thread thread([&] {
    listener.reset();
    ended.Notify();
  });
  // For ever, if it waits for an answer.
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_EQ(kill(backend, SIGCONT), 0);
  thread.join();
}

TEST_F(StorageReplicaTest, AConnectionThatWasLostIsReplaced) {
  ASSERT_OK(replicas().Register("r1", kTimeline, kTtl));
  database_.Sql(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_FALSE(replicas().Renew({"r1", kTimeline, 0}, 0, 0).ok());
  const RenewalOutcome outcome = MustRenew({"r1", kTimeline, 0});
  ASSERT_TRUE(outcome.renewal.has_value());
  EXPECT_EQ(outcome.renewal->renewals, 1);
}

}  // namespace
}  // namespace wemasy::tokens
