// The threads around the sync points, and the wait for a change.
#include "server/coherence/replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>

#include "common/mutex.h"
#include "tests/support/entries.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_replica_store.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

// A listener that hears what a test says.
class FakeListener final : public ChangeListener {
 public:
  absl::StatusOr<bool> Wait(absl::Duration timeout) override {
    MutexLock lock(&mutex_);
    if (!heard_) said_.WaitWithTimeout(&mutex_, timeout);
    return std::exchange(heard_, false);
  }
  void Say() {
    MutexLock lock(&mutex_);
    heard_ = true;
    said_.SignalAll();
  }

 private:
  Mutex mutex_;
  CondVar said_;
  bool heard_ ABSL_GUARDED_BY(mutex_) = false;
};

class QuietObserver final : public ReplicaObserver, public BarrierObserver {
 public:
  void OnLoaded(int64_t, int64_t) override {}
  void OnSyncPoint(int64_t, BootTime) override {
    MutexLock lock(&mutex_);
    ++sync_points_;
    changed_.SignalAll();
  }
  void OnFailure(const absl::Status&) override {}
  void OnNotice(absl::string_view) override {}
  void OnReaped(absl::string_view) override {}
  void OnClosed(CloseReason, absl::string_view) override {}
  void OnWaited(WaitEnd, absl::Duration) override {}

  // Returns once there were `count` sync points.
  void AwaitSyncPoints(int count) {
    MutexLock lock(&mutex_);
    while (sync_points_ < count) changed_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int sync_points_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Serialises what the test and the replica's thread do to the store.
class LockedStore {
 public:
  LockedStore() {
    store.before = [this](const std::string&) {
      MutexLock lock(&mutex_);
      if (pending_ != nullptr) std::exchange(pending_, nullptr)();
      if (each_ != nullptr) each_();
      return failure_;
    };
  }
  // Runs `change` before each further access. Only from within Do.
  void Each(std::function<void()> change) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    each_ = std::move(change);
  }
  // Runs `change` before the replica's next access.
  void Do(std::function<void()> change) {
    MutexLock lock(&mutex_);
    pending_ = std::move(change);
  }
  void Fail(absl::Status status) {
    MutexLock lock(&mutex_);
    failure_ = std::move(status);
  }

  FakeReplicaStore store;

 private:
  Mutex mutex_;
  std::function<void()> pending_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> each_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

class ReplicaTest : public ::testing::Test {
 protected:
  // A lease so long that no regular sync point comes within a test.
  explicit ReplicaTest(absl::Duration ttl = absl::Minutes(10))
      : options_{ttl} {}

  CommitStamp CommitNow(int64_t seq) {
    CommitStamp stamp;
    stamp.seq = seq;
    stamp.time = absl::Now();
    stamp.timeline = locked_.store.timeline;
    stamp.returned_at = clock_.Now();
    return stamp;
  }

  ReplicaOptions options_;
  SystemBootClock clock_;
  FakeRandom random_;
  LockedStore locked_;
  TokenIndex index_;
  Lease lease_;
  QuietObserver observer_;
  FakeListener listener_;
  Barrier barrier_{options_, &clock_, &observer_};
  WatchHub hub_{{}, &lease_, &clock_};
  SyncPoints steps_{options_,  &locked_.store, &index_,  &lease_,   &hub_,
                    &barrier_, &clock_,        &random_, &observer_};
  Replica replica_{options_, &steps_, &barrier_, &hub_, &listener_, &clock_};
};

TEST_F(ReplicaTest, LoadsAndLeasesAtOnce) {
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  EXPECT_LT(clock_.Now(), lease_.Capture().end);
}

TEST_F(ReplicaTest, ANotificationBringsASyncPoint) {
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  listener_.Say();
  observer_.AwaitSyncPoints(2);
}

TEST_F(ReplicaTest, AwaitReturnsOnceTheChangeIsAppliedAndAcknowledged) {
  TestToken token = MakeTestToken(random_);
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  locked_.Do([&] { locked_.store.AppendPut(token.entry); });
  // Brings the sync points itself: there is no notification.
  const auto receipt =
      replica_.Await(CommitNow(1), {BootTime::InfiniteFuture(), {}});
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 1);
  EXPECT_TRUE(index_.Visit(token.entry.digest, [](IndexSlot&) {}));
}

// Fault: no look at the others while somebody waits.
TEST_F(ReplicaTest, AwaitSeesWhatOtherReplicasAcknowledgeWithoutAWord) {
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  std::atomic<int> looks{0};
  locked_.Do([&] {
    FakeReplicaStore& store = locked_.store;
    store.rows["other"] = {"other", store.timeline, 1};
    store.AppendPut(MakeTestToken(random_).entry);
    // Only the fifth look finds it.
    locked_.Each([&] {
      if (++looks == 5) store.acked["other"] = 1;
    });
  });
  const auto receipt =
      replica_.Await(CommitNow(1), {BootTime::InfiniteFuture(), {}});
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->acknowledged_replicas, 2);
  EXPECT_GE(looks.load(), 5);
  // Before what its accesses call is gone.
  replica_.Stop();
}

TEST_F(ReplicaTest, AwaitEndsAtTheCallersDeadline) {
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  EXPECT_THAT(
      replica_.Await(CommitNow(7), {clock_.Now() + absl::Milliseconds(20), {}}),
      StatusIs(absl::StatusCode::kDeadlineExceeded));
}

class ShortLeaseReplicaTest : public ReplicaTest {
 protected:
  ShortLeaseReplicaTest() : ReplicaTest(absl::Milliseconds(100)) {}
};

TEST_F(ShortLeaseReplicaTest, AwaitEndsWithTheLeaseThatCouldContradict) {
  locked_.Fail(absl::UnavailableError("away"));
  replica_.Start();
  CommitStamp commit = CommitNow(1);
  commit.replicas = {"somebody"};
  const auto receipt = replica_.Await(commit, {BootTime::InfiniteFuture(), {}});
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->expired_replicas, 1);
  EXPECT_LE(lease_.Capture().end, clock_.Now());
}

TEST_F(ShortLeaseReplicaTest, ComesBackWhenTheDatabaseDoes) {
  locked_.Fail(absl::UnavailableError("away"));
  replica_.Start();
  locked_.Fail(absl::OkStatus());
  observer_.AwaitSyncPoints(3);
}

TEST_F(ReplicaTest, StopEndsTheLeaseAndCanBeRepeated) {
  replica_.Start();
  observer_.AwaitSyncPoints(1);
  replica_.Stop();
  EXPECT_LE(lease_.Capture().end, clock_.Now());
  EXPECT_TRUE(locked_.store.rows.empty());
  replica_.Stop();
}

}  // namespace
}  // namespace wemasy::tokens
