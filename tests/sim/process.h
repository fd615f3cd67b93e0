// One server process: the real classes of a replica, driven as `tokend` does.
#ifndef WEMASY_TESTS_SIM_PROCESS_H_
#define WEMASY_TESTS_SIM_PROCESS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/coherence/barrier.h"
#include "server/coherence/sync_points.h"
#include "server/coherence/watch_hub.h"
#include "server/validate/lease.h"
#include "server/validate/token_index.h"
#include "server/validate/validator.h"
#include "tests/sim/database.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

// Randomness that is the same in every run of a seed.
class DrawnBytes final : public RandomSource {
 public:
  explicit DrawnBytes(uint64_t seed) : draw_(seed) {}
  void Fill(absl::Span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(draw_.Next());
  }

 private:
  Draw draw_;
};

// An index for one process, of which former ones leave theirs to later ones:
// the load clears it first, and a thousand shards take long to make.
class BorrowedIndex {
 public:
  BorrowedIndex();
  ~BorrowedIndex();
  BorrowedIndex(const BorrowedIndex&) = delete;
  BorrowedIndex& operator=(const BorrowedIndex&) = delete;
  TokenIndex* get() const { return index_.get(); }

 private:
  std::unique_ptr<TokenIndex> index_;
};

// From its start to its end. Stays after that, for what still refers to it.
class Process final : public ReplicaObserver, public BarrierObserver {
 public:
  // `clock` is the machine's.
  Process(World* world, Database* database, Tally* tally,
          const MachineClock* clock, ReplicaOptions options, std::string name);

  // Runs until the process ends by itself. In a fiber of `life()`.
  void Run();
  // Asks it to drain, as SIGTERM does.
  void Drain();
  // Ends it where it is.
  void Crash() { life_->is_over = true; }
  // Has it cut off from the database, for longer than a lease.
  void CutOff();
  // Calls `ambush` after the next sync point.
  void SetAmbush(std::function<void()> ambush) { ambush_ = std::move(ambush); }
  // A notification has come.
  void Hear();

  // In a fiber of `life()`: what AuthService.Validate says, for a stream or (0)
  // none.
  struct Reply {
    absl::StatusOr<Validation> validation;
    ReplicaIdentity identity;
    WatchStreams::StreamId stream = 0;
  };
  Reply Validate(absl::string_view presented, const TokenDigest& digest,
                 WatchStreams::StreamId stream);

  const std::shared_ptr<Life>& life() const { return life_; }
  bool is_over() const { return life_->is_over; }
  // Whether calls are taken.
  bool serves() const { return !life_->is_over && !is_shut_down_; }
  WatchHub& hub() { return hub_; }
  Lease& lease() { return lease_; }
  Barrier& barrier() { return barrier_; }
  absl::Duration ttl() const { return options_.ttl; }
  const MachineClock& clock() const { return clock_; }
  // Who waits at the barrier: woken by every look at the table.
  std::vector<World::Task*>& waiters() { return waiters_; }

 private:
  void OnLoaded(int64_t entries, int64_t head) override;
  void OnSyncPoint(int64_t applied, BootTime lease_end) override;
  void OnFailure(const absl::Status& /*status*/) override {}
  void OnNotice(absl::string_view text) override;
  void OnReaped(absl::string_view id) override;
  void OnClosed(CloseReason reason, absl::string_view text) override;
  void OnWaited(WaitEnd /*end*/, absl::Duration /*waited*/) override {}

  // What is so long where a lease is the schedule's longest.
  Nanos Share(Nanos of_the_longest) const;
  // How long to rest after a step: for news, and at most.
  void WaitForTurn(const absl::StatusOr<NextStep>& next);

  World& world_;
  const Database& database_;
  Tally& tally_;
  const MachineClock& clock_;
  const ReplicaOptions options_;
  const std::shared_ptr<Life> life_;

  PausingClock step_clock_;
  PausingClock validate_clock_;
  DrawnBytes random_;
  StoreFront store_;
  BorrowedIndex index_;
  Lease lease_;
  WatchHub hub_;
  Barrier barrier_;
  SyncPoints steps_;
  Validator validator_;

  std::vector<World::Task*> waiters_;
  World::Task* sync_task_ = nullptr;
  bool is_resting_ = false;
  bool has_news_ = false;
  bool is_released_ = false;
  bool is_stopping_ = false;
  bool is_shut_down_ = false;
  std::function<void()> ambush_;
  Nanos look_ = 0;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_PROCESS_H_
