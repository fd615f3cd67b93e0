// A caching client: real sessions, driven as client/cpp/watch_loop.cc and
// token_client.cc do.
#ifndef WEMASY_TESTS_SIM_CLIENT_H_
#define WEMASY_TESTS_SIM_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "client/cpp/hot_answers.h"
#include "client/cpp/watch_session.h"
#include "tests/sim/ledger.h"
#include "tests/sim/link.h"
#include "tests/sim/process.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

class Client {
 public:
  // Who to ask: a process that may have ended already, null if there is none.
  using PickServer = std::function<std::shared_ptr<Process>()>;

  Client(World* world, Ledger* ledger, Tally* tally, const MachineClock* clock,
         std::string name, PickServer pick);

  // Begins the first stream.
  void Start();
  // In a fiber of `life()`: asks about a secret, by its number, and has the
  // answer judged.
  void Validate(int number);
  void BreakStream() {
    if (link_ != nullptr) link_->Break();
  }
  void BreakStreamTo(const Process& server) {
    if (link_ != nullptr && link_->server().get() == &server) link_->Break();
  }
  const std::shared_ptr<Life>& life() const { return life_; }

 private:
  void BeginStream();
  void EndStream();
  void Handle(const WatchMessage& message);
  bool BeginSession(const WatchHello& hello);
  bool Apply(const std::vector<WatchedChange>& changes);
  void TakeGrant(const WatchGrant& grant);
  void PingAfter(Nanos delay);
  // Ends the stream if nothing has come by then.
  void WaitForAnswer();
  std::shared_ptr<Process> PickForCall();

  World& world_;
  Ledger& ledger_;
  Tally& tally_;
  const MachineClock& clock_;
  const std::shared_ptr<Life> life_;
  const PickServer pick_;
  PausingClock find_clock_;
  HotAnswers hot_{&find_clock_};

  // Whether it asks to be told only of what it was answered.
  bool only_noted_ = false;
  std::shared_ptr<Link> link_;
  // Which stream it is, so that what was meant for an earlier one does nothing.
  int64_t stream_ = 0;
  std::shared_ptr<WatchSession> session_;
  std::string newest_timeline_;
  int64_t newest_seq_ = 0;
  int64_t ping_ = 0;
  int64_t answered_ = 0;
  absl::optional<BootTime> pinged_at_;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_CLIENT_H_
