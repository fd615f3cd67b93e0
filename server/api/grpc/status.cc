#include "server/api/grpc/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/token/error.h"
#include "wemasy/tokens/v1/errors.pb.h"

namespace wemasy::tokens {
namespace {

// The domain's numbers are the contract's.
static_assert(static_cast<int>(ErrorReason::kFieldInvalid) ==
              v1::ERROR_REASON_FIELD_INVALID);
static_assert(static_cast<int>(ErrorReason::kPageTokenInvalid) ==
              v1::ERROR_REASON_PAGE_TOKEN_INVALID);
static_assert(static_cast<int>(ErrorReason::kRequestIdReused) ==
              v1::ERROR_REASON_REQUEST_ID_REUSED);
static_assert(static_cast<int>(ErrorReason::kRequestIdExpired) ==
              v1::ERROR_REASON_REQUEST_ID_EXPIRED);
static_assert(static_cast<int>(ErrorReason::kTokenNotFound) ==
              v1::ERROR_REASON_TOKEN_NOT_FOUND);
static_assert(static_cast<int>(ErrorReason::kTokenNotActive) ==
              v1::ERROR_REASON_TOKEN_NOT_ACTIVE);
static_assert(static_cast<int>(ErrorReason::kEtagMismatch) ==
              v1::ERROR_REASON_ETAG_MISMATCH);
static_assert(static_cast<int>(ErrorReason::kActiveTokenLimit) ==
              v1::ERROR_REASON_ACTIVE_TOKEN_LIMIT);
static_assert(static_cast<int>(ErrorReason::kCallerUnauthenticated) ==
              v1::ERROR_REASON_CALLER_UNAUTHENTICATED);
static_assert(static_cast<int>(ErrorReason::kRoleMissing) ==
              v1::ERROR_REASON_ROLE_MISSING);
static_assert(static_cast<int>(ErrorReason::kLeaseNotHeld) ==
              v1::ERROR_REASON_LEASE_NOT_HELD);
static_assert(static_cast<int>(ErrorReason::kDatabaseUnavailable) ==
              v1::ERROR_REASON_DATABASE_UNAVAILABLE);
static_assert(static_cast<int>(ErrorReason::kCommitInDoubt) ==
              v1::ERROR_REASON_COMMIT_IN_DOUBT);
static_assert(static_cast<int>(ErrorReason::kChangeUnconfirmed) ==
              v1::ERROR_REASON_CHANGE_UNCONFIRMED);
static_assert(static_cast<int>(ErrorReason::kDeadlineTooShort) ==
              v1::ERROR_REASON_DEADLINE_TOO_SHORT);
static_assert(static_cast<int>(ErrorReason::kOverloaded) ==
              v1::ERROR_REASON_OVERLOADED);
static_assert(static_cast<int>(ErrorReason::kInternal) ==
              v1::ERROR_REASON_INTERNAL);
static_assert(static_cast<int>(ErrorReason::kReplicaTooOld) ==
              v1::ERROR_REASON_REPLICA_TOO_OLD);
static_assert(static_cast<int>(ErrorReason::kTokenRefused) ==
              v1::ERROR_REASON_TOKEN_REFUSED);
static_assert(static_cast<int>(ErrorReason::kMetadataLimit) ==
              v1::ERROR_REASON_METADATA_LIMIT);
static_assert(v1::ErrorReason_MAX == v1::ERROR_REASON_METADATA_LIMIT);

// Absl's codes are gRPC's.
static_assert(static_cast<int>(absl::StatusCode::kInvalidArgument) ==
              static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) ==
              static_cast<int>(grpc::StatusCode::UNAUTHENTICATED));

// Clients by default accept 8 KiB of headers, in which the message appears
// twice, once percent-encoded, and the details in base64.
constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxDetailBytes = 2048;

constexpr absl::string_view kInternalMessage =
    "internal error; the service's log has more under the request id";

// Cuts before the character that would not fit.
std::string Shortened(absl::string_view text) {
  if (text.size() <= kMaxMessageBytes) return std::string(text);
  size_t end = kMaxMessageBytes;
  const auto is_continuation = [](char c) { return (c & 0xC0) == 0x80; };
  while (end > 0 && is_continuation(text[end])) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

// The reason's name as it goes over the wire.
std::string ReasonText(ErrorReason reason) {
  const std::string& name =
      v1::ErrorReason_Name(static_cast<v1::ErrorReason>(reason));
  return std::string(absl::StripPrefix(name, "ERROR_REASON_"));
}

google::rpc::BadRequest MakeBadRequest(
    const std::vector<FieldViolation>& violations) {
  google::rpc::BadRequest bad_request;
  size_t bytes = 0;
  for (const FieldViolation& violation : violations) {
    bytes += violation.field.size() + violation.description.size();
    if (bytes > kMaxDetailBytes) break;
    auto* out = bad_request.add_field_violations();
    out->set_field(violation.field);
    out->set_description(violation.description);
  }
  return bad_request;
}

grpc::Status WithDetail(const absl::Status& status, const ErrorDetail& detail) {
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(Shortened(status.message()));
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonText(detail.reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : detail.metadata) {
    (*info.mutable_metadata())[key] = value;
  }
  rich.add_details()->PackFrom(info);
  if (!detail.violations.empty()) {
    rich.add_details()->PackFrom(MakeBadRequest(detail.violations));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(rich.code()),
                      rich.message(), rich.SerializeAsString());
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (const absl::optional<ErrorDetail> detail = GetErrorDetail(status)) {
    return WithDetail(status, *detail);
  }
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      return grpc::Status(grpc::StatusCode::CANCELLED,
                          "the caller cancelled the call");
    case absl::StatusCode::kDeadlineExceeded:
      return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                          "the call's deadline ended");
    default:
      return ToGrpcStatus(MakeError(ErrorReason::kInternal, kInternalMessage));
  }
}

}  // namespace wemasy::tokens
