// The exit codes of tokenctl, a contract with scripts.
#ifndef WEMASY_CLIENT_CLI_EXIT_CODE_H_
#define WEMASY_CLIENT_CLI_EXIT_CODE_H_

#include <grpcpp/support/status.h>

#include "absl/strings/string_view.h"

namespace wemasy::tokens::cli {

enum class ExitCode {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  // `validate` got a verdict other than VALID.
  kRefused = 3,
  kNotFound = 4,
  // The service cannot be reached, cannot vouch, is leaving, or did not answer
  // in time.
  kUnavailable = 5,
};

// What `--help` says about them.
inline constexpr absl::string_view kExitCodesHelp =
    "Exit codes:\n"
    "  0  done\n"
    "  1  the service reported an error\n"
    "  2  wrong usage; nothing was sent\n"
    "  3  validate: the token is refused (any verdict but VALID)\n"
    "  4  no such token\n"
    "  5  the service is unavailable or did not answer in time; try again";

// The exit code for the end of a call.
ExitCode ExitCodeOf(const grpc::Status& status);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_EXIT_CODE_H_
