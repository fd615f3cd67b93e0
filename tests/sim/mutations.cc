// The callers of a schedule: what they change, and how they wait for it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/schedule.h"

namespace wemasy::tokens::sim {
namespace {

const char* NameOf(WaitEnd end) {
  switch (end) {
    case WaitEnd::kAcknowledged:
      return "waits ended: acknowledged";
    case WaitEnd::kGone:
      return "waits ended: gone";
    case WaitEnd::kExpired:
      return "waits ended: ran out";
    default:
      return "waits ended: given up";
  }
}

// Has a fiber woken by the server's looks at the table, while it is there.
class Waiter {
 public:
  Waiter(Process* server, World::Task* task) : server_(*server), task_(task) {
    server_.waiters().push_back(task);
  }
  ~Waiter() {
    auto& waiters = server_.waiters();
    waiters.erase(std::find(waiters.begin(), waiters.end(), task_));
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 private:
  Process& server_;
  World::Task* const task_;
};

}  // namespace

void Schedule::Begin(Operation operation, int secret, int attempts) {
  const std::shared_ptr<Process> server = PickServer();
  if (server == nullptr) return;
  world_.Spawn(world_.Delay(), server->life(),
               [this, server, operation, secret, attempts] {
                 Call(server, operation, secret, attempts);
               });
}

int64_t Schedule::Transact(Operation operation, int secret,
                           std::vector<Deed>& deeds) {
  SimSecret& subject = ledger_.at(secret);
  std::vector<absl::optional<IndexEntry>> changes;
  std::vector<Turn*> turns;
  const auto kill = [&](SimSecret& old) {
    IndexEntry dead = old.entry;
    dead.dead_at = database_.Clock();
    changes.emplace_back(std::move(dead));
    turns.push_back(&old.revoke);
  };
  const auto make = [&](SimSecret& fresh) {
    changes.emplace_back(fresh.entry);
    turns.push_back(&fresh.create);
  };
  const bool is_there = subject.create.seq != 0;
  const bool is_live = is_there && subject.revoke.seq == 0;
  if (operation == Operation::kRotate) {
    if (!is_live || secret >= Ledger::kSecrets / 2) return 0;
    SimSecret& successor = ledger_.at(secret + Ledger::kSecrets / 2);
    if (successor.create.seq != 0) return 0;
    kill(subject);
    make(successor);
    deeds.push_back({secret, false, 0, 0});
    deeds.push_back({secret + Ledger::kSecrets / 2, true, 0, 0});
  } else if (operation == Operation::kCreate) {
    if (!is_there) make(subject);
    deeds.push_back({secret, true, 0, 0});
  } else {
    if (!is_there) return 0;
    if (is_live) kill(subject);
    deeds.push_back({secret, false, 0, 0});
  }
  // Done already: a change that does nothing shows what leads now.
  if (changes.empty()) {
    tally_.Count("looks again");
    changes.emplace_back();
  }
  const int64_t seq = database_.Commit(changes);
  for (size_t i = 0; i < turns.size(); ++i) {
    ledger_.OnCommitted(*turns[i],
                        seq - static_cast<int64_t>(turns.size() - 1 - i));
  }
  for (Deed& deed : deeds) {
    deed.seq = TurnOf(deed).seq;
    deed.committed_at = TurnOf(deed).committed_at;
  }
  if (world_.is_traced()) {
    for (const Deed& deed : deeds) {
      world_.Trace("database",
                   absl::StrCat("has ", seq, ": s", deed.secret,
                                deed.is_creation ? " created" : " revoked",
                                turns.empty() ? " already" : ""));
    }
  }
  // Past every lease that does not know of it.
  for (const Deed& deed : deeds) {
    AskEverybody(deed.secret,
                 world_.weather().ttl + 1000 +
                     world_.draw().Below(world_.weather().ttl / 500));
  }
  Notify();
  return seq;
}

void Schedule::Notify() {
  for (const auto& server : servers_) {
    if (server == nullptr ||
        world_.draw().Chance(world_.weather().lost_notice_permille)) {
      continue;
    }
    world_.After(world_.Delay(), server->life(),
                 [server = server.get()] { server->Hear(); });
  }
}

Turn& Schedule::TurnOf(const Deed& deed) {
  SimSecret& secret = ledger_.at(deed.secret);
  return deed.is_creation ? secret.create : secret.revoke;
}

void Schedule::Call(const std::shared_ptr<Process>& server, Operation operation,
                    int secret, int attempts) {
  if (!server->serves()) return;
  const auto try_again = [&] {
    tally_.Count("commits whose answer was lost");
    if (attempts <= 1) return;
    world_.After(world_.Delay(), [this, operation, secret, attempts] {
      Begin(operation, secret, attempts - 1);
    });
  };
  const int epoch = database_.epoch();
  world_.Sleep(world_.Delay());
  if (!database_.is_reachable() || epoch != database_.epoch()) {
    tally_.Count("changes refused");
    return;
  }
  // The commit's answer may be lost, be the commit done, or not, or later.
  const bool is_in_doubt =
      world_.draw().Chance(world_.weather().doubt_permille);
  if (is_in_doubt && world_.draw().Chance(300)) {
    world_.After(world_.draw().Below(world_.weather().ttl),
                 [this, operation, secret, epoch] {
                   std::vector<Deed> deeds;
                   if (epoch == database_.epoch()) {
                     Transact(operation, secret, deeds);
                   }
                 });
    try_again();
    return;
  }
  std::vector<Deed> deeds;
  CommitStamp stamp;
  stamp.seq = Transact(operation, secret, deeds);
  if (stamp.seq == 0) return;
  stamp.time = database_.Clock();
  stamp.timeline = database_.leader().timeline;
  if (is_in_doubt) {
    try_again();
    return;
  }
  world_.Sleep(world_.Delay());
  stamp.returned_at = server->clock().Now();
  if (epoch != database_.epoch() || !database_.is_reachable() ||
      world_.draw().Chance(world_.weather().doubt_permille)) {
    tally_.Count("commits whose session ended before the list");
  } else {
    world_.Sleep(world_.Delay());
    // As the session sees it, of a deposed primary too.
    const DatabaseState& state =
        epoch == database_.epoch() ? database_.leader() : database_.deposed();
    stamp.replicas.emplace();
    for (const auto& [id, listed] : state.rows) {
      stamp.replicas->push_back(id);
      stamp.longest_ttl = std::max(stamp.longest_ttl, listed.ttl);
    }
    world_.Sleep(world_.Delay());
  }
  Await(*server, stamp, deeds);
}

void Schedule::Await(Process& server, const CommitStamp& stamp,
                     const std::vector<Deed>& deeds) {
  server.Hear();
  Barrier::Wait wait = server.barrier().Begin(stamp);
  const Nanos patience =
      world_.draw().Chance(100)
          ? world_.now() + world_.draw().Below(world_.weather().ttl)
          : INT64_MAX;
  const Waiter waiter(&server, world_.task());
  while (true) {
    const absl::optional<WaitEnd> end = server.barrier().Look(wait);
    if (end) {
      tally_.Count(NameOf(*end));
      if (*end == WaitEnd::kExpired && wait.longest_ttl > server.ttl()) {
        tally_.Count("waits for leases longer than the own");
      }
      if (world_.is_traced()) {
        world_.Trace(server.life()->name,
                     absl::StrCat("returns ", stamp.seq, ", ", NameOf(*end)));
      }
      OnReturned(deeds);
      return;
    }
    if (world_.now() >= patience) {
      tally_.Count(NameOf(WaitEnd::kGivenUp));
      return;
    }
    // The bound of the wait, or that of a young timeline.
    world_.Sleep(
        std::min(server.clock().Until(server.barrier().Bound(wait)) + 1,
                 world_.weather().ttl / 4));
  }
}

void Schedule::OnReturned(const std::vector<Deed>& deeds) {
  for (const Deed& deed : deeds) {
    Turn& turn = TurnOf(deed);
    // Lost, and maybe made once more.
    if (turn.seq != deed.seq || turn.committed_at != deed.committed_at) {
      continue;
    }
    ledger_.OnReturned(turn);
    AskEverybody(deed.secret, 0);
    AskEverybody(deed.secret, world_.Delay());
    AskEverybody(deed.secret, world_.draw().Below(world_.weather().ttl));
  }
}

}  // namespace wemasy::tokens::sim
