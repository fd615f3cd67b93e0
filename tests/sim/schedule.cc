#include "tests/sim/schedule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens::sim {
namespace {

Weather DrawWeather(Draw& draw) {
  constexpr Nanos kTtls[] = {kSecond, 5 * kSecond, 30 * kSecond, 200 * kSecond};
  constexpr Nanos kQuick[] = {20'000, 2000, 100};
  Weather weather;
  weather.ttl = kTtls[draw.Below(4)];
  weather.client_ttl = weather.ttl / draw.Between(1, 3);
  weather.period = weather.ttl / draw.Between(2, 5);
  weather.quick = weather.ttl / kQuick[draw.Below(3)];
  weather.slow = weather.ttl * 3 / 2;
  const bool is_calm = draw.Chance(250);
  weather.slow_permille = is_calm ? 5 : static_cast<int>(draw.Between(10, 80));
  weather.doubt_permille = is_calm ? 0 : static_cast<int>(draw.Below(80));
  weather.lost_notice_permille = draw.Chance(300) ? 700 : 100;
  weather.pause_permille = is_calm ? 2 : static_cast<int>(draw.Between(5, 60));
  return weather;
}

// Rates at the bounds are the ones that can break something.
int64_t DrawRate(Draw& draw) {
  constexpr int64_t kRates[] = {-1000, -1000, 0, 1000, 1000};
  return draw.Chance(200) ? draw.Between(-1000, 1000) : kRates[draw.Below(5)];
}

// In parts of the longest: the leases of servers, where they differ.
constexpr int kShortest = 2;
constexpr int kLongest = 4;

ReplicaOptions MakeOptions(const Weather& weather) {
  ReplicaOptions options;
  options.ttl = absl::Nanoseconds(weather.ttl);
  return options;
}

}  // namespace

Outcome RunSchedule(uint64_t seed, bool is_traced, Tally* tally) {
  Schedule schedule(seed, is_traced, tally);
  return schedule.Run();
}

Schedule::Schedule(uint64_t seed, bool is_traced, Tally* tally)
    : tally_(*tally),
      plan_(seed),
      world_(plan_.Next(), DrawWeather(plan_), is_traced),
      database_(&world_),
      ledger_(&world_, &database_, tally, world_.weather().ttl) {
  options_ = MakeOptions(world_.weather());
}

// The fibers use all the rest.
Schedule::~Schedule() { world_.End(); }

Outcome Schedule::Run() {
  Plan();
  world_.Run(end_);
  Outcome outcome{world_.violation(), world_.events()};
  world_.End();
  return outcome;
}

void Schedule::Plan() {
  const Weather& weather = world_.weather();
  end_ = weather.ttl * plan_.Between(4, 7) / 2;
  std::vector<int> expiring;
  for (int i = 0; i < Ledger::kSecrets; ++i) {
    SimSecret& secret = ledger_.at(i);
    if (plan_.Chance(150)) {
      secret.entry.expire_time =
          database_.Clock() + absl::Nanoseconds(plan_.Below(end_));
      expiring.push_back(i);
    }
    if (secret.is_successor || i == 0 || plan_.Chance(250)) continue;
    database_.leader().entries.push_back(secret.entry);
    ledger_.OnCommitted(secret.create, database_.leader().head());
    secret.create.committed_at = INT64_MIN / 2;
    ledger_.OnReturned(secret.create);
  }
  const auto make_clock = [&] {
    clocks_.push_back(std::make_unique<MachineClock>(
        &world_, DrawRate(plan_), kSecond * plan_.Between(3600, 1'000'000)));
    return clocks_.back().get();
  };
  const size_t servers = plan_.Chance(300) ? 3 : 2;
  servers_.resize(servers);
  for (size_t slot = 0; slot < servers; ++slot) make_clock();
  PlanFailovers();
  for (size_t slot = 0; slot < servers; ++slot) {
    world_.After(plan_.Below(weather.period / 8),
                 [this, slot] { StartProcess(slot); });
  }
  const size_t clients = plan_.Chance(400) ? 2 : 1;
  for (size_t i = 0; i < clients; ++i) {
    clients_.push_back(std::make_unique<Client>(
        &world_, &ledger_, &tally_, make_clock(), absl::StrCat("client", i),
        [this] { return PickServer(); }));
    world_.After(weather.period / 4 + plan_.Below(weather.period / 4),
                 [this, i] { clients_[i]->Start(); });
  }

  for (int secret : expiring) {
    AskEverybody(secret,
                 absl::ToInt64Nanoseconds(ledger_.at(secret).entry.expire_time -
                                          database_.Clock()) +
                     plan_.Below(weather.ttl / 5000));
  }
  const Nanos begin = weather.period / 2;
  const auto some_time = [&] { return begin + plan_.Below(end_ - begin); };
  for (int64_t i = plan_.Between(3, 6); i > 0; --i) {
    const int64_t kind = plan_.Below(10);
    const Operation operation = kind < 3   ? Operation::kCreate
                                : kind < 8 ? Operation::kRevoke
                                           : Operation::kRotate;
    int secret = static_cast<int>(plan_.Below(Ledger::kSecrets));
    if (operation != Operation::kRevoke) secret %= Ledger::kSecrets / 2;
    // One of these will not be there before.
    if (operation == Operation::kCreate && plan_.Chance(800)) secret = 0;
    const Nanos at = begin + plan_.Below((end_ - begin) * 2 / 3);
    // So that somebody has kept an answer.
    for (size_t client = 0; client < clients; ++client) {
      AskClient(client, secret, at - plan_.Below(weather.ttl / 4) - 1);
      AskClient(client, secret, at + plan_.Below(weather.ttl / 4));
    }
    world_.After(at, [this, operation, secret] {
      Begin(operation, secret, /*attempts=*/2);
    });
  }
  for (int64_t i = plan_.Between(3, 8); i > 0; --i) {
    const int secret = static_cast<int>(plan_.Below(Ledger::kSecrets));
    const auto client = static_cast<size_t>(plan_.Below(2));
    if (client < clients && plan_.Chance(700)) {
      AskClient(client, secret, some_time());
    } else {
      world_.After(some_time(), [this, secret] {
        if (const auto server = PickServer()) AskServer(server, secret, 0);
      });
    }
  }
  const int64_t faults = plan_.Chance(200) ? 0 : plan_.Between(1, 5);
  for (int64_t i = 0; i < faults; ++i) {
    const auto fault = static_cast<Fault>(plan_.Below(8));
    world_.After(some_time(), [this, fault] { Strike(fault); });
  }
}

void Schedule::PlanFailovers() {
  options_.synchronous_failover = plan_.Chance(300);
  ttls_differ_ = plan_.Chance(500);
  if (plan_.Chance(700)) return;
  const Nanos at = end_ / 4 + plan_.Below(end_ / 2);
  const bool is_lossy = !options_.synchronous_failover && plan_.Chance(500);
  if (is_lossy) {
    world_.After(std::max<Nanos>(0, at - plan_.Below(world_.weather().ttl / 2)),
                 [this] { database_.StallStandby(); });
  }
  const auto fail_over = [this] {
    // Nobody would know how long its leases may be: docs/adr/0025.
    if (ttls_differ_ && database_.StandbyLacksLongerLeaseThan(
                            options_.ttl * kShortest / kLongest)) {
      tally_.Count("failovers that lose a longer lease, left out");
      database_.CatchUpStandby();
    }
    world_.Trace("database", "fails over");
    tally_.Count(database_.is_standby_stalled()
                     ? "failovers to a lagging standby"
                     : "failovers to a synchronous standby");
    database_.FailOver();
    ledger_.OnLost(database_.leader().head());
    if (plan_.Chance(500)) {
      database_.GoAway(world_.now() + plan_.Below(world_.weather().ttl / 4));
    }
  };
  world_.After(at, fail_over);
  if (plan_.Chance(400)) {
    // Somebody loads before it and registers after it.
    world_.After(at - plan_.Below(4 * world_.weather().quick), [this] {
      if (servers_[0] == nullptr || servers_[0]->is_over()) return;
      servers_[0]->Crash();
      Break(*servers_[0]);
      StartProcess(0);
    });
  }
  if (is_lossy) {
    // An operator who accepts the loss, once it is noticed.
    world_.After(at + plan_.Below(end_ / 3), [this] {
      if (!database_.leader().lost_history) return;
      tally_.Count("losses accepted");
      world_.Trace("operator", "accepts that history was lost");
      database_.leader().lost_history.reset();
    });
  }
  if (plan_.Chance(200)) {
    // Another one, which loses something if the standby lags by then.
    if (is_lossy) {
      world_.After(at + plan_.Below(end_ / 8),
                   [this] { database_.StallStandby(); });
    }
    world_.After(at + end_ / 8 + plan_.Below(end_ / 8), fail_over);
  }
}

void Schedule::StartProcess(size_t slot) {
  std::shared_ptr<Process>& place = servers_[slot];
  if (place != nullptr) ended_.push_back(std::move(place));
  ReplicaOptions options = options_;
  if (ttls_differ_) {
    options.ttl =
        options.ttl * world_.draw().Between(kShortest, kLongest) / kLongest;
  }
  place = std::make_shared<Process>(
      &world_, &database_, &tally_, clocks_[slot].get(), options,
      absl::StrCat("r", slot, ".", ended_.size()));
  world_.Trace(place->life()->name, "starts");
  world_.Spawn(0, place->life(), [this, slot, process = place.get()] {
    process->Run();
    Break(*process);
    RestartLater(slot);
  });
}

void Schedule::RestartLater(size_t slot) {
  world_.After(world_.draw().Chance(500)
                   ? world_.Delay()
                   : world_.draw().Below(world_.weather().ttl),
               [this, slot] { StartProcess(slot); });
}

void Schedule::Break(const Process& server) {
  for (const auto& client : clients_) client->BreakStreamTo(server);
}

int Schedule::RandomSecret() {
  return static_cast<int>(world_.draw().Below(Ledger::kSecrets));
}

void Schedule::Strike(Fault fault) {
  const Nanos ttl = world_.weather().ttl;
  Draw& draw = world_.draw();
  const auto slot =
      static_cast<size_t>(draw.Below(static_cast<int64_t>(servers_.size())));
  Process& server = *servers_[slot];
  Client& client = *clients_[static_cast<size_t>(
      draw.Below(static_cast<int64_t>(clients_.size())))];
  const auto pause = [&](Life& life) {
    const Nanos length = draw.Below(draw.Chance(500) ? ttl / 4 : ttl * 5 / 2);
    life.paused_until = std::max(life.paused_until, world_.now() + length);
    world_.Trace(life.name,
                 absl::StrCat("is paused for ", length / kMillisecond, " ms"));
  };
  switch (fault) {
    case Fault::kCrash:
      if (server.is_over()) return;
      tally_.Count("crashes");
      world_.Trace(server.life()->name, "crashes");
      server.Crash();
      Break(server);
      RestartLater(slot);
      break;
    case Fault::kPause:
      tally_.Count("pauses of a server");
      pause(*server.life());
      break;
    case Fault::kDrain:
      if (server.is_over()) return;
      tally_.Count("drains");
      server.Drain();
      break;
    case Fault::kBreakStream:
      client.BreakStream();
      break;
    case Fault::kPauseClient:
      tally_.Count("pauses of a client");
      pause(*client.life());
      break;
    case Fault::kDatabaseAway:
      tally_.Count("times without a database");
      world_.Trace("database", "is away");
      database_.GoAway(world_.now() +
                       draw.Below(draw.Chance(500) ? ttl / 4 : ttl * 3 / 2));
      break;
    case Fault::kCutOff:
      tally_.Count("servers cut off");
      server.CutOff();
      break;
    case Fault::kAmbush:
      // A change just after a server has renewed, of which it does not hear:
      // its lease lasts as long as one can.
      server.SetAmbush([this, &server, secret = RandomSecret()] {
        tally_.Count("changes just after a renewal");
        server.CutOff();
        Begin(Operation::kRevoke, secret, 1);
      });
      break;
  }
}

std::shared_ptr<Process> Schedule::PickServer() {
  const auto count = static_cast<int64_t>(servers_.size());
  const int64_t first = world_.draw().Below(count);
  for (int64_t i = 0; i < count; ++i) {
    const auto& server = servers_[static_cast<size_t>((first + i) % count)];
    if (server != nullptr && server->serves()) return server;
  }
  return nullptr;
}

void Schedule::AskServer(const std::shared_ptr<Process>& server, int secret,
                         Nanos delay) {
  world_.Spawn(delay, server->life(), [this, server = server.get(), secret] {
    if (!server->serves()) return;
    const Ledger::Question question = ledger_.Ask(secret);
    const SimSecret& asked = ledger_.at(secret);
    const Process::Reply reply =
        server->Validate(asked.text, asked.entry.digest, 0);
    absl::optional<Verdict> verdict;
    if (reply.validation.ok()) verdict = reply.validation->verdict;
    ledger_.Judge(server->life()->name, question, verdict, "");
  });
}

void Schedule::AskClient(size_t client, int secret, Nanos delay) {
  Client* const asked = clients_[client].get();
  world_.Spawn(delay, asked->life(),
               [asked, secret] { asked->Validate(secret); });
}

void Schedule::AskEverybody(int secret, Nanos delay) {
  world_.After(delay, [this, secret] {
    for (const auto& server : servers_) {
      if (server != nullptr && server->serves()) AskServer(server, secret, 0);
    }
    for (size_t i = 0; i < clients_.size(); ++i) AskClient(i, secret, 0);
  });
}

}  // namespace wemasy::tokens::sim
