#include "tests/sim/fiber.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WEMASY_SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEMASY_SIM_ASAN 1
#endif
#endif
#ifdef WEMASY_SIM_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace wemasy::tokens::sim {
namespace {

constexpr size_t kStackSize = size_t{256} * 1024;

#if defined(__x86_64__)

// swapcontext() makes two system calls, for signal masks that nobody changes
// here: it would take a third of a run. This saves what a call must preserve,
// and changes stacks.
[[gnu::naked, gnu::noinline]] void Switch(void** /*save*/, void* /*load*/) {
  asm volatile(
      "pushq %rbp\n\t"
      "pushq %rbx\n\t"
      "pushq %r12\n\t"
      "pushq %r13\n\t"
      "pushq %r14\n\t"
      "pushq %r15\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq %rsi, %rsp\n\t"
      "popq %r15\n\t"
      "popq %r14\n\t"
      "popq %r13\n\t"
      "popq %r12\n\t"
      "popq %rbx\n\t"
      "popq %rbp\n\t"
      "ret");
}

#endif

// Who is entered for the first time: a new stack brings no arguments.
Fiber* entering = nullptr;

}  // namespace

struct Fiber::Context {
  void* stack = nullptr;
  bool is_done = true;
#if defined(__x86_64__)
  void* own = nullptr;
  void* other = nullptr;

  static void First() { Enter(std::exchange(entering, nullptr)); }
  void Make() {
    auto* top =
        reinterpret_cast<void**>(static_cast<char*>(stack) + kStackSize);
    // A return address that is never used keeps the alignment that a function
    // finds when it is called.
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(&First);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    own = top;
  }
  void SwitchIn() { Switch(&other, own); }
  void SwitchOut() { Switch(&own, other); }
#else
  ucontext_t own = {};
  ucontext_t other = {};

  static void First() { Enter(std::exchange(entering, nullptr)); }
  void Make() {
    getcontext(&own);
    own.uc_stack.ss_sp = stack;
    own.uc_stack.ss_size = kStackSize;
    makecontext(&own, &First, 0);
  }
  void SwitchIn() { swapcontext(&other, &own); }
  void SwitchOut() { swapcontext(&own, &other); }
#endif

#ifdef WEMASY_SIM_ASAN
  const void* outer_stack = nullptr;
  size_t outer_size = 0;
#endif
};

Fiber::Fiber() : context_(std::make_unique<Context>()) {
  // Untouched pages cost nothing, and the stack below them is far away.
  context_->stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (context_->stack == MAP_FAILED) {
    std::perror("a fiber's stack");
    std::abort();
  }
  context_->Make();
  entering = nullptr;
}

Fiber::~Fiber() { munmap(context_->stack, kStackSize); }

void Fiber::Enter(Fiber* fiber) {
  Context& context = *fiber->context_;
#ifdef WEMASY_SIM_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &context.outer_stack,
                                  &context.outer_size);
#endif
  while (true) {
    fiber->body_();
    fiber->body_ = nullptr;
    context.is_done = true;
    fiber->Suspend();
  }
}

bool Fiber::Resume() {
  Context& context = *context_;
  context.is_done = false;
  entering = this;
#ifdef WEMASY_SIM_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, context.stack, kStackSize);
#endif
  context.SwitchIn();
#ifdef WEMASY_SIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  return context.is_done;
}

void Fiber::Suspend() {
  Context& context = *context_;
#ifdef WEMASY_SIM_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, context.outer_stack,
                                 context.outer_size);
#endif
  context.SwitchOut();
#ifdef WEMASY_SIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, &context.outer_stack,
                                  &context.outer_size);
#endif
}

}  // namespace wemasy::tokens::sim
