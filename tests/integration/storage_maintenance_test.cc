// What background jobs do to a real database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

class StorageMaintenanceTest : public ::testing::Test {
 protected:
  int64_t Trim(absl::Duration min_age) {
    const auto removed =
        database_.maintenance().TrimChangeLog(min_age, database_.Soon());
    EXPECT_OK(removed);
    return removed.value_or(-1);
  }
  int64_t PurgeTokens(absl::Duration min_age) {
    const auto removed =
        database_.maintenance().PurgeTokens(min_age, database_.Soon());
    EXPECT_OK(removed);
    return removed.value_or(-1);
  }
  int64_t PurgeSecrets(absl::Duration min_age) {
    const auto removed =
        database_.maintenance().PurgeSecrets(min_age, database_.Soon());
    EXPECT_OK(removed);
    return removed.value_or(-1);
  }
  void WriteNoops(int count) {
    Mutation mutation;
    mutation.changes.resize(count);
    ASSERT_OK(database_.Write(mutation));
  }
  std::string LogRange() {
    return database_.Sql(
        "SELECT min(seq) || '..' || max(seq)"
        " || ' ' || count(*) FROM change_log");
  }

  TestDatabase database_{&PostgresCluster::Shared()};
};

TEST_F(StorageMaintenanceTest, TrimKeepsWhatAReplicaHasNotAcknowledged) {
  WriteNoops(10);
  database_.Sql(
      "INSERT INTO replicas (id, timeline, max_operation, acked_seq)"
      " VALUES ('fast', '00000001', 2, 10), ('slow', '00000001', 2, 4)");
  EXPECT_EQ(Trim(absl::ZeroDuration()), 4);
  EXPECT_EQ(LogRange(), "5..10 6");
  EXPECT_EQ(Trim(absl::ZeroDuration()), 0);
  database_.Sql("DELETE FROM replicas WHERE id = 'slow'");
  EXPECT_EQ(Trim(absl::ZeroDuration()), 6);
}

TEST_F(StorageMaintenanceTest, TrimKeepsTheYoungAndMakesNoHole) {
  WriteNoops(10);
  EXPECT_EQ(Trim(absl::Minutes(10)), 0);
  // The clock was set back after the third.
  database_.Sql(
      "UPDATE change_log SET commit_time = commit_time - interval '1 hour'"
      " WHERE seq <> 4");
  EXPECT_EQ(Trim(absl::Minutes(10)), 3);
  EXPECT_EQ(LogRange(), "4..10 7");
}

TEST_F(StorageMaintenanceTest, TrimGoesAThousandAtATime) {
  WriteNoops(1500);
  EXPECT_EQ(Trim(absl::ZeroDuration()), 1000);
  EXPECT_EQ(LogRange(), "1001..1500 500");
  EXPECT_EQ(Trim(absl::ZeroDuration()), 500);
}

TEST_F(StorageMaintenanceTest, AJobThatAnotherReplicaDoesIsLeftToIt) {
  WriteNoops(5);
  ASSERT_OK(database_.pool().Run(
      database_.Soon(), [&](PostgresConnection& connection) -> absl::Status {
        EXPECT_OK(
            connection.Begin(PostgresConnection::Isolation::kReadCommitted));
        EXPECT_OK(connection
                      .Execute(sql::kTryMaintenanceLock,
                               Params().Int((int64_t{0x776d7379} << 32) | 2))
                      .status());
        EXPECT_EQ(Trim(absl::ZeroDuration()), 0);
        return absl::OkStatus();
      }));
  EXPECT_EQ(Trim(absl::ZeroDuration()), 5);
}

TEST_F(StorageMaintenanceTest, OnlyTheLongDeadArePurged) {
  TokenRecord active = database_.MustCreate();
  TokenRecord expired = database_.MakeRecord();
  expired.expire_time = absl::Now() - absl::Hours(48);
  TokenRecord revoked = database_.MakeRecord();
  revoked.revocation = Revocation{absl::Now() - absl::Hours(48), "user-2",
                                  RevokeReason::kUnused, ""};
  TokenRecord recent = database_.MakeRecord();
  recent.revocation = revoked.revocation;
  recent.revocation->time = absl::Now();
  for (const TokenRecord* record : {&expired, &revoked, &recent}) {
    Mutation create = TestDatabase::Creation(*record, database_.MakeSecret());
    AuditRecord audit;
    audit.token = record->name;
    create.audit_records = {audit};
    IssuedRequest request;
    request.project = record->name.project;
    request.request_id = record->name.token.ToString();
    request.token = record->name.token;
    create.request = request;
    ASSERT_OK(database_.Write(create));
    ASSERT_OK(database_.usage().RecordUses(
        {{record->name.token, false, absl::Now()}}, database_.Soon()));
  }
  EXPECT_EQ(PurgeTokens(absl::Hours(24)), 2);
  EXPECT_EQ(PurgeTokens(absl::Hours(24)), 0);
  for (const TokenRecord* record : {&active, &recent}) {
    const auto found = database_.tokens().Find(record->name, database_.Soon());
    ASSERT_OK(found);
    EXPECT_TRUE(found->token.has_value());
  }
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM tokens"), "2");
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM token_digests"), "2");
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM requests"), "1");
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM token_usage"), "1");
  // What happened stays on record.
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM audit_log"), "3");
  EXPECT_EQ(LogRange(), "1..4 4");
}

