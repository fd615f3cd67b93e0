// What a call brings along beside its request.
#ifndef WEMASY_SERVER_API_GRPC_CALL_METADATA_H_
#define WEMASY_SERVER_API_GRPC_CALL_METADATA_H_

#include <chrono>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "grpcpp/server_context.h"

namespace wemasy::tokens {

// The caller's `x-request-id` if it sent one that is well-formed, otherwise a
// new id.
std::string RequestIdOf(const grpc::ServerContextBase& context,
                        RandomSource& random);

// The trace id in a `traceparent` (W3C Trace Context); empty if malformed.
absl::string_view ParseTraceId(absl::string_view traceparent);

// The trace id of the caller's `traceparent`, or empty. Valid as long as
// `context`.
absl::string_view TraceIdOf(const grpc::ServerContextBase& context);

// How long a call may take.
struct CallTimeout {
  // If the caller set no deadline.
  absl::Duration fallback;
  // At most, whatever the caller says.
  absl::Duration max;
};

// The caller's deadline, a time of the wall clock, on the boot-time clock.
BootTime ToBootDeadline(std::chrono::system_clock::time_point deadline,
                        std::chrono::system_clock::time_point wall_now,
                        BootTime boot_now, const CallTimeout& timeout);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_CALL_METADATA_H_
