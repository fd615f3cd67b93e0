#include "tests/sim/world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace wemasy::tokens::sim {

// A fiber and what it does now.
class World::Task {
 public:
  Fiber fiber;
  std::shared_ptr<Life> life;
  // Which of its sleeps the fiber is in; odd while it sleeps.
  uint64_t sleep = 0;
};

namespace {

// Fibers of former schedules, for the next: a stack takes long to make.
std::vector<std::unique_ptr<World::Task>>& IdleTasks() {
  static auto& tasks = *new std::vector<std::unique_ptr<World::Task>>;
  return tasks;
}

}  // namespace

// splitmix64.
uint64_t Draw::Next() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

World::World(uint64_t seed, const Weather& weather, bool is_traced)
    : weather_(weather), is_traced_(is_traced), draw_(seed) {
  heap_.reserve(128);
}

World::~World() { End(); }

Nanos World::Delay(Draw& draw) const {
  return draw.Chance(weather_.slow_permille)
             ? draw.Below(weather_.slow)
             : 1 + draw.Below(draw.Below(weather_.quick) + 1);
}

void World::Push(Event event) {
  event.order = ++last_order_;
  heap_.push_back(std::move(event));
  std::push_heap(
      heap_.begin(), heap_.end(), [](const Event& a, const Event& b) {
        return a.time != b.time ? a.time > b.time : a.order > b.order;
      });
}

void World::After(Nanos delay, std::function<void()> event) {
  Event timed;
  timed.time = now_ + delay;
  timed.call = std::move(event);
  Push(std::move(timed));
}

void World::After(Nanos delay, std::shared_ptr<Life> life,
                  std::function<void()> event) {
  After(delay, [this, life = std::move(life), event = std::move(event)] {
    if (life->is_over) return;
    const Nanos stop = life->StopsFor(now_);
    if (stop > 0) {
      After(stop, life, event);
    } else {
      event();
    }
  });
}

void World::Spawn(Nanos delay, std::shared_ptr<Life> life,
                  std::function<void()> body) {
  auto& idle = IdleTasks();
  if (idle.empty()) idle.push_back(std::make_unique<Task>());
  Task* const task = idle.back().release();
  idle.pop_back();
  task->life = std::move(life);
  task->fiber.Prepare([this, task, body = std::move(body)] {
    try {
      CheckAlive(*task);
      WaitForProcess();
      body();
    } catch (const Unwind&) {
    }
  });
  tasks_.push_back(task);
  ++task->sleep;
  Event start;
  start.time = now_ + delay;
  start.task = task;
  start.sleep = task->sleep;
  Push(std::move(start));
}

void World::Resume(Task* task) {
  ++task->sleep;
  current_ = task;
  const bool is_done = task->fiber.Resume();
  current_ = nullptr;
  if (!is_done) return;
  task->life = nullptr;
  tasks_.erase(std::find(tasks_.begin(), tasks_.end(), task));
  IdleTasks().emplace_back(task);
}

void World::CheckAlive(const Task& task) const {
  if (is_ending_ || (task.life != nullptr && task.life->is_over)) {
    throw Unwind();
  }
}

void World::Suspend(Nanos duration) {
  Task& task = *current_;
  // Not while an exception is on its way out of here.
  CheckAlive(task);
  ++task.sleep;
  Event wake;
  wake.time = now_ + duration;
  wake.task = &task;
  wake.sleep = task.sleep;
  Push(std::move(wake));
  task.fiber.Suspend();
  CheckAlive(task);
}

void World::WaitForProcess() {
  const Life* const life = current_->life.get();
  if (life == nullptr) return;
  while (const Nanos stop = life->StopsFor(now_)) Suspend(stop);
}

void World::Sleep(Nanos duration) {
  Suspend(duration);
  WaitForProcess();
}

void World::StopProcess(Nanos duration) {
  Life& life = *current_->life;
  // The others may wake at the same moment, but not before this one.
  life.is_held = true;
  life.paused_until = std::max(life.paused_until, now_ + duration);
  while (life.paused_until > now_) Suspend(life.paused_until - now_);
  life.is_held = false;
}

void World::Wake(Task* task) {
  Event wake;
  wake.time = now_;
  wake.task = task;
  wake.sleep = task->sleep;
  Push(std::move(wake));
}

void World::Run(Nanos end) {
  while (!heap_.empty() && violation_.empty()) {
    std::pop_heap(
        heap_.begin(), heap_.end(), [](const Event& a, const Event& b) {
          return a.time != b.time ? a.time > b.time : a.order > b.order;
        });
    Event event = std::move(heap_.back());
    heap_.pop_back();
    if (event.time > end) break;
    now_ = std::max(now_, event.time);
    ++events_;
    if (event.task == nullptr) {
      event.call();
    } else if (event.task->sleep == event.sleep) {
      Resume(event.task);
    }
  }
}

void World::End() {
  is_ending_ = true;
  while (!tasks_.empty()) Resume(tasks_.back());
  heap_.clear();
}

void World::Violate(const std::string& what) {
  if (!violation_.empty() || is_ending_) return;
  violation_ = what;
  Trace("VIOLATION", what);
}

void World::Trace(absl::string_view who, absl::string_view what) const {
  if (!is_traced_) return;
  std::printf("%10" PRId64 ".%06" PRId64 " ms  %-9.*s %.*s\n",
              now_ / kMillisecond, now_ % kMillisecond,
              static_cast<int>(who.size()), who.data(),
              static_cast<int>(what.size()), what.data());
}

Nanos MachineClock::Until(BootTime time) const {
  if (time == BootTime::InfiniteFuture()) return INT64_MAX / 4;
  const Nanos left = time.nanos() - Now().nanos();
  // Rounded up, and a little more for what Measure leaves off.
  return left <= 0 ? 0 : left - left * parts_ / 1'000'000 + left / 900'000 + 2;
}

BootTime PausingClock::Now() const {
  MaybePause();
  const BootTime time = clock_.Now();
  MaybePause();
  return time;
}

void PausingClock::MaybePause() const {
  if (mode_ == Mode::kNever || world_.task() == nullptr) return;
  if (!world_.draw().Chance(world_.weather().pause_permille)) return;
  const Nanos pause = world_.draw().Chance(300)
                          ? world_.draw().Below(world_.weather().ttl * 5 / 4)
                          : world_.Delay();
  if (mode_ == Mode::kProcess) {
    world_.StopProcess(pause);
  } else {
    world_.Sleep(pause);
  }
}

}  // namespace wemasy::tokens::sim
