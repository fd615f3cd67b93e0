// What tokenctl says when a call fails.
#ifndef WEMASY_CLIENT_CLI_FAILURE_H_
#define WEMASY_CLIENT_CLI_FAILURE_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/string_view.h"

namespace wemasy::tokens::cli {

// The reason in the google.rpc.ErrorInfo that `status` carries, such as
// `TOKEN_NOT_FOUND`; empty if it carries none.
std::string ReasonOf(const grpc::Status& status);

// Describes a failed call in a few lines: code, message, the reason and
// metadata of its ErrorInfo, and each field violation of its BadRequest.
std::string DescribeFailure(absl::string_view command,
                            const grpc::Status& status);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_FAILURE_H_
