// The virtual time of one schedule, and who acts when.
#ifndef WEMASY_TESTS_SIM_WORLD_H_
#define WEMASY_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "tests/sim/fiber.h"

namespace wemasy::tokens::sim {

// Nanoseconds of real time since the schedule began, or a number of them.
using Nanos = int64_t;

constexpr Nanos kMillisecond = 1'000'000;
constexpr Nanos kSecond = 1'000'000'000;

// The same numbers for the same seed, everywhere and for ever.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}

  uint64_t Next();
  // 0 to `n` - 1; 0 if `n` is not positive.
  int64_t Below(int64_t n) {
    return n <= 0 ? 0 : static_cast<int64_t>(Next() % static_cast<uint64_t>(n));
  }
  int64_t Between(int64_t low, int64_t high) {
    return low + Below(high - low + 1);
  }
  bool Chance(int permille) { return Below(1000) < permille; }

 private:
  uint64_t state_;
};

// How a schedule's world behaves; drawn for each, so that some are calm and
// some are not.
struct Weather {
  Nanos ttl = 0;
  Nanos client_ttl = 0;
  // Between sync points that nothing asks for.
  Nanos period = 0;
  // What messages take, mostly.
  Nanos quick = 0;
  // What slow ones take at most, and how many of a thousand are.
  Nanos slow = 0;
  int slow_permille = 0;
  // How many exchanges with the database of a thousand end in doubt.
  int doubt_permille = 0;
  int lost_notice_permille = 0;
  // How many readings of the clock of a thousand come before or after a pause.
  int pause_permille = 0;
};

// A process: all that runs in it stops with it.
struct Life {
  std::string name;
  bool is_over = false;
  Nanos paused_until = 0;
  // One of its fibers has stopped it, in the middle of something.
  bool is_held = false;

  // How long nothing of it may act; 0 if it may now.
  Nanos StopsFor(Nanos now) const {
    if (paused_until > now) return paused_until - now;
    return is_held ? 1 : 0;
  }
};

// Events in the order of their times. Fibers are for what waits in the middle
// of a function; they are thrown out (`Unwind`) when their process or the
// schedule ends, wherever they wait: nothing else could leave the stack of a
// server's function properly.
//
// Not thread-safe.
class World {
 public:
  class Task;
  struct Unwind {};

  World(uint64_t seed, const Weather& weather, bool is_traced);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Nanos now() const { return now_; }
  Draw& draw() { return draw_; }
  const Weather& weather() const { return weather_; }
  // How long a message takes.
  Nanos Delay(Draw& draw) const;
  Nanos Delay() { return Delay(draw_); }

  // Calls `event` after `delay`.
  void After(Nanos delay, std::function<void()> event);
  // The same, but while `life` is paused not, and when it is over never. The
  // order of events of equal times stays.
  void After(Nanos delay, std::shared_ptr<Life> life,
             std::function<void()> event);
  // Starts a fiber of the process `life` (null: of none), after `delay`.
  void Spawn(Nanos delay, std::shared_ptr<Life> life,
             std::function<void()> body);

  // In a fiber: lets others act. Longer if the process is paused meanwhile,
  // shorter if the fiber is woken.
  void Sleep(Nanos duration);
  // In a fiber: the whole process stops, this fiber included, within whatever
  // lock it holds: nothing else of the process acts.
  void StopProcess(Nanos duration);
  // What to wake the present fiber by.
  Task* task() const { return current_; }
  void Wake(Task* task);

  // Acts until `end`, or until Stop.
  void Run(Nanos end);
  // Ends the fibers, each where it waits.
  void End();
  // A promise was broken: the schedule ends here.
  void Violate(const std::string& what);
  const std::string& violation() const { return violation_; }

  bool is_traced() const { return is_traced_; }
  // Only worth its words if `is_traced()`.
  void Trace(absl::string_view who, absl::string_view what) const;
  int64_t events() const { return events_; }

 private:
  struct Event {
    Nanos time = 0;
    uint64_t order = 0;
    // Either a function, or a fiber that goes on if it still sleeps that sleep.
    std::function<void()> call;
    Task* task = nullptr;
    uint64_t sleep = 0;
  };

  void Push(Event event);
  void Resume(Task* task);
  void Suspend(Nanos duration);
  // Until nothing stops the present fiber's process.
  void WaitForProcess();
  void CheckAlive(const Task& task) const;

  const Weather weather_;
  const bool is_traced_;
  Nanos now_ = 0;
  Draw draw_;
  uint64_t last_order_ = 0;
  int64_t events_ = 0;
  std::vector<Event> heap_;
  std::vector<Task*> tasks_;
  Task* current_ = nullptr;
  bool is_ending_ = false;
  std::string violation_;
};

// The boot-time clock of one machine: its own rate and beginning.
class MachineClock final : public BootClock {
 public:
  // `parts` of a million too fast.
  MachineClock(const World* world, int64_t parts, Nanos offset)
      : world_(*world), parts_(parts), offset_(offset) {}

  BootTime Now() const override {
    return BootTime::FromNanos(offset_ + Measure(world_.now()));
  }
  // How much real time is left until this clock shows `time`.
  Nanos Until(BootTime time) const;

 private:
  Nanos Measure(Nanos real) const { return real + real * parts_ / 1'000'000; }

  const World& world_;
  const int64_t parts_;
  const Nanos offset_;
};

// The same clock for code that may stop just before or after it reads it.
class PausingClock final : public BootClock {
 public:
  PausingClock(World* world, const MachineClock* clock)
      : world_(*world), clock_(*clock) {}

  BootTime Now() const override;

  enum class Mode {
    // Outside of fibers, and where no pause is of interest.
    kNever,
    // The fiber stops, others go on.
    kFiber,
    // The reader holds a lock: all of its process stops.
    kProcess,
  };
  void set_mode(Mode mode) { mode_ = mode; }

 private:
  void MaybePause() const;

  World& world_;
  const MachineClock& clock_;
  Mode mode_ = Mode::kNever;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_WORLD_H_
