#include "client/cli/failure.h"

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace wemasy::tokens::cli {
namespace {

absl::string_view CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    default:
      return "UNKNOWN";
  }
}

struct Details {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
};

Details DetailsOf(const grpc::Status& status) {
  Details details;
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return details;
  for (const google::protobuf::Any& any : rich.details()) {
    // One of them fits at most; the other ones leave their message alone.
    if (any.Is<google::rpc::ErrorInfo>()) any.UnpackTo(&details.info);
    if (any.Is<google::rpc::BadRequest>()) any.UnpackTo(&details.bad_request);
  }
  return details;
}

// A terminal takes commands from control characters; a server's text shall
// give none.
std::string Printable(absl::string_view text) {
  return absl::Utf8SafeCEscape(text);
}

}  // namespace

ExitCode ExitCodeOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return ExitCode::kOk;
    case grpc::StatusCode::NOT_FOUND:
      return ExitCode::kNotFound;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    // What a server that leaves may answer (docs/adr/0010).
    case grpc::StatusCode::CANCELLED:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kError;
  }
}

std::string ReasonOf(const grpc::Status& status) {
  return DetailsOf(status).info.reason();
}

std::string DescribeFailure(absl::string_view command,
                            const grpc::Status& status) {
  std::string text = absl::StrCat(
      "tokenctl: ", command, " failed: ", CodeName(status.error_code()), ": ",
      Printable(status.error_message()), "\n");
  const Details details = DetailsOf(status);
  if (!details.info.reason().empty()) {
    absl::StrAppend(&text, "  reason: ", Printable(details.info.reason()),
                    "\n");
  }
  const std::map<std::string, std::string> metadata(
      details.info.metadata().begin(), details.info.metadata().end());
  for (const auto& [key, value] : metadata) {
    absl::StrAppend(&text, "  ", Printable(key), ": ", Printable(value), "\n");
  }
  for (const auto& violation : details.bad_request.field_violations()) {
    absl::StrAppend(&text, "  field ", Printable(violation.field()), ": ",
                    Printable(violation.description()), "\n");
  }
  return text;
}

}  // namespace wemasy::tokens::cli
