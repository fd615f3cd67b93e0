// The schema's migrations, and the rights of the role that the service has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/storage/schema_version.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const int kVersions = MaxSchemaVersion();
const size_t kCount = static_cast<size_t>(kVersions);

class MigrationTest : public ::testing::Test {
 protected:
  absl::StatusOr<MigrationReport> Migrate(absl::string_view role = "") {
    return Migrator(&database_.options(), &clock_).Migrate(role);
  }
  absl::StatusOr<MigrationReport> MigrateTo(std::vector<Migration> migrations) {
    return Migrator(&database_.options(), &clock_, std::move(migrations))
        .Migrate("");
  }
  static Migration Next(int version, absl::string_view compatible_with,
                        absl::string_view sql = "SELECT 1;") {
    return {version, absl::StrCat("next_", version),
            absl::StrCat("-- compatible-with: ", compatible_with, "\n", sql)};
  }
  // As a newer binary would, which has one more migration for each number:
  // what it is compatible with.
  absl::Status MigrateBeyond(const std::vector<int>& compatible_with) {
    std::vector<Migration> migrations = EmbeddedMigrations();
    for (const int version : compatible_with) {
      migrations.push_back(
          Next(static_cast<int>(migrations.size()) + 1, absl::StrCat(version)));
    }
    return MigrateTo(migrations).status();
  }
  absl::Status Check() { return CheckDatabase(database_.options(), clock_); }

  SystemBootClock clock_;
  TestDatabase database_{&PostgresCluster::Shared(), /*migrate=*/false};
};

TEST_F(MigrationTest, TheBinaryKnowsItsOwnMigrations) {
  const std::vector<Migration> migrations = EmbeddedMigrations();
  ASSERT_THAT(migrations, SizeIs(kCount));
  for (int i = 0; i < kVersions; ++i) {
    const Migration& migration = migrations[static_cast<size_t>(i)];
    EXPECT_EQ(migration.version, i + 1) << migration.name;
  }
}

TEST_F(MigrationTest, AnEmptyDatabaseIsBroughtUpToDateOnce) {
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto first = Migrate();
  ASSERT_OK(first);
  EXPECT_THAT(first->applied, SizeIs(kCount));
  EXPECT_EQ(first->version, kVersions);
  EXPECT_OK(Check());
  const auto second = Migrate();
  ASSERT_OK(second);
  EXPECT_THAT(second->applied, IsEmpty());
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM schema_migrations"),
            absl::StrCat(kVersions));
}

TEST_F(MigrationTest, OfTwoMigratorsOneDoesItAll) {
  std::vector<size_t> applied(4);
  std::vector<std::thread> threads;
  for (size_t& count : applied) {
    threads.emplace_back([&] {
      const auto report = Migrate();
      ASSERT_OK(report);
      count = report->applied.size();
    });
  }
  size_t total = 0;
  for (size_t i = 0; i < applied.size(); ++i) {
    threads[i].join();
    total += applied[i];
    EXPECT_TRUE(applied[i] == 0 || applied[i] == kCount);
  }
  EXPECT_EQ(total, kCount);
}

// Faults: accept any newer version; let only the last migration decide.
TEST_F(MigrationTest, ANewerDatabaseIsRefusedNamingBothVersions) {
  ASSERT_OK(MigrateBeyond({kVersions + 1, kVersions}));
  const std::string has = absl::StrCat("has version ", kVersions + 2);
  const std::string wants =
      absl::StrCat("wants a binary that knows version ", kVersions + 1);
  const std::string knows = absl::StrCat("knows up to ", kVersions);
  for (const absl::Status& status : {Check(), Migrate().status()}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(has), HasSubstr(wants), HasSubstr(knows)));
  }
  // The service does not run on it either.
  EXPECT_THAT(database_.tokens().List(TokenQuery(), database_.Soon()),
              HasReason(ErrorReason::kDatabaseUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("run a newer binary"));
}

