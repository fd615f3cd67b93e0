// What storage says when PostgreSQL cannot do what it is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/storage/postgres_change_listener.h"
#include "server/storage/server_check.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kUnavailable = ErrorReason::kDatabaseUnavailable;

class StorageFailureTest : public ::testing::Test {
 protected:
  absl::StatusOr<TokenPage> List() {
    return database_.tokens().List(TokenQuery(), database_.Soon());
  }
  void TerminateAll() {
    database_.Sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }

  TestDatabase database_{&PostgresCluster::Shared()};
};

// With a cluster that is the test's to break.
class OwnClusterTest : public ::testing::Test {
 protected:
  absl::StatusOr<TokenPage> List() {
    return database_.tokens().List(TokenQuery(), database_.Soon());
  }

  PostgresCluster cluster_;
  TestDatabase database_{&cluster_};
};

TEST_F(OwnClusterTest, ADatabaseThatIsAwayIsUnavailableUntilItIsBack) {
  cluster_.Stop();
  EXPECT_THAT(List(), HasReason(kUnavailable));
  EXPECT_THAT(database_.Write(Mutation()), HasReason(kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("cannot connect to the database"));
  cluster_.Start();
  EXPECT_OK(List());
  EXPECT_OK(database_.Write(Mutation()));
  // Its connections are all gone now, and nobody has noticed yet.
  cluster_.Restart();
  EXPECT_OK(List());
  EXPECT_OK(database_.Write(Mutation()));
}

TEST_F(OwnClusterTest, AWrongPasswordIsUnavailableAndNotLogged) {
  cluster_.Psql(database_.conninfo(),
                "CREATE ROLE keeper LOGIN PASSWORD 'right'");
  const std::string hba = cluster_.data_directory() + "/pg_hba.conf";
  std::ostringstream old;
  old << std::ifstream(hba).rdbuf();
  std::ofstream(hba) << "local all keeper scram-sha-256\n" << old.str();
  cluster_.Reconfigure("");
  database_.Connect(PostgresCluster::AsRole(database_.conninfo(), "keeper") +
                    " password=hunter2");
  EXPECT_THAT(List(), HasReason(kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("password authentication failed"));
  EXPECT_THAT(database_.log(), Not(HasSubstr("hunter2")));
}

TEST(StorageFullDiskTest, IsUnavailableAndNothingIsChanged) {
  PostgresCluster cluster(PostgresCluster::SmallDisk::kYes);
  TestDatabase database(&cluster);
  database.Sql(absl::StrCat("CREATE TABLESPACE small LOCATION '",
                            cluster.small_disk(), "'"));
  // As it is: not compressed, nor moved to another table.
  database.Sql("ALTER TABLE tokens ALTER description SET STORAGE PLAIN");
  database.Sql("ALTER TABLE tokens SET TABLESPACE small");
  TokenRecord record = database.MakeRecord();
  absl::StatusOr<CommitStamp> stamp;
  int written = 0;
  for (; written < 2000; ++written) {
    record = database.MakeRecord();
    record.description = std::string(4000, 'x');
    stamp =
        database.Write(TestDatabase::Creation(record, database.MakeSecret()));
    if (!stamp.ok()) break;
  }
  EXPECT_THAT(stamp, HasReason(kUnavailable));
  EXPECT_GT(written, 0);
  EXPECT_THAT(database.log(), HasSubstr("the database's disk is full"));
  EXPECT_EQ(database.Sql("SELECT seq FROM change_head"), absl::StrCat(written));
  EXPECT_OK(database.tokens().List(TokenQuery(), database.Soon()));
  database.Sql("ALTER TABLE tokens SET TABLESPACE pg_default");
  EXPECT_OK(
      database.Write(TestDatabase::Creation(record, database.MakeSecret())));
}

// Fault: any server that answers will do.
TEST_F(OwnClusterTest, AStandbyIsRefusedUntilItIsPromoted) {
  cluster_.Stop();
  cluster_.StartAsStandby();
  EXPECT_EQ(database_.Sql("SELECT pg_is_in_recovery()"), "t");
  EXPECT_THAT(List(), HasReason(kUnavailable));
  EXPECT_THAT(database_.Write(Mutation()), HasReason(kUnavailable));
  EXPECT_THAT(database_.replicas().Renew({"r1", "00000001", 0}, 0, 0),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(database_.replicas().LoadSnapshot(0, [](const auto&) {}),
              StatusIs(absl::StatusCode::kUnavailable));
  PostgresChangeListener listener(&database_.options(), &database_.clock());
  EXPECT_THAT(listener.Wait(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(CheckDatabase(database_.options(), database_.clock()),
              StatusIs(absl::StatusCode::kUnavailable));
  cluster_.Promote();
  EXPECT_OK(List());
  EXPECT_OK(database_.Write(Mutation()));
}

TEST_F(OwnClusterTest, AReadOnlyDatabaseIsUnavailableForWrites) {
  EXPECT_OK(database_.Write(Mutation()));
  cluster_.Reconfigure("default_transaction_read_only = on");
  // The reload reaches sessions in their own time.
  absl::StatusOr<CommitStamp> stamp = database_.Write(Mutation());
  const BootTime end = database_.Soon();
  while (stamp.ok() && database_.clock().Now() < end) {
    stamp = database_.Write(Mutation());
  }
  EXPECT_THAT(stamp, HasReason(kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("read-only"));
  // A new session is not even opened.
  database_.Connect(database_.conninfo());
  EXPECT_THAT(List(), HasReason(kUnavailable));
}

TEST(StorageServerCheckTest, AServerThatMayForgetCommitsIsRefused) {
  PostgresCluster cluster;
  TestDatabase database(&cluster);
  ASSERT_OK(CheckDatabase(database.options(), database.clock()));
  database.Sql(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit"
      " = off', current_database()); END $$");
  absl::Status status = CheckDatabase(database.options(), database.clock());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("synchronous_commit"));
  // A replica that waited for the database is told so, too.
  EXPECT_THAT(database.replicas().LoadSnapshot(0, [](const auto&) {}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  database.Sql(
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET"
      " synchronous_commit', current_database()); END $$");
  ASSERT_OK(CheckDatabase(database.options(), database.clock()));
  cluster.Reconfigure("fsync = off");
  for (int i = 0; i < 200; ++i) {
    status = CheckDatabase(database.options(), database.clock());
    if (!status.ok()) break;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("fsync"));
}

// A pooler answers for the server, and gives a number of its own.
TEST(StorageServerCheckTest, APoolerAndAnOldServerAreRefused) {
  const auto check = [](absl::string_view version, absl::string_view pid) {
    const Field fields[] = {version, "f", "off", "on", "on", pid};
    return CheckSession(FieldReader(fields), 7);
  };
  const Field standby[] = {"150018", "t", "off", "on", "on", "7"};
  EXPECT_THAT(std::string(CheckSession(FieldReader(standby), 7).message()),
              HasSubstr("want a primary"));
  EXPECT_OK(check("150018", "7"));
  EXPECT_THAT(std::string(check("150018", "8").message()), HasSubstr("pooler"));
  EXPECT_THAT(std::string(check("140022", "7").message()),
              HasSubstr("PostgreSQL 14, want 15"));
}

TEST_F(StorageFailureTest, TooManyConnectionsIsUnavailable) {
  database_.Sql("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0");
  database_.Connect(PostgresCluster::AsRole(database_.conninfo(), "crowded"));
  EXPECT_THAT(List(), HasReason(kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("too many connections"));
}

TEST_F(StorageFailureTest, AMalformedConnectionStringIsNotLogged) {
  database_.Connect("host=/tmp password hunter2");
  EXPECT_THAT(List(), HasReason(kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("malformed"));
  EXPECT_THAT(database_.log(), Not(HasSubstr("hunter2")));
}

TEST_F(StorageFailureTest, ALostConnectionBeforeTheCommitRunsTheBodyAgain) {
  const TokenRecord record = database_.MakeRecord();
  int runs = 0;
  const auto stamp = database_.tokens().Transact(
      database_.Soon(),
      [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        const auto locked = transaction.LockProject(record.name.project);
        if (!locked.ok()) return locked.status();
        if (++runs == 1) TerminateAll();
        return TestDatabase::Creation(record, database_.MakeSecret());
      });
  ASSERT_OK(stamp);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(stamp->seq, 1);
}

TEST_F(StorageFailureTest, ADeadlockRunsOneBodyAgainAndBothSucceed) {
  const TokenRecord a = database_.MustCreate();
  const TokenRecord b = database_.MustCreate();
  std::atomic<int> runs{0};
  const auto transact = [&](const TokenName& first, const TokenName& second,
                            absl::Notification* mine,
                            absl::Notification* theirs) {
    return database_.tokens().Transact(
        database_.Soon(),
        [&, mine,
         theirs](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
          ++runs;
          auto locked = transaction.LockToken(first);
          if (!locked.ok()) return locked.status();
          if (!mine->HasBeenNotified()) mine->Notify();
          theirs->WaitForNotification();
          locked = transaction.LockToken(second);
          if (!locked.ok()) return locked.status();
          return Mutation();
        });
  };
  absl::Notification one, two;
  absl::StatusOr<CommitStamp> other;
  std::thread thread([&] { other = transact(b.name, a.name, &two, &one); });
  EXPECT_OK(transact(a.name, b.name, &one, &two));
  thread.join();
  EXPECT_OK(other);
  // On a busy machine both may be the victim before one gets through.
  EXPECT_GE(runs, 3);
}

TEST_F(StorageFailureTest, WhoFallsSilentInATransactionLosesItsLocks) {
  const PostgresOptions shipped;
  database_.options().lock_timeout = shipped.lock_timeout;
  database_.options().idle_in_transaction_timeout =
      shipped.idle_in_transaction_timeout;
  database_.Connect(database_.conninfo());
  const TokenRecord record = database_.MustCreate();
  Mutation update;
  update.updated_tokens = {record};
  int runs = 0;
  ASSERT_OK(database_.tokens().Transact(
      database_.In(absl::Seconds(60)),
      [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        EXPECT_OK(transaction.LockToken(record.name));
        // Another one, who waits for a lock no longer than always.
        if (++runs == 1) {
          EXPECT_OK(database_.Write(update));
        }
        return Mutation();
      }));
  EXPECT_EQ(runs, 2);
}

TEST_F(StorageFailureTest, ALockThatIsNotFreeInTimeEndsTheCall) {
  database_.options().lock_timeout = PostgresOptions().lock_timeout;
  database_.Connect(database_.conninfo());
  const TokenRecord record = database_.MustCreate();
  ASSERT_OK(database_.tokens().Transact(
      database_.In(absl::Seconds(60)),
      [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        EXPECT_OK(transaction.LockToken(record.name));
        Mutation update;
        update.updated_tokens = {record};
        // By its caller's deadline, or by the lock's own limit; on a connection
        // that is there already.
        EXPECT_OK(List());
        const absl::Time start = absl::Now();
        EXPECT_THAT(
            database_.Write(update, database_.In(absl::Milliseconds(1500))),
            HasReason(ErrorReason::kDeadlineTooShort));
        EXPECT_LT(absl::Now() - start, absl::Seconds(10));
        EXPECT_THAT(database_.Write(update), HasReason(kUnavailable));
        return Mutation();
      }));
  EXPECT_THAT(database_.log(), HasSubstr("a lock was not free in time"));
  EXPECT_EQ(database_.Sql("SELECT seq FROM change_head"), "2");
}

TEST_F(StorageFailureTest, MoreCallersThanConnectionsWaitAndThenAreOverloaded) {
  database_.options().pool_size = 1;
  database_.Connect(database_.conninfo());
  ASSERT_OK(database_.tokens().Transact(
      database_.Soon(), [&](TokenTransaction&) -> absl::StatusOr<Mutation> {
        EXPECT_THAT(database_.tokens().List(TokenQuery(),
                                            database_.In(absl::Seconds(1))),
                    HasReason(ErrorReason::kOverloaded));
        return Mutation();
      }));
  EXPECT_OK(List());
}

TEST_F(StorageFailureTest, AFailedStatementDoesNotSpoilTheConnection) {
  database_.options().pool_size = 1;
  database_.Connect(database_.conninfo());
  const TokenRecord record = database_.MustCreate();
  for (int i = 0; i < 3; ++i) {
    Mutation again;
    again.inserted_tokens = {record};
    EXPECT_THAT(database_.Write(again), HasReason(ErrorReason::kInternal));
    EXPECT_OK(List());
  }
}

TEST_F(StorageFailureTest, TheLogHasNoValues) {
  TokenRecord record = database_.MakeRecord();
  record.display_name = "a name that is nobody's business";
  const Mutation create =
      TestDatabase::Creation(record, database_.MakeSecret());
  ASSERT_OK(database_.Write(create));
  const auto refused = database_.Write(create);
  EXPECT_THAT(refused, HasReason(ErrorReason::kInternal));
  EXPECT_THAT(database_.log(), HasSubstr("insert_tokens failed: SQLSTATE 23"));
  record.hint = std::string("a\0b", 3);
  EXPECT_THAT(
      database_.Write(TestDatabase::Creation(record, database_.MakeSecret())),
      HasReason(ErrorReason::kInternal));
  for (const std::string& text :
       {database_.log(), std::string(refused.status().message())}) {
    EXPECT_THAT(text, Not(HasSubstr("business")));
    EXPECT_THAT(text, Not(HasSubstr("Key (")));
    EXPECT_THAT(text, Not(HasSubstr("INSERT")));
  }
}

}  // namespace
}  // namespace wemasy::tokens
