#include "server/token/error.h"

#include <cstddef>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kPayloadUrl = "tokens.wemasy.com/error-detail";

// A payload is a list of texts, each with its length before it: the reason,
// the number of metadata pairs, the pairs, the violations.
void Append(std::string& payload, absl::string_view text) {
  absl::StrAppend(&payload, text.size(), ":", text);
}

class PayloadReader {
 public:
  explicit PayloadReader(absl::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }
  std::string Text() {
    const size_t colon = rest_.find(':');
    size_t length = 0;
    if (!absl::SimpleAtoi(rest_.substr(0, colon), &length)) {
      rest_ = {};
      return "";
    }
    std::string text(rest_.substr(colon + 1, length));
    rest_.remove_prefix(colon + 1 + length);
    return text;
  }
  int Number() {
    int number = 0;
    return absl::SimpleAtoi(Text(), &number) ? number : 0;
  }

 private:
  absl::string_view rest_;
};

absl::Status MakeStatus(const ErrorDetail& detail, absl::string_view message) {
  absl::Status status(CodeOf(detail.reason), message);
  std::string payload;
  Append(payload, absl::StrCat(static_cast<int>(detail.reason)));
  Append(payload, absl::StrCat(detail.metadata.size()));
  for (const auto& [key, value] : detail.metadata) {
    Append(payload, key);
    Append(payload, value);
  }
  for (const FieldViolation& violation : detail.violations) {
    Append(payload, violation.field);
    Append(payload, violation.description);
  }
  status.SetPayload(kPayloadUrl, absl::Cord(std::move(payload)));
  return status;
}

}  // namespace

absl::StatusCode CodeOf(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kFieldInvalid:
    case ErrorReason::kPageTokenInvalid:
    case ErrorReason::kRequestIdReused:
      return absl::StatusCode::kInvalidArgument;
    case ErrorReason::kRequestIdExpired:
      return absl::StatusCode::kAlreadyExists;
    case ErrorReason::kTokenNotFound:
      return absl::StatusCode::kNotFound;
    case ErrorReason::kTokenNotActive:
    case ErrorReason::kReplicaTooOld:
      return absl::StatusCode::kFailedPrecondition;
    case ErrorReason::kEtagMismatch:
      return absl::StatusCode::kAborted;
    case ErrorReason::kActiveTokenLimit:
    case ErrorReason::kOverloaded:
    case ErrorReason::kMetadataLimit:
      return absl::StatusCode::kResourceExhausted;
    case ErrorReason::kCallerUnauthenticated:
    case ErrorReason::kTokenRefused:
      return absl::StatusCode::kUnauthenticated;
    case ErrorReason::kRoleMissing:
      return absl::StatusCode::kPermissionDenied;
    case ErrorReason::kLeaseNotHeld:
    case ErrorReason::kDatabaseUnavailable:
      return absl::StatusCode::kUnavailable;
    case ErrorReason::kCommitInDoubt:
      return absl::StatusCode::kUnknown;
    case ErrorReason::kChangeUnconfirmed:
    case ErrorReason::kDeadlineTooShort:
      return absl::StatusCode::kDeadlineExceeded;
    case ErrorReason::kInternal:
      return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;
}

absl::Status MakeError(ErrorReason reason, absl::string_view message,
                       std::map<std::string, std::string> metadata) {
  ErrorDetail detail;
  detail.reason = reason;
  detail.metadata = std::move(metadata);
  return MakeStatus(detail, message);
}

absl::Status RequestIdReused() {
  return MakeError(ErrorReason::kRequestIdReused,
                   "request_id was used for a request with another content; "
                   "draw a new UUID for each new request");
}

absl::optional<ErrorDetail> GetErrorDetail(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload) return absl::nullopt;
  const std::string text(*payload);
  PayloadReader reader(text);
  ErrorDetail detail;
  detail.reason = static_cast<ErrorReason>(reader.Number());
  for (int pairs = reader.Number(); pairs > 0; --pairs) {
    std::string key = reader.Text();
    detail.metadata[std::move(key)] = reader.Text();
  }
  while (!reader.done()) {
    std::string field = reader.Text();
    detail.violations.push_back({std::move(field), reader.Text()});
  }
  return detail;
}

void FieldViolations::Add(absl::string_view field,
                          absl::string_view description) {
  violations_.push_back({std::string(field), std::string(description)});
}

absl::Status FieldViolations::ToStatus() const {
  if (violations_.empty()) return absl::OkStatus();
  ErrorDetail detail;
  detail.reason = ErrorReason::kFieldInvalid;
  detail.violations = violations_;
  return MakeStatus(
      detail, absl::StrJoin(violations_, "; ",
                            [](std::string* out, const FieldViolation& v) {
                              absl::StrAppend(out, v.field, " ", v.description);
                            }));
}

}  // namespace wemasy::tokens