// Fault: refuse every version above the binary's own.
TEST_F(MigrationTest, ANewerDatabaseThatIsCompatibleIsServed) {
  ASSERT_OK(MigrateBeyond({kVersions, kVersions - 1}));
  EXPECT_OK(Check());
  const TokenRecord record = database_.MustCreate();
  EXPECT_OK(database_.tokens().Find(record.name, database_.Soon()));
}

// Fault: go on to the grants, which the newer binary may have made others.
TEST_F(MigrationTest, MigratingANewerDatabaseThatIsCompatibleDoesNothing) {
  ASSERT_OK(MigrateBeyond({kVersions}));
  // Granting to a role that is not there would fail.
  const auto report = Migrate("nobody");
  ASSERT_OK(report);
  EXPECT_THAT(report->applied, IsEmpty());
  EXPECT_EQ(report->version, kVersions + 1);
  EXPECT_EQ(report->known, kVersions);
}

TEST_F(MigrationTest, WhatAMigrationIsCompatibleWithIsStored) {
  ASSERT_OK(MigrateBeyond({kVersions, kVersions + 2}));
  EXPECT_EQ(database_.Sql(absl::StrCat(
                "SELECT string_agg(version || ':' || compatible_with, ' ' ORDER"
                " BY version) FROM schema_migrations WHERE version > ",
                kVersions)),
            absl::StrCat(kVersions + 1, ":", kVersions, " ", kVersions + 2, ":",
                         kVersions + 2));
}

// Fault: parse it only when the migration is applied.
TEST_F(MigrationTest, AMigrationMustSayWhatItIsCompatibleWith) {
  const int next = kVersions + 1;
  const std::vector<Migration> wrong = {
      {next, "without", "SELECT 1;"},
      {next, "empty", ""},
      {next, "second line", "\n-- compatible-with: 1\n"},
      {next, "other words", "-- compatible with 1\n"},
      Next(next, ""),
      Next(next, "0"),
      Next(next, "-1"),
      Next(next, "x"),
      Next(next, absl::StrCat(next + 1)),
  };
  for (const Migration& migration : wrong) {
    std::vector<Migration> migrations = EmbeddedMigrations();
    migrations.push_back(migration);
    const absl::Status status = MigrateTo(migrations).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(migration.name), HasSubstr("compatible-with")));
  }
  // Not even those before it were applied.
  EXPECT_EQ(database_.Sql("SELECT to_regclass('schema_migrations') IS NULL"),
            "t");
}

