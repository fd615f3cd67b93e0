#include "tests/sim/process.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens::sim {
namespace {

std::vector<std::unique_ptr<TokenIndex>>& IdleIndexes() {
  static auto& indexes = *new std::vector<std::unique_ptr<TokenIndex>>;
  return indexes;
}

WatchOptions MakeWatchOptions(World& world) {
  WatchOptions options;
  options.client_ttl = absl::Nanoseconds(world.weather().client_ttl);
  // Sometimes so few that streams fall behind.
  if (world.draw().Chance(100)) {
    options.max_backlog = static_cast<size_t>(world.draw().Between(1, 4));
  }
  // Mostly they break before.
  if (world.draw().Chance(500)) {
    options.stream_life =
        absl::Nanoseconds(world.weather().ttl * world.draw().Between(1, 4) / 2);
  }
  return options;
}

bool IsOpen(SyncPoints::State state) {
  return state == SyncPoints::State::kStarting ||
         state == SyncPoints::State::kRunning;
}

const char* NameOf(CloseReason reason) {
  switch (reason) {
    case CloseReason::kStopped:
      return "closed: stopped";
    case CloseReason::kRowGone:
      return "closed: row gone";
    case CloseReason::kHole:
      return "closed: hole";
    case CloseReason::kUnknownOperation:
      return "closed: unknown operation";
    default:
      return "closed: history lost";
  }
}

}  // namespace

BorrowedIndex::BorrowedIndex() {
  auto& idle = IdleIndexes();
  if (idle.empty()) idle.push_back(std::make_unique<TokenIndex>());
  index_ = std::move(idle.back());
  idle.pop_back();
}

BorrowedIndex::~BorrowedIndex() { IdleIndexes().push_back(std::move(index_)); }

Process::Process(World* world, Database* database, Tally* tally,
                 const MachineClock* clock, ReplicaOptions options,
                 std::string name)
    : world_(*world),
      database_(*database),
      tally_(*tally),
      clock_(*clock),
      options_(options),
      life_(std::make_shared<Life>()),
      step_clock_(world, clock),
      validate_clock_(world, clock),
      random_(world->draw().Next()),
      store_(world, database, tally, life_),
      hub_(MakeWatchOptions(*world), &lease_, clock),
      barrier_(options, clock, this),
      steps_(options, &store_, index_.get(), &lease_, &hub_, &barrier_,
             &step_clock_, &random_, this),
      validator_(index_.get(), &lease_, &validate_clock_) {
  life_->name = std::move(name);
  step_clock_.set_mode(PausingClock::Mode::kFiber);
  hub_.SetReleased([this] {
    is_released_ = true;
    if (is_resting_) world_.Wake(sync_task_);
  });
}

void Process::CutOff() {
  world_.Trace(life_->name, "is cut off from the database");
  store_.CutOff(world_.now() + world_.weather().ttl +
                world_.draw().Below(world_.weather().ttl));
}

void Process::Hear() {
  has_news_ = true;
  if (is_resting_) world_.Wake(sync_task_);
}

void Process::Drain() {
  if (is_stopping_) return;
  is_stopping_ = true;
  world_.Trace(life_->name, "drains");
  hub_.Retire();
  // The lame duck's time, which a second signal cuts short; then the server's
  // shutdown, then the replica's end.
  const Nanos lame_duck = world_.draw().Chance(400)
                              ? 0
                              : world_.draw().Below(world_.weather().ttl / 2);
  world_.After(lame_duck, life_, [this] {
    is_shut_down_ = true;
    if (is_resting_) world_.Wake(sync_task_);
  });
}

void Process::Run() {
  sync_task_ = world_.task();
  while (true) {
    const absl::StatusOr<NextStep> next = steps_.Step();
    // Each has seen what the step has learned.
    for (World::Task* waiter : waiters_) world_.Wake(waiter);
    if (!IsOpen(steps_.state())) break;
    WaitForTurn(next);
    if (is_shut_down_) break;
  }
  steps_.Stop();
  while (steps_.state() != SyncPoints::State::kClosed) {
    // Too early sometimes: a step must know by itself what it has to wait for.
    const Nanos left = clock_.Until(steps_.NextExpiry());
    world_.Sleep(world_.draw().Chance(300) ? world_.draw().Below(left) : left);
    steps_.Step().IgnoreError();
  }
  // A replica that closed by itself is asked until its server is shut down.
  if (!is_shut_down_)
    world_.Sleep(world_.draw().Below(options_.ttl / absl::Nanoseconds(4)));
  tally_.Count("processes ended by themselves");
  world_.Trace(life_->name, "exits");
  life_->is_over = true;
}

