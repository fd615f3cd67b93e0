// The one place where an absl::Status becomes a grpc::Status.
#ifndef WEMASY_SERVER_API_GRPC_STATUS_H_
#define WEMASY_SERVER_API_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"

namespace wemasy::tokens {

// The domain of every google.rpc.ErrorInfo of this service.
inline constexpr absl::string_view kErrorDomain = "tokens.wemasy.com";

// Turns a status into what the caller gets.
//
// A status of server/token/error.h keeps its message, and carries a
// google.rpc.ErrorInfo, and a BadRequest if it has field violations. Of any
// other status the message is for the log only: the caller gets INTERNAL and
// a fixed text; or CANCELLED or DEADLINE_EXCEEDED, which the caller caused
// itself, and a fixed text. What is too long for HTTP/2 headers is cut.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_STATUS_H_
