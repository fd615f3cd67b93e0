// Reads secrets from where only their holder sees them: standard input, a
// file, or a terminal without echo. Never from an argument.
#ifndef WEMASY_CLIENT_CLI_SECRET_INPUT_H_
#define WEMASY_CLIENT_CLI_SECRET_INPUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/secret.h"

namespace wemasy::tokens::cli {

// Reads the lines of `path`, or of standard input if it is empty or `-`.
// Empty lines and white space around a line are left out. Asks at a terminal.
//
// Returns InvalidArgument if the file cannot be read, has no line, is over
// 16 MiB, or if a line has bytes other than printable ASCII; the message
// never has any of the content in it.
absl::StatusOr<std::vector<Secret>> ReadSecrets(const std::string& path);

// As ReadSecrets, and returns InvalidArgument unless it is exactly one.
absl::StatusOr<Secret> ReadOneSecret(const std::string& path);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_SECRET_INPUT_H_
