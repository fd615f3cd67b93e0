// Tells ThreadSanitizer how the distribution's gRPC and Abseil, which are not
// instrumented, order what threads do. Linked into executables of the tsan
// build, and only there.
//
// It defines functions of the two libraries. The dynamic linker then binds the
// libraries' own calls to these too; each calls the real one, and notes
//
//  * that unlocking an absl::Mutex comes before locking it again, and
//  * that starting a gRPC operation comes before its tag is returned.
//
// What the libraries access through intercepted functions, such as memcpy, is
// left out by cmake/tsan.supp.

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace {

// Returns the definition of `name` that comes after ours.
template <typename F>
F* Next(const std::string& name) {
  void* const found = dlsym(RTLD_NEXT, name.c_str());
  if (found == nullptr) std::abort();
  return reinterpret_cast<F*>(found);
}

#define WEMASY_TEXT_OF(x) #x
#define WEMASY_TEXT(x) WEMASY_TEXT_OF(x)

// Returns the mangled name of what is in namespace absl, or in the inline
// namespace that is in it, from the rest of that name.
std::string AbslName(const std::string& rest) {
#if ABSL_OPTION_USE_INLINE_NAMESPACE
  const std::string space = WEMASY_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  return "_ZN4absl" + std::to_string(space.size()) + space + rest;
#else
  return "_ZN4absl" + rest;
#endif
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static auto* const real = Next<void(Mutex*)>(AbslName("5Mutex4LockEv"));
  real(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static auto* const real = Next<bool(Mutex*)>(AbslName("5Mutex7TryLockEv"));
  if (!real(this)) return false;
  __tsan_acquire(this);
  return true;
}

void Mutex::Unlock() {
  static auto* const real = Next<void(Mutex*)>(AbslName("5Mutex6UnlockEv"));
  __tsan_release(this);
  real(this);
}

void CondVar::Wait(Mutex* mutex) {
  static auto* const real =
      Next<void(CondVar*, Mutex*)>(AbslName("7CondVar4WaitEPNS0_5MutexE"));
  __tsan_release(mutex);
  real(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static auto* const real = Next<bool(CondVar*, Mutex*, Duration)>(
      AbslName("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"));
  __tsan_release(mutex);
  const bool expired = real(this, mutex, timeout);
  __tsan_acquire(mutex);
  return expired;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static auto* const real = Next<bool(CondVar*, Mutex*, Time)>(
      AbslName("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE"));
  __tsan_release(mutex);
  const bool expired = real(this, mutex, deadline);
  __tsan_acquire(mutex);
  return expired;
}

ABSL_NAMESPACE_END
}  // namespace absl

#define WEMASY_NEXT(function) \
  static auto* const real = Next<decltype(function)>(#function)

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops,
                                      size_t nops, void* tag, void* reserved) {
  WEMASY_NEXT(grpc_call_start_batch);
  __tsan_release(tag);
  return real(call, ops, nops, tag, reserved);
}

grpc_call_error grpc_server_request_call(grpc_server* server, grpc_call** call,
                                         grpc_call_details* details,
                                         grpc_metadata_array* metadata,
                                         grpc_completion_queue* bound,
                                         grpc_completion_queue* notified,
                                         void* tag) {
  WEMASY_NEXT(grpc_server_request_call);
  __tsan_release(tag);
  return real(server, call, details, metadata, bound, notified, tag);
}

grpc_call_error grpc_server_request_registered_call(
    grpc_server* server, void* method, grpc_call** call, gpr_timespec* deadline,
    grpc_metadata_array* metadata, grpc_byte_buffer** payload,
    grpc_completion_queue* bound, grpc_completion_queue* notified, void* tag) {
  WEMASY_NEXT(grpc_server_request_registered_call);
  __tsan_release(tag);
  return real(server, method, call, deadline, metadata, payload, bound,
              notified, tag);
}

void grpc_server_shutdown_and_notify(grpc_server* server,
                                     grpc_completion_queue* queue, void* tag) {
  WEMASY_NEXT(grpc_server_shutdown_and_notify);
  __tsan_release(tag);
  real(server, queue, tag);
}

void grpc_channel_watch_connectivity_state(grpc_channel* channel,
                                           grpc_connectivity_state last,
                                           gpr_timespec deadline,
                                           grpc_completion_queue* queue,
                                           void* tag) {
  WEMASY_NEXT(grpc_channel_watch_connectivity_state);
  __tsan_release(tag);
  real(channel, last, deadline, queue, tag);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue,
                                      gpr_timespec deadline, void* reserved) {
  WEMASY_NEXT(grpc_completion_queue_next);
  const grpc_event event = real(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  WEMASY_NEXT(grpc_completion_queue_pluck);
  const grpc_event event = real(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // extern "C"