TEST_F(MigrationTest, MigrationsWithAGapAreRefused) {
  std::vector<Migration> migrations = EmbeddedMigrations();
  migrations.push_back(Next(kVersions + 2, "1"));
  EXPECT_THAT(MigrateTo(migrations),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(Migrate());
  database_.Sql(absl::StrCat("UPDATE schema_migrations SET version = ",
                             kVersions + 1, " WHERE version = ", kVersions));
  EXPECT_THAT(Migrate(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(MigrationTest, AnOlderDatabaseIsRefusedWithWhatToDo) {
  std::vector<Migration> some = EmbeddedMigrations();
  some.resize(2);
  ASSERT_OK(MigrateTo(some));
  const absl::Status status = Check();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("tokend migrate"));
  const auto rest = Migrate();
  ASSERT_OK(rest);
  EXPECT_THAT(rest->applied, SizeIs(kCount - 2));
  EXPECT_OK(Check());
}

TEST_F(MigrationTest, AChangedMigrationIsRefused) {
  ASSERT_OK(Migrate());
  std::vector<Migration> changed = EmbeddedMigrations();
  changed[1].sql += "-- harmless";
  const auto refused = MigrateTo(changed);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr(changed[1].name));
}

TEST_F(MigrationTest, AMigrationThatFailsLeavesNothingBehind) {
  std::vector<Migration> broken = EmbeddedMigrations();
  broken.push_back(Next(kVersions + 1, "1",
                        "CREATE TABLE half (id integer); SELECT 1 / 0;"));
  EXPECT_FALSE(MigrateTo(broken).ok());
  EXPECT_EQ(database_.Sql("SELECT max(version) FROM schema_migrations"),
            absl::StrCat(kVersions));
  EXPECT_EQ(database_.Sql("SELECT to_regclass('half') IS NULL"), "t");
  EXPECT_OK(Check());
}

TEST_F(MigrationTest, TheSealingKeyIsRandom) {
  ASSERT_OK(Migrate());
  TestDatabase other(&PostgresCluster::Shared());
  const auto ours = database_.tokens().SealingKey(database_.Soon());
  const auto theirs = other.tokens().SealingKey(other.Soon());
  ASSERT_OK(ours);
  ASSERT_OK(theirs);
  EXPECT_FALSE(*ours == *theirs);
}

TEST_F(MigrationTest, NobodyRewritesTheAuditLogNotEvenTheOwner) {
  ASSERT_OK(Migrate());
  database_.Sql(
      "INSERT INTO audit_log VALUES (1, 0, now(), 1, 'demo',"
      " gen_random_uuid(), 'a', 'c', 'r', '{}')");
  PostgresCluster& cluster = PostgresCluster::Shared();
  for (const char* sql : {"UPDATE audit_log SET actor = 'nobody'",
                          "DELETE FROM audit_log", "TRUNCATE audit_log"}) {
    EXPECT_FALSE(cluster.TryPsql(database_.conninfo(), sql)) << sql;
  }
  EXPECT_EQ(database_.Sql("SELECT actor FROM audit_log"), "a");
}

class RuntimeRoleTest : public MigrationTest {
 protected:
  RuntimeRoleTest() {
    PostgresCluster::Shared().TryPsql(database_.conninfo(),
                                      "CREATE ROLE \"to'kend\" LOGIN");
    EXPECT_OK(Migrate("to'kend"));
    conninfo_ = PostgresCluster::AsRole(database_.conninfo(), "'to\\'kend'");
    database_.Connect(conninfo_);
  }
  std::string conninfo_;
};

TEST_F(RuntimeRoleTest, CanDoAllThatTheServiceDoes) {
  EXPECT_OK(CheckDatabase(database_.options(), clock_));
  TokenRecord record = database_.MakeRecord();
  SecretRecord secret = database_.MakeSecret();
  Mutation create = TestDatabase::Creation(record, secret);
  AuditRecord audit;
  audit.token = record.name;
  create.audit_records = {audit};
  IssuedRequest request;
  request.project = record.name.project;
  request.request_id = "r";
  request.token = record.name.token;
  create.request = request;
  ASSERT_OK(database_.Write(create)) << database_.log();
  Mutation revoke;
  record.revocation =
      Revocation{absl::Now(), "user-1", RevokeReason::kUnused, ""};
  revoke.updated_tokens = {record};
  revoke.dead_secrets = {{secret.digest, absl::Now()}};
  ASSERT_OK(database_.Write(revoke));
  EXPECT_OK(database_.tokens().Find(record.name, database_.Soon()));
  EXPECT_OK(database_.tokens().List(TokenQuery(), database_.Soon()));
  EXPECT_OK(database_.tokens().ListAudit(AuditQuery(), database_.Soon()));
  EXPECT_OK(database_.tokens().SealingKey(database_.Soon()));
  EXPECT_OK(database_.usage().RecordUses(
      {{record.name.token, false, absl::Now()}}, database_.Soon()));

  PostgresReplicaStore& replicas = database_.replicas();
  const auto head = replicas.LoadSnapshot(100, [](const auto&) {});
  ASSERT_OK(head);
  EXPECT_OK(replicas.Register("r1", head->timeline, kTtl));
  EXPECT_OK(replicas.Renew({"r1", head->timeline, 0}, 1, 0));
  EXPECT_OK(replicas.AdoptTimeline({"r1", head->timeline, 1}));
  EXPECT_OK(replicas.MarkHistoryLost("a test"));
  EXPECT_OK(replicas.Reap({"r1", head->timeline, 7}));
  EXPECT_OK(replicas.Deregister("r1"));

  PostgresMaintenanceStore& maintenance = database_.maintenance();
  const absl::Duration none = -absl::Hours(1);
  EXPECT_OK(maintenance.TrimChangeLog(none, database_.Soon()));
  EXPECT_OK(maintenance.PurgeSecrets(none, database_.Soon()));
  EXPECT_OK(maintenance.PurgeTokens(none, database_.Soon()));
  EXPECT_OK(Migrator(&database_.options(), &clock_).AcceptLostHistory());
}

// Fault: go on with the one connection, or wait for the other.
TEST_F(RuntimeRoleTest, ALoadWithoutASecondConnectionFails) {
  PostgresReplicaStore& replicas = database_.replicas();
  ASSERT_OK(replicas.Deregister("opens a connection"));
  database_.Sql("ALTER ROLE \"to'kend\" CONNECTION LIMIT 1");
  EXPECT_THAT(replicas.LoadSnapshot(0, [](const auto&) {}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(database_.log(), HasSubstr("cannot connect to the database"));
  database_.Sql("ALTER ROLE \"to'kend\" CONNECTION LIMIT -1");
  EXPECT_OK(replicas.LoadSnapshot(0, [](const auto&) {}));
}

TEST_F(RuntimeRoleTest, CannotDoMore) {
  PostgresCluster& cluster = PostgresCluster::Shared();
  for (const char* sql :
       {"DROP TABLE tokens", "ALTER TABLE tokens ADD COLUMN x integer",
        "TRUNCATE tokens", "CREATE TABLE x (id integer)",
        "UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only",
        "DROP TRIGGER audit_log_is_append_only ON audit_log",
        "UPDATE sealing_keys SET key = key", "DELETE FROM change_head",
        "UPDATE change_log SET operation = 1", "DELETE FROM schema_migrations",
        "UPDATE requests SET payload = ''", "SET ROLE postgres",
        "UPDATE index_entries SET project = project",
        "DELETE FROM index_entries",
        "ALTER TABLE tokens DISABLE TRIGGER USER"}) {
    EXPECT_FALSE(cluster.TryPsql(conninfo_, sql)) << sql;
  }
}

TEST_F(MigrationTest, ARoleThatIsNotThereOrOwnsTheSchemaIsRefused) {
  EXPECT_THAT(Migrate("nobody"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Migrate("postgres"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(MigrationTest, AcceptedLossesAreReportedOnce) {
  ASSERT_OK(Migrate());
  Migrator migrator(&database_.options(), &clock_);
  auto said = migrator.AcceptLostHistory();
  ASSERT_OK(said);
  EXPECT_FALSE(said->has_value());
  ASSERT_OK(database_.replicas().MarkHistoryLost("changes 7..9"));
  ASSERT_OK(database_.replicas().MarkHistoryLost("something later"));
  // Fault: load what nobody may use, again and again.
  database_.MustCreate();
  int64_t loaded = 0;
  const auto count = [&](absl::Span<const SharedEntry> entries) {
    loaded += static_cast<int64_t>(entries.size());
  };
  auto head = database_.replicas().LoadSnapshot(0, count);
  ASSERT_OK(head);
  EXPECT_EQ(head->lost_history, "changes 7..9");
  EXPECT_EQ(loaded, 0);
  said = migrator.AcceptLostHistory();
  ASSERT_OK(said);
  EXPECT_EQ(*said, "changes 7..9");
  head = database_.replicas().LoadSnapshot(0, count);
  ASSERT_OK(head);
  EXPECT_FALSE(head->lost_history.has_value());
  EXPECT_EQ(loaded, 1);
}

}  // namespace
}  // namespace wemasy::tokens
