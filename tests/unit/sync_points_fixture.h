// A replica's steps, against a database in memory.
#ifndef WEMASY_TESTS_UNIT_SYNC_POINTS_FIXTURE_H_
#define WEMASY_TESTS_UNIT_SYNC_POINTS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/coherence/sync_points.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/fake_replica_store.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {

inline constexpr absl::Duration kTtl = absl::Seconds(10);
// What is left of it on a clock that may run slow by a thousandth.
inline constexpr absl::Duration kSafeTtl = absl::Milliseconds(9990);

inline constexpr absl::Duration kClientTtl = absl::Seconds(2);

class SilentListener final : public WatchListener {
 public:
  void OnReady() override {}
};

class RecordingObserver final : public ReplicaObserver {
 public:
  void OnLoaded(int64_t entries, int64_t) override { loaded = entries; }
  void OnSyncPoint(int64_t, BootTime) override { ++sync_points; }
  void OnFailure(const absl::Status&) override { ++failures; }
  void OnNotice(absl::string_view text) override { notices.emplace_back(text); }
  void OnReaped(absl::string_view id) override { reaped.emplace_back(id); }
  void OnClosed(CloseReason why, absl::string_view) override { closed = why; }

  int64_t loaded = -1;
  int sync_points = 0;
  int failures = 0;
  std::vector<std::string> notices;
  std::vector<std::string> reaped;
  absl::optional<CloseReason> closed;
};

class QuietBarrierObserver final : public BarrierObserver {
 public:
  void OnWaited(WaitEnd, absl::Duration) override {}
};

class SyncPointsTest : public ::testing::Test {
 protected:
  bool HasLease() { return clock_.Now() < lease_.Capture().end; }
  bool Knows(const TestToken& token) {
    return index_.Visit(token.entry.digest, [](IndexSlot&) {});
  }
  bool SaysDead(const TestToken& token) {
    bool dead = false;
    index_.Visit(token.entry.digest, [&](IndexSlot& slot) {
      dead = slot.dead_nanos != IndexSlot::kNever;
    });
    return dead;
  }
  void Run() {
    ASSERT_OK(steps_.Step());
    ASSERT_EQ(steps_.state(), SyncPoints::State::kRunning);
    ASSERT_OK(steps_.Step());
    ASSERT_TRUE(HasLease());
  }

  // Takes the last step, after which the replica is gone.
  void FinishClosing() {
    ASSERT_EQ(steps_.state(), SyncPoints::State::kClosing);
    ASSERT_OK(steps_.Step());
    ASSERT_EQ(steps_.state(), SyncPoints::State::kClosed);
  }
  // A client that has joined and has a grant.
  WatchStreams::StreamId Watch() {
    const auto stream = hub_.Join(std::make_shared<SilentListener>());
    EXPECT_TRUE(stream.ok());
    hub_.Ping(*stream, 1);
    while (!hub_.Take(*stream).empty()) {
    }
    return *stream;
  }
  // From now on, the database cannot be told that history was lost.
  void RefuseMarks() {
    store_.before = [](const std::string& method) {
      return method == "MarkHistoryLost" ? absl::UnavailableError("locked")
                                         : absl::OkStatus();
    };
  }
  // A change that revokes nothing anybody knows, at the database.
  void Change() { store_.AppendPut(MakeTestToken(random_).entry); }
  // What the one replica has acknowledged.
  int64_t Acked() { return store_.acked[store_.rows.begin()->first]; }
  NextStep Step() {
    const absl::StatusOr<NextStep> next = steps_.Step();
    EXPECT_TRUE(next.ok());
    return next.value_or(NextStep::kRest);
  }

  FakeBootClock clock_;
  FakeRandom random_;
  FakeReplicaStore store_;
  TokenIndex index_;
  Lease lease_;
  RecordingObserver observer_;
  QuietBarrierObserver barrier_observer_;
  WatchHub hub_{{kClientTtl}, &lease_, &clock_};
  Barrier barrier_{{kTtl}, &clock_, &barrier_observer_};
  SyncPoints steps_{{kTtl},    &store_, &index_,  &lease_,   &hub_,
                    &barrier_, &clock_, &random_, &observer_};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_UNIT_SYNC_POINTS_FIXTURE_H_
