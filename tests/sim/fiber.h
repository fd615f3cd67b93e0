// Threads of execution that take turns on one thread, only where they say so.
#ifndef WEMASY_TESTS_SIM_FIBER_H_
#define WEMASY_TESTS_SIM_FIBER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace wemasy::tokens::sim {

// Runs functions on a stack of its own, one after another. A function must
// have returned before the next one starts, and before the object goes.
//
// Not thread-safe: all fibers are of one thread.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // What Resume runs next.
  void Prepare(std::function<void()> body) { body_ = std::move(body); }
  // Runs until the function suspends itself or returns. Returns whether it has
  // returned. Not within a fiber.
  bool Resume();
  // Within this fiber: goes back to who resumed it.
  void Suspend();

 private:
  struct Context;

  static void Enter(Fiber* fiber);

  std::function<void()> body_;
  const std::unique_ptr<Context> context_;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_FIBER_H_
