// What the process asks of the kernel: descriptors, no core dumps, signals.
#ifndef WEMASY_SERVER_PROCESS_H_
#define WEMASY_SERVER_PROCESS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/config.h"

namespace wemasy::tokens {

// File descriptors besides those of callers' connections: the database, files,
// gRPC's own.
inline constexpr int kReservedDescriptors = 128;

// Raises the soft limit of file descriptors as far as is allowed. Returns
// FailedPrecondition if that is not enough for `connections`: once gRPC has
// met the limit, it accepts no connection ever again (CVE-2023-4785).
absl::Status RaiseDescriptorLimit(int connections);

// Keeps memory, with the digests of all tokens in it, out of core dumps and
// away from debuggers of the same user.
absl::Status ForbidCoreDumps();

// Why and when to stop: by SIGTERM or SIGINT, or because a part of the server
// asks for it. One object a process.
class StopRequests {
 public:
  // Takes over both signals, and ignores SIGPIPE.
  StopRequests();
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  // Asks for a stop with `code`. The first one counts. From any thread.
  void Request(ExitCode code);

  // Returns whether a request, or one more of them, came within `timeout`.
  bool Wait(absl::Duration timeout);

  // The first request's code; kOk for a signal.
  ExitCode code() const { return code_.value_or(ExitCode::kOk); }

 private:
  int read_fd_ = -1;
  absl::optional<ExitCode> code_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_PROCESS_H_
