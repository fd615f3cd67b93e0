// One schedule: a seed, and all that follows from it.
#ifndef WEMASY_TESTS_SIM_SCHEDULE_H_
#define WEMASY_TESTS_SIM_SCHEDULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/client.h"
#include "tests/sim/database.h"
#include "tests/sim/ledger.h"
#include "tests/sim/process.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

// What a schedule has found.
struct Outcome {
  // Empty if every promise was kept.
  std::string violation;
  int64_t events = 0;
};

// Runs the schedule of `seed`. Tells what happens on standard output if
// `is_traced`.
Outcome RunSchedule(uint64_t seed, bool is_traced, Tally* tally);

// A cluster of processes and clients, its callers, and its bad luck.
class Schedule {
 public:
  Schedule(uint64_t seed, bool is_traced, Tally* tally);
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  Outcome Run();

 private:
  enum class Operation { kCreate, kRevoke, kRotate };
  // What an operation did to a secret, and when that was.
  struct Deed {
    int secret;
    bool is_creation;
    int64_t seq;
    Nanos committed_at;
  };
  enum class Fault {
    kCrash,
    kPause,
    kDrain,
    kBreakStream,
    kPauseClient,
    kDatabaseAway,
    kCutOff,
    kAmbush,
  };

  void Plan();
  void PlanFailovers();
  void StartProcess(size_t slot);
  void RestartLater(size_t slot);
  int RandomSecret();
  void Strike(Fault fault);
  void Break(const Process& server);

  // Picks a process that takes calls; null if there is none.
  std::shared_ptr<Process> PickServer();
  void Begin(Operation operation, int secret, int attempts);
  // In a fiber of the process: the call and its wait.
  void Call(const std::shared_ptr<Process>& server, Operation operation,
            int secret, int attempts);
  // Runs the transaction; returns its last change's number, 0 if there is
  // nothing to do it to.
  int64_t Transact(Operation operation, int secret, std::vector<Deed>& deeds);
  void Notify();
  void Await(Process& server, const CommitStamp& stamp,
             const std::vector<Deed>& deeds);
  void OnReturned(const std::vector<Deed>& deeds);

  Turn& TurnOf(const Deed& deed);
  // Has everybody asked about the secret.
  void AskEverybody(int secret, Nanos delay);
  void AskServer(const std::shared_ptr<Process>& server, int secret,
                 Nanos delay);
  void AskClient(size_t client, int secret, Nanos delay);

  Tally& tally_;
  Draw plan_;
  // Of every process, but that leases may be shorter.
  ReplicaOptions options_;
  bool ttls_differ_ = false;
  World world_;
  Database database_;
  Ledger ledger_;
  Nanos end_ = 0;
  std::vector<std::unique_ptr<MachineClock>> clocks_;
  std::vector<std::shared_ptr<Process>> servers_;
  std::vector<std::shared_ptr<Process>> ended_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_SCHEDULE_H_
