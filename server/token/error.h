// Errors that callers are meant to tell apart.
//
// An absl::Status made here carries a reason, metadata and field violations,
// which the API hands on as google.rpc.ErrorInfo and BadRequest. Its message
// is public: it never has a secret or SQL in it.
#ifndef WEMASY_SERVER_TOKEN_ERROR_H_
#define WEMASY_SERVER_TOKEN_ERROR_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace wemasy::tokens {

// The reasons, numbered as in the contract (proto/wemasy/tokens/v1/
// errors.proto), which says when each is given and what to do.
enum class ErrorReason {
  kFieldInvalid = 1,
  kPageTokenInvalid = 2,
  kRequestIdReused = 3,
  kRequestIdExpired = 4,
  kTokenNotFound = 5,
  kTokenNotActive = 6,
  kEtagMismatch = 7,
  kActiveTokenLimit = 8,
  kCallerUnauthenticated = 9,
  kRoleMissing = 10,
  kLeaseNotHeld = 11,
  kDatabaseUnavailable = 12,
  kCommitInDoubt = 13,
  kChangeUnconfirmed = 14,
  kDeadlineTooShort = 15,
  kOverloaded = 16,
  kInternal = 17,
  kReplicaTooOld = 18,
  kTokenRefused = 19,
  kMetadataLimit = 20,
};

// The status code that goes with a reason; always the same.
absl::StatusCode CodeOf(ErrorReason reason);

// What is wrong with one field of a request.
struct FieldViolation {
  // The path in the request's proto, such as `token.scopes[3]`.
  std::string field;
  // Subject, actual, wanted: `has 101 characters, want 1 to 100`.
  std::string description;
};

// What a status made here carries.
struct ErrorDetail {
  ErrorReason reason = ErrorReason::kInternal;
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> violations;
};

// Makes a status of the reason's code.
absl::Status MakeError(ErrorReason reason, absl::string_view message,
                       std::map<std::string, std::string> metadata = {});

// The error of a request whose request_id was that of another request.
absl::Status RequestIdReused();

// The detail of a status made here; nothing for any other status.
absl::optional<ErrorDetail> GetErrorDetail(const absl::Status& status);

// Gathers what is wrong with a request, to report everything at once.
class FieldViolations {
 public:
  void Add(absl::string_view field, absl::string_view description);
  bool empty() const { return violations_.empty(); }
  // OK if there are none, otherwise an error of kFieldInvalid.
  absl::Status ToStatus() const;

 private:
  std::vector<FieldViolation> violations_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_ERROR_H_
