// A token store in memory, with a database clock that a test moves, and faults
// that a test orders. Keeps the contract of tests/contract/.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_TOKEN_STORE_H_
#define WEMASY_TESTS_SUPPORT_FAKE_TOKEN_STORE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "server/lifecycle/token_store.h"
#include "tests/support/fake_token_tables.h"

namespace wemasy::tokens {

// Transactions run one after the other. Thread-safe.
class FakeTokenStore final : public TokenStore {
 public:
  // `clock` must outlive this object. The database's clock is another, which
  // stands still until AdvanceTime.
  explicit FakeTokenStore(const BootClock* clock) : clock_(clock) {}

  absl::StatusOr<CommitStamp> Transact(
      BootTime deadline,
      absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)> body)
      override;
  absl::StatusOr<FoundToken> Find(const TokenName& name,
                                  BootTime deadline) override;
  absl::StatusOr<TokenPage> List(const TokenQuery& query,
                                 BootTime deadline) override;
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query,
                                      BootTime deadline) override;
  absl::StatusOr<Secret> SealingKey(BootTime deadline) override;

  // The database's clock.
  absl::Time now() const;
  void AdvanceTime(absl::Duration d);

  // All changes that were committed, in order.
  std::vector<Change> changes() const;
  // Called after each commit, with its changes; may not call the store.
  void set_on_commit(std::function<void(const std::vector<Change>&)> hook);

  // The next call fails with `status`, and changes nothing.
  void FailNextCall(absl::Status status);
  // The next commit fails with `status`; whether it `applies` all the same is
  // what its caller cannot know.
  void FailNextCommit(absl::Status status, bool applies);
  // The next transaction runs its body this often in vain before it succeeds,
  // as after serialization failures.
  void RepeatNextTransaction(int times);
  // The newest operation that the oldest listed replica can read.
  void set_oldest_replica_operation(int operation);
  // What CommitStamp says of replicas.
  void set_replicas(absl::optional<std::vector<std::string>> ids);
  // As the usage job would.
  void SetLastUsed(const TokenId& token, absl::Time time,
                   absl::optional<absl::Time> old_secret_time);

 private:
  absl::Status StartCall(BootTime deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<CommitStamp> Commit(FakeTokenTables tables,
                                     const Mutation& mutation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Matches(const TokenRecord& record, const TokenFilter& filter) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const BootClock* const clock_;
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) =
      absl::FromUnixSeconds(1'700'000'000);
  FakeTokenTables tables_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const std::vector<Change>&)> on_commit_
      ABSL_GUARDED_BY(mutex_);
  absl::Status next_call_ ABSL_GUARDED_BY(mutex_);
  absl::Status next_commit_ ABSL_GUARDED_BY(mutex_);
  bool next_commit_applies_ ABSL_GUARDED_BY(mutex_) = false;
  int repeats_ ABSL_GUARDED_BY(mutex_) = 0;
  int oldest_replica_operation_ ABSL_GUARDED_BY(mutex_) = 1000;
  absl::optional<std::vector<std::string>> replicas_ ABSL_GUARDED_BY(mutex_) =
      std::vector<std::string>();
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_TOKEN_STORE_H_
