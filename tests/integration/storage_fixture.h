// A migrated database on a real PostgreSQL, with all stores on it.
#ifndef WEMASY_TESTS_INTEGRATION_STORAGE_FIXTURE_H_
#define WEMASY_TESTS_INTEGRATION_STORAGE_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/storage/connection_pool.h"
#include "server/storage/migrator.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/postgres_maintenance_store.h"
#include "server/storage/postgres_replica_store.h"
#include "server/storage/postgres_token_store.h"
#include "server/storage/postgres_usage_store.h"
#include "tests/support/fake_random.h"
#include "tests/support/long_limits.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {

// Of the replicas that tests register.
inline constexpr char kTimeline[] = "00000001";
inline constexpr absl::Duration kTtl = absl::Seconds(30);

// Keeps what storage tells the operators. Thread-safe.
class CapturedLog {
 public:
  StorageLog sink() {
    return [this](StorageSeverity, absl::string_view message) {
      MutexLock lock(&mutex_);
      messages_.emplace_back(message);
    };
  }
  std::string text() const {
    MutexLock lock(&mutex_);
    return absl::StrJoin(messages_, "\n");
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> messages_ ABSL_GUARDED_BY(mutex_);
};

// One database and its stores. `cluster` must outlive it.
class TestDatabase {
 public:
  explicit TestDatabase(PostgresCluster* cluster, bool migrate = true)
      : cluster_(*cluster), conninfo_(cluster->CreateDatabase()) {
    options_.conninfo = Secret(conninfo_);
    options_.log = log_.sink();
    SetLongLimits(options_);
    if (migrate) {
      EXPECT_OK(Migrator(&options_, &clock_).Migrate(""));
    }
    Connect(conninfo_);
  }

  // Throws the connections away, and goes on with others.
  void Connect(const std::string& conninfo) {
    maintenance_.reset();
    usage_.reset();
    tokens_.reset();
    replicas_.reset();
    pool_.reset();
    options_.conninfo = Secret(conninfo);
    pool_ = std::make_unique<ConnectionPool>(&options_, &clock_);
    tokens_ = std::make_unique<PostgresTokenStore>(pool_.get());
    usage_ = std::make_unique<PostgresUsageStore>(pool_.get());
    maintenance_ = std::make_unique<PostgresMaintenanceStore>(pool_.get());
    replicas_ = std::make_unique<PostgresReplicaStore>(&options_, &clock_);
  }

  PostgresTokenStore& tokens() { return *tokens_; }
  PostgresUsageStore& usage() { return *usage_; }
  PostgresMaintenanceStore& maintenance() { return *maintenance_; }
  PostgresReplicaStore& replicas() { return *replicas_; }
  ConnectionPool& pool() { return *pool_; }
  // Change them before Connect.
  PostgresOptions& options() { return options_; }
  const BootClock& clock() { return clock_; }
  const std::string& conninfo() const { return conninfo_; }
  std::string log() const { return log_.text(); }
  BootTime In(absl::Duration d) { return clock_.Now() + d; }
  BootTime Soon() { return In(absl::Seconds(60)); }

  // Runs SQL as the superuser.
  std::string Sql(const std::string& sql) {
    return cluster_.Psql(conninfo_, sql);
  }

  TokenRecord MakeRecord(absl::string_view project = "demo") {
    TokenRecord record;
    record.name = {*ProjectId::Parse(project), TokenId::Generate(random_)};
    record.display_name = "CI deploy";
    record.scopes = ScopeSet({"pages:read"});
    record.metadata = {{"tier", "gold"}};
    record.creator = "user-1";
    record.create_time = absl::Now();
    record.hint = "abcd";
    return record;
  }
  SecretRecord MakeSecret() {
    SecretRecord secret;
    secret.digest = TokenDigest::Of(TokenId::Generate(random_).ToString());
    return secret;
  }

  // A mutation that stores a token, as CreateToken's would.
  static Mutation Creation(const TokenRecord& record,
                           const SecretRecord& secret) {
    Mutation mutation;
    mutation.inserted_tokens = {record};
    mutation.inserted_secrets = {{record.name, secret}};
    Change change;
    change.operation = ChangeOperation::kPut;
    change.entry = MakeIndexEntry(record, secret);
    mutation.changes = {change};
    return mutation;
  }
  absl::StatusOr<CommitStamp> Write(const Mutation& mutation,
                                    BootTime deadline) {
    return tokens().Transact(
        deadline,
        [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
          for (const TokenRecord& record : mutation.inserted_tokens) {
            const auto locked = transaction.LockProject(record.name.project);
            if (!locked.ok()) return locked.status();
          }
          return mutation;
        });
  }
  absl::StatusOr<CommitStamp> Write(const Mutation& mutation) {
    return Write(mutation, Soon());
  }
  TokenRecord MustCreate(absl::string_view project = "demo") {
    const TokenRecord record = MakeRecord(project);
    EXPECT_OK(Write(Creation(record, MakeSecret())));
    return record;
  }

 private:
  PostgresCluster& cluster_;
  const std::string conninfo_;
  SystemBootClock clock_;
  FakeRandom random_;
  CapturedLog log_;
  PostgresOptions options_;
  std::unique_ptr<ConnectionPool> pool_;
  std::unique_ptr<PostgresTokenStore> tokens_;
  std::unique_ptr<PostgresUsageStore> usage_;
  std::unique_ptr<PostgresMaintenanceStore> maintenance_;
  std::unique_ptr<PostgresReplicaStore> replicas_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_INTEGRATION_STORAGE_FIXTURE_H_