Nanos Process::Share(Nanos of_the_longest) const {
  return static_cast<Nanos>(
      static_cast<double>(of_the_longest) *
      absl::FDivDuration(options_.ttl,
                         absl::Nanoseconds(world_.weather().ttl)));
}

// As replica.cc paces itself, but in parts of the schedule's own lease.
void Process::WaitForTurn(const absl::StatusOr<NextStep>& next) {
  const Nanos period = Share(world_.weather().period);
  const Nanos quick = Share(world_.weather().quick);
  Nanos earliest = quick;
  Nanos released = quick;
  Nanos latest = period;
  if (!next.ok()) {
    earliest = released = latest = world_.draw().Below(period);
  } else if (*next == NextStep::kGoOn || *next == NextStep::kAcknowledge) {
    earliest = released = latest = world_.draw().Below(quick);
  } else if (!waiters_.empty() || *next == NextStep::kAwaitClients) {
    look_ = std::min(look_ == 0 ? period / 16 : look_ * 2, period / 2);
    latest = look_;
    released = 0;
  } else {
    look_ = 0;
  }
  const Nanos began = world_.now();
  latest =
      std::min(latest, std::max(earliest, clock_.Until(steps_.NextExpiry())));
  while (!is_shut_down_) {
    Nanos turn = latest;
    if (has_news_) turn = std::min(turn, earliest);
    if (is_released_) turn = std::min(turn, released);
    const Nanos left = began + turn - world_.now();
    if (left <= 0) break;
    is_resting_ = true;
    world_.Sleep(left);
    is_resting_ = false;
  }
  has_news_ = false;
  is_released_ = false;
}

Process::Reply Process::Validate(absl::string_view presented,
                                 const TokenDigest& digest,
                                 WatchStreams::StreamId stream) {
  // A secret that is there is looked at under its shard's lock, the clock
  // included, so that nothing of the process that may want that lock may run.
  const bool is_there = index_.get()->Visit(digest, [](IndexSlot&) {});
  validate_clock_.set_mode(is_there ? PausingClock::Mode::kProcess
                                    : PausingClock::Mode::kFiber);
  absl::optional<TokenId> token;
  Reply reply{validator_.Validate(
                  {presented},
                  [&](Verdict, const IndexSlot& slot) { token = slot.token; }),
              {}};
  validate_clock_.set_mode(PausingClock::Mode::kNever);
  if (world_.draw().Chance(200)) world_.Sleep(world_.Delay());
  reply.identity = hub_.identity();
  if (stream != 0 && reply.validation.ok() &&
      hub_.Note(stream, token, reply.validation->applied)) {
    reply.stream = stream;
  }
  return reply;
}

void Process::OnLoaded(int64_t /*entries*/, int64_t head) {
  tally_.Count("index loads");
  if (world_.is_traced()) {
    world_.Trace(life_->name,
                 absl::StrCat("is registered as ", hub_.identity().incarnation,
                              " with ", head));
  }
}

void Process::OnSyncPoint(int64_t applied, BootTime lease_end) {
  tally_.Count("sync points");
  if (world_.is_traced()) {
    world_.Trace(life_->name,
                 absl::StrCat("has ", applied, ", lease for ",
                              clock_.Until(lease_end) / kMillisecond, " ms"));
  }
  if (ambush_) std::exchange(ambush_, nullptr)();
}

void Process::OnNotice(absl::string_view text) {
  if (text.find("adopted") != absl::string_view::npos) {
    tally_.Count("timelines adopted");
  }
  if (text.find("history was lost") != absl::string_view::npos) {
    tally_.Count("stayed closed for lost history");
  }
  world_.Trace(life_->name, text);
}

void Process::OnReaped(absl::string_view id) {
  tally_.Count("rows reaped");
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat("reaped ", id));
  }
}

void Process::OnClosed(CloseReason reason, absl::string_view text) {
  tally_.Count(NameOf(reason));
  // That would keep everybody out until an operator comes.
  if (reason != CloseReason::kStopped && reason != CloseReason::kRowGone &&
      !database_.has_lost()) {
    world_.Violate(absl::StrCat(life_->name, " is wrong: ", text));
  }
  if (text.find("taken away") != absl::string_view::npos) {
    tally_.Count("rows reaped before their timeline was adopted");
  }
  world_.Trace(life_->name, text);
}

}  // namespace wemasy::tokens::sim
