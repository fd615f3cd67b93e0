// What the contract suite needs of a store besides its interface, for each of
// the implementations.
#ifndef WEMASY_TESTS_CONTRACT_STORE_ENVIRONMENT_H_
#define WEMASY_TESTS_CONTRACT_STORE_ENVIRONMENT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "server/lifecycle/token_store.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {

// An empty store, and the world around it.
class StoreEnvironment {
 public:
  virtual ~StoreEnvironment() = default;

  virtual TokenStore& store() = 0;
  virtual const BootClock& clock() = 0;
  // Makes all that is stored older.
  virtual void PassTime(absl::Duration d) = 0;
  virtual std::vector<Change> Changes() = 0;
  // As the usage job would.
  virtual void SetLastUsed(const TokenId& token, absl::Time time,
                           absl::optional<absl::Time> old_secret_time) = 0;
  // Lists a replica that can read operations up to this one.
  virtual void ListReplica(const std::string& id, int max_operation) = 0;
};

struct StoreKind {
  const char* name;
  std::function<std::unique_ptr<StoreEnvironment>()> make;
};

std::unique_ptr<StoreEnvironment> MakeFakeEnvironment();
std::unique_ptr<StoreEnvironment> MakePostgresEnvironment();

// Runs every test on every store.
class TokenStoreContract : public ::testing::TestWithParam<StoreKind> {
 protected:
  TokenStoreContract() : environment_(GetParam().make()) {}

  TokenStore& store() { return environment_->store(); }
  BootTime Soon() { return environment_->clock().Now() + absl::Seconds(20); }
  // The database's clock.
  absl::Time Now();

  ProjectId Project(absl::string_view id = "demo") {
    return *ProjectId::Parse(id);
  }
  TokenRecord MakeRecord(absl::string_view project = "demo");
  SecretRecord MakeSecret();
  // Stores a token with one secret, as CreateToken would.
  CommitStamp MustInsert(const TokenRecord& record, const SecretRecord& secret);
  // Writes without looking.
  absl::StatusOr<CommitStamp> Write(const Mutation& mutation);
  CommitStamp MustWrite(const Mutation& mutation);
  // What a transaction of its own sees.
  LockedToken Lock(const TokenName& name);
  LockedTokens Match(const std::vector<TokenDigest>& digests);
  int64_t CountActive(absl::string_view project = "demo");

  FakeRandom random_;
  std::unique_ptr<StoreEnvironment> environment_;
};

// The suites' parameters.
std::vector<StoreKind> AllStores();
std::string StoreName(const ::testing::TestParamInfo<StoreKind>& info);

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_CONTRACT_STORE_ENVIRONMENT_H_
