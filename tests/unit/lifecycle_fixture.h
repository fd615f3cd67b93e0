// The rules of a token's life, on a store in memory.
#ifndef WEMASY_TESTS_UNIT_LIFECYCLE_FIXTURE_H_
#define WEMASY_TESTS_UNIT_LIFECYCLE_FIXTURE_H_

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/validate/token_index.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_metadata_room.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_token_store.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {

inline constexpr char kRequestId[] = "0b3fe2b5-7ab1-4c3e-8f2a-0123456789ab";

// A barrier that says what a test tells it to. Thread-safe.
class FakeBarrier final : public ChangeBarrier {
 public:
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp& commit,
                                       const Patience&) override {
    MutexLock lock(&mutex_);
    awaited_.push_back(commit.seq);
    if (!confirms) return absl::DeadlineExceededError("not yet");
    BarrierReceipt receipt;
    receipt.acknowledged_replicas = 1;
    return receipt;
  }
  // The numbers of the changes that were waited for.
  std::vector<int64_t> awaited() const {
    MutexLock lock(&mutex_);
    return awaited_;
  }
  std::atomic<bool> confirms{true};

 private:
  mutable Mutex mutex_;
  std::vector<int64_t> awaited_ ABSL_GUARDED_BY(mutex_);
};

class LifecycleTest : public ::testing::Test {
 protected:
  CallContext Context() {
    return {clock_.Now() + absl::Seconds(10), "spiffe://test/ui", "call-1"};
  }
  CreateRequest MakeCreate(absl::string_view name = "CI deploy") {
    CreateRequest request;
    request.parent = "projects/demo";
    request.display_name = std::string(name);
    request.scopes = {"pages:write", "pages:read"};
    request.metadata = {{"tier", "gold"}};
    request.actor = "user-1";
    return request;
  }
  IssuedToken MustCreate(const CreateRequest& request) {
    auto issued = lifecycle_.Create(Context(), request);
    EXPECT_OK(issued);
    return *std::move(issued);
  }
  absl::StatusOr<RevokedToken> Revoke(const TokenRecord& record) {
    return lifecycle_.Revoke(Context(), {record.name.ToString(), "user-2",
                                         RevokeReason::kUnused, "gone"});
  }
  RotateRequest MakeRotate(const IssuedToken& issued,
                           absl::Duration grace = absl::ZeroDuration()) {
    return {issued.token.record.name.ToString(), "user-3", grace, ""};
  }
  // That changes nothing yet.
  UpdateRequest MakeUpdate(const IssuedToken& issued) {
    UpdateRequest request;
    request.name = issued.token.record.name.ToString();
    request.actor = "user-2";
    return request;
  }

  // What an index that read the change log would say of a secret.
  enum class Use { kUnknown, kLive, kDead };
  Use UseOf(const Secret& secret) {
    TokenIndex index;
    for (const Change& change : store_.changes()) {
      if (change.operation == ChangeOperation::kPut) index.Put(change.entry);
    }
    Use use = Use::kUnknown;
    const int64_t now = absl::ToUnixNanos(store_.now());
    index.Visit(TokenDigest::Of(secret.Reveal()), [&](IndexSlot& slot) {
      use = slot.dead_nanos == IndexSlot::kNever && now < slot.expire_nanos
                ? Use::kLive
                : Use::kDead;
    });
    return use;
  }
  std::vector<AuditAction> AuditActions() {
    auto view = lifecycle_.ListAudit(Context(), {"projects/-", 0, "", {}});
    EXPECT_OK(view);
    std::vector<AuditAction> actions;
    for (const AuditRecord& record : view->records) {
      actions.push_back(record.action);
    }
    return actions;
  }

  FakeBootClock clock_;
  FakeRandom random_;
  FakeTokenStore store_{&clock_};
  FakeBarrier barrier_;
  FakeMetadataRoom metadata_room_;
  TokenLifecycle lifecycle_{&store_, &barrier_, &metadata_room_,
                            &clock_, &random_,  LifecycleLimits{3}};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_UNIT_LIFECYCLE_FIXTURE_H_