TEST_F(StorageMaintenanceTest, ReplacedSecretsArePurgedTheLastOneNever) {
  const absl::Time long_ago = absl::Now() - absl::Hours(48);
  TokenRecord record = database_.MakeRecord();
  SecretRecord reissued = database_.MakeSecret();
  SecretRecord rotated = database_.MakeSecret();
  const SecretRecord current = database_.MakeSecret();
  ASSERT_OK(database_.Write(TestDatabase::Creation(record, reissued)));
  Mutation mutation;
  mutation.dead_secrets = {{reissued.digest, long_ago}};
  reissued.is_current = false;
  mutation.updated_secrets = {reissued};
  mutation.inserted_secrets = {{record.name, rotated}};
  ASSERT_OK(database_.Write(mutation));
  rotated.is_current = false;
  rotated.ends_at = long_ago;
  mutation = Mutation();
  mutation.updated_secrets = {rotated};
  mutation.inserted_secrets = {{record.name, current}};
  ASSERT_OK(database_.Write(mutation));

  EXPECT_EQ(PurgeSecrets(absl::Hours(72)), 0);
  EXPECT_EQ(PurgeSecrets(absl::Hours(24)), 2);
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM token_digests"), "1");
  // A revoked token's last secret goes with its token.
  mutation = Mutation();
  mutation.dead_secrets = {{current.digest, long_ago}};
  ASSERT_OK(database_.Write(mutation));
  EXPECT_EQ(PurgeSecrets(absl::Hours(24)), 0);
}

TEST_F(StorageMaintenanceTest, UseTimesOnlyRise) {
  const TokenId token = database_.MustCreate().name.token;
  const absl::Time noon = absl::FromUnixSeconds(1'699'999'980);
  const auto record = [&](std::vector<TokenUse> uses) {
    ASSERT_OK(database_.usage().RecordUses(std::move(uses), database_.Soon()));
  };
  const auto stored = [&] {
    return database_.Sql(
        "SELECT extract(epoch FROM last_used_time)::bigint || ' ' ||"
        " COALESCE(extract(epoch FROM old_secret_last_used_time)::bigint"
        "::text, '-') FROM token_usage");
  };
  const auto at = [&](int minutes) {
    return absl::StrCat(absl::ToUnixSeconds(noon) + int64_t{60} * minutes);
  };
  record({{token, false, noon}});
  EXPECT_EQ(stored(), at(0) + " -");
  record({{token, true, noon + absl::Minutes(2)},
          {token, false, noon + absl::Minutes(1)}});
  EXPECT_EQ(stored(), at(2) + " " + at(2));
  record({{token, true, noon}, {token, false, noon}});
  EXPECT_EQ(stored(), at(2) + " " + at(2));
  record({{token, false, noon + absl::Minutes(9)}});
  EXPECT_EQ(stored(), at(9) + " " + at(2));
  // Nobody uses what is not there.
  record({{database_.MakeRecord().name.token, false, noon}});
  record({});
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM token_usage"), "1");
}

TEST_F(StorageMaintenanceTest, UsageUpdatesOfADayTouchNoIndex) {
  std::vector<TokenUse> uses;
  const absl::Time noon = absl::FromUnixSeconds(1'699'920'000);
  for (int i = 0; i < 20; ++i) {
    uses.push_back({database_.MustCreate().name.token, false, noon});
  }
  for (int minute = 0; minute < 10; ++minute) {
    for (TokenUse& use : uses) use.minute += absl::Minutes(1);
    ASSERT_OK(database_.usage().RecordUses(uses, database_.Soon()));
  }
  // Sent when a session ends.
  database_.Connect(database_.conninfo());
  database_.Sql("SELECT pg_stat_force_next_flush()");
  std::string updates;
  for (int i = 0; i < 100 && updates != "180 180"; ++i) {
    updates = database_.Sql(
        "SELECT pg_stat_clear_snapshot(); SELECT n_tup_upd || ' ' ||"
        " n_tup_hot_upd FROM pg_stat_user_tables"
        " WHERE relname = 'token_usage'");
    updates = updates.substr(updates.find_last_of('\n') + 1);
  }
  EXPECT_EQ(updates, "180 180");
}

}  // namespace
}  // namespace wemasy::tokens
