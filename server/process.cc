#include "server/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens {
namespace {

// The writing end of the pipe. Of a handler's few means, a write is one.
std::atomic<int> stop_fd{-1};

void WriteCode(ExitCode code) {
  const auto byte = static_cast<uint8_t>(code);
  const int fd = stop_fd.load();
  // A full pipe has requests enough in it.
  if (fd >= 0 && ::write(fd, &byte, 1) < 0) return;
}

void HandleSignal(int) {
  const int saved_errno = errno;
  WriteCode(ExitCode::kOk);
  errno = saved_errno;
}

void SetHandler(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal_number, &action, nullptr);
}

}  // namespace

absl::Status RaiseDescriptorLimit(int connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::InternalError(std::strerror(errno));
  }
  const rlim_t wanted = static_cast<rlim_t>(connections) + kReservedDescriptors;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    // Checked below, by what then is.
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "--max-connections: found ", connections, ", which needs ", wanted,
      " file descriptors, want no more than the ", limit.rlim_cur,
      " that RLIMIT_NOFILE allows (LimitNOFILE= in systemd)"));
}

absl::Status ForbidCoreDumps() {
  const rlimit none{};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 ||
      ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return absl::InternalError(
        absl::StrCat("cannot forbid core dumps: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

StopRequests::StopRequests() {
  int fds[2] = {-1, -1};
  // A process that could not be told to stop must not begin.
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
    std::perror("pipe2");
    std::abort();
  }
  read_fd_ = fds[0];
  stop_fd = fds[1];
  SetHandler(SIGTERM, HandleSignal);
  SetHandler(SIGINT, HandleSignal);
  // A peer that is gone shows as an error of the write.
  SetHandler(SIGPIPE, SIG_IGN);
}

StopRequests::~StopRequests() {
  SetHandler(SIGTERM, SIG_DFL);
  SetHandler(SIGINT, SIG_DFL);
  ::close(stop_fd.exchange(-1));
  ::close(read_fd_);
}

void StopRequests::Request(ExitCode code) { WriteCode(code); }

bool StopRequests::Wait(absl::Duration timeout) {
  pollfd watched{read_fd_, POLLIN, 0};
  // Without end as -1; rounded up, so that no wait is shorter than asked.
  const int millis =
      timeout == absl::InfiniteDuration()
          ? -1
          : static_cast<int>(std::min<int64_t>(
                absl::ToInt64Milliseconds(timeout + absl::Microseconds(999)),
                INT32_MAX));
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, millis);
  } while (ready < 0 && errno == EINTR);
  uint8_t byte = 0;
  if (ready <= 0 || ::read(read_fd_, &byte, 1) != 1) return false;
  if (!code_.has_value()) code_ = static_cast<ExitCode>(byte);
  return true;
}

}  // namespace wemasy::tokens
