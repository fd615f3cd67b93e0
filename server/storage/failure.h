// The border that no exception crosses.
#ifndef WEMASY_SERVER_STORAGE_FAILURE_H_
#define WEMASY_SERVER_STORAGE_FAILURE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace wemasy::tokens {

// What is to be done about a failure.
enum class FailureKind {
  // A serialization failure or a deadlock: nothing was done, try again.
  kConflict,
  // The connection is of no use any more; an open transaction is lost.
  kConnectionLost,
  // The database cannot do it now: full, read-only, starting, timed out.
  kUnavailable,
  // It is not known whether the statement took effect.
  kInDoubt,
  // A bug, or a database that is not as it should be.
  kInternal,
};

struct Failure {
  FailureKind kind = FailureKind::kInternal;
  // For the log. Without values.
  std::string cause;
};

// Runs `action`, the one place where exceptions are caught. Nothing if it
// returned.
absl::optional<Failure> Try(absl::FunctionRef<void()> action);

// The same for opening a connection, where libpq says in words what it saw.
absl::optional<Failure> TryConnect(absl::FunctionRef<void()> action);

// What callers are told: stable, and without SQL or values.
absl::Status PublicStatus(FailureKind kind);

// kDeadlineTooShort.
absl::Status DeadlineTooShort();

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_FAILURE_H_
