#include "tests/contract/store_environment.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/storage/connection_pool.h"
#include "server/storage/migrator.h"
#include "server/storage/postgres_replica_store.h"
#include "server/storage/postgres_token_store.h"
#include "server/storage/postgres_usage_store.h"
#include "tests/support/fake_token_store.h"
#include "tests/support/long_limits.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

class FakeEnvironment final : public StoreEnvironment {
 public:
  TokenStore& store() override { return store_; }
  const BootClock& clock() override { return clock_; }
  void PassTime(absl::Duration d) override { store_.AdvanceTime(d); }
  std::vector<Change> Changes() override { return store_.changes(); }
  void SetLastUsed(const TokenId& token, absl::Time time,
                   absl::optional<absl::Time> old_secret_time) override {
    store_.SetLastUsed(token, time, old_secret_time);
  }
  void ListReplica(const std::string& id, int max_operation) override {
    store_.set_oldest_replica_operation(max_operation);
    store_.set_replicas(std::vector<std::string>{id});
  }

 private:
  SystemBootClock clock_;
  FakeTokenStore store_{&clock_};
};

class PostgresEnvironment final : public StoreEnvironment {
 public:
  PostgresEnvironment()
      : conninfo_(PostgresCluster::Shared().CreateDatabase()) {
    options_.conninfo = Secret(conninfo_);
    SetLongLimits(options_);
    EXPECT_OK(Migrator(&options_, &clock_).Migrate(""));
  }

  TokenStore& store() override { return store_; }
  const BootClock& clock() override { return clock_; }

  // The server's clock cannot be moved, but what it is compared with can.
  void PassTime(absl::Duration d) override {
    const std::string age = absl::StrCat(
        "interval '", absl::ToInt64Microseconds(d), " microseconds'");
    PostgresCluster::Shared().Psql(
        conninfo_,
        absl::StrCat("UPDATE tokens SET create_time = create_time - ", age,
                     ", expire_time = expire_time - ", age,
                     ", revoke_time = revoke_time - ", age,
                     "; UPDATE token_digests SET ends_at = ends_at - ", age,
                     ", dead_at = dead_at - ", age,
                     "; UPDATE requests SET create_time = create_time - ",
                     age));
  }

  std::vector<Change> Changes() override {
    const ReplicaRow reader{"reader", "00000001", 0};
    EXPECT_OK(
        replica_store_.Register(reader.id, reader.timeline, absl::Seconds(30)));
    auto outcome = replica_store_.Renew(reader, 0, 0);
    EXPECT_OK(outcome);
    EXPECT_OK(replica_store_.Deregister(reader.id));
    return std::move(outcome->renewal->changes);
  }

  void SetLastUsed(const TokenId& token, absl::Time time,
                   absl::optional<absl::Time> old_secret_time) override {
    std::vector<TokenUse> uses = {{token, false, time}};
    if (old_secret_time) uses.push_back({token, true, *old_secret_time});
    EXPECT_OK(usage_store_.RecordUses(std::move(uses),
                                      clock_.Now() + absl::Seconds(10)));
  }

  void ListReplica(const std::string& id, int max_operation) override {
    PostgresCluster::Shared().Psql(
        conninfo_, absl::StrCat("INSERT INTO replicas (id, timeline,"
                                " max_operation) VALUES ('",
                                id, "', '00000001', ", max_operation, ")"));
  }

 private:
  const std::string conninfo_;
  SystemBootClock clock_;
  PostgresOptions options_;
  ConnectionPool pool_{&options_, &clock_};
  PostgresTokenStore store_{&pool_};
  PostgresUsageStore usage_store_{&pool_};
  PostgresReplicaStore replica_store_{&options_, &clock_};
};

}  // namespace

std::unique_ptr<StoreEnvironment> MakeFakeEnvironment() {
  return std::make_unique<FakeEnvironment>();
}

std::unique_ptr<StoreEnvironment> MakePostgresEnvironment() {
  return std::make_unique<PostgresEnvironment>();
}

std::vector<StoreKind> AllStores() {
  return {{"Fake", MakeFakeEnvironment}, {"Postgres", MakePostgresEnvironment}};
}

std::string StoreName(const ::testing::TestParamInfo<StoreKind>& info) {
  return info.param.name;
}

absl::Time TokenStoreContract::Now() {
  const auto found =
      store().Find({Project("nobody"), TokenId::Generate(random_)}, Soon());
  EXPECT_OK(found);
  return found->now;
}

TokenRecord TokenStoreContract::MakeRecord(absl::string_view project) {
  TokenRecord record;
  record.name = {Project(project), TokenId::Generate(random_)};
  record.display_name = "CI deploy";
  record.scopes = ScopeSet({"pages:read", "pages:write"});
  record.metadata = {{"tier", "gold"}};
  record.creator = "user-1";
  record.create_time = Now();
  record.hint = "abcd";
  return record;
}

SecretRecord TokenStoreContract::MakeSecret() {
  SecretRecord secret;
  secret.digest = TokenDigest::Of(TokenId::Generate(random_).ToString());
  return secret;
}

absl::StatusOr<CommitStamp> TokenStoreContract::Write(
    const Mutation& mutation) {
  return store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        for (const TokenRecord& record : mutation.inserted_tokens) {
          const auto locked = transaction.LockProject(record.name.project);
          if (!locked.ok()) return locked.status();
        }
        return mutation;
      });
}

CommitStamp TokenStoreContract::MustWrite(const Mutation& mutation) {
  auto stamp = Write(mutation);
  EXPECT_OK(stamp);
  return stamp.ok() ? *stamp : CommitStamp();
}

CommitStamp TokenStoreContract::MustInsert(const TokenRecord& record,
                                           const SecretRecord& secret) {
  Mutation mutation;
  mutation.inserted_tokens = {record};
  mutation.inserted_secrets = {{record.name, secret}};
  Change change;
  change.operation = ChangeOperation::kPut;
  change.entry = MakeIndexEntry(record, secret);
  mutation.changes = {change};
  return MustWrite(mutation);
}

LockedToken TokenStoreContract::Lock(const TokenName& name) {
  LockedToken locked;
  EXPECT_OK(store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        auto result = transaction.LockToken(name);
        if (!result.ok()) return result.status();
        locked = *std::move(result);
        return Mutation();
      }));
  return locked;
}

LockedTokens TokenStoreContract::Match(
    const std::vector<TokenDigest>& digests) {
  LockedTokens locked;
  EXPECT_OK(store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        auto result = transaction.LockTokensByDigest(digests);
        if (!result.ok()) return result.status();
        locked = *std::move(result);
        return Mutation();
      }));
  return locked;
}

int64_t TokenStoreContract::CountActive(absl::string_view project) {
  int64_t count = -1;
  EXPECT_OK(store().Transact(
      Soon(), [&](TokenTransaction& transaction) -> absl::StatusOr<Mutation> {
        const auto locked = transaction.LockProject(Project(project));
        if (!locked.ok()) return locked.status();
        count = locked->active_tokens;
        return Mutation();
      }));
  return count;
}

}  // namespace wemasy::tokens
