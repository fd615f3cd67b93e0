// What was done to each secret, and so what may be said of it.
#ifndef WEMASY_TESTS_SIM_LEDGER_H_
#define WEMASY_TESTS_SIM_LEDGER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/token/change.h"
#include "server/token/verdict.h"
#include "tests/sim/database.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

// One of the two things that happen to a secret: it comes to be, it dies.
struct Turn {
  // The change's number; 0 if it has not been committed.
  int64_t seq = 0;
  Nanos committed_at = 0;
  // Which return of a call promised it; 0 if none has.
  int64_t promise = 0;
};

struct SimSecret {
  std::string text;
  IndexEntry entry;
  Turn create;
  Turn revoke;
  // A failover has lost one of its changes: somebody may have seen that.
  bool was_lost = false;
  // Its successor by a rotation, which is of the same token.
  bool is_successor = false;
};

// The promises, and whether an answer keeps them. See the README for what is
// wanted of each verdict.
class Ledger {
 public:
  // What a Validate must not say, as of its invocation.
  struct Question {
    int secret = 0;
    Nanos invoked_at = 0;
    int64_t created = 0;
    int64_t revoked = 0;
  };

  Ledger(World* world, const Database* database, Tally* tally, Nanos ttl);

  static constexpr int kSecrets = 8;
  SimSecret& at(int secret) { return secrets_[static_cast<size_t>(secret)]; }

  void OnCommitted(Turn& turn, int64_t seq);
  // The call that a change was made by has returned.
  void OnReturned(Turn& turn);
  // All changes after `head` were lost.
  void OnLost(int64_t head);

  Question Ask(int secret);
  // Judges what was answered; nothing if nobody could vouch.
  void Judge(const std::string& who, const Question& question,
             absl::optional<Verdict> verdict, const char* how);

 private:
  std::string Describe(const std::string& who, const Question& question,
                       const char* how) const;

  World& world_;
  const Database& database_;
  Tally& tally_;
  const Nanos ttl_;
  std::vector<SimSecret> secrets_;
  int64_t last_promise_ = 0;
};

// The secrets that all schedules use, in the order of their numbers.
const std::vector<SimSecret>& AllSecrets();

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_LEDGER_H_
