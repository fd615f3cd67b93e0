// Propagation of absl::Status, under the names that newer Abseil and Google's
// libraries use.
#ifndef WEMASY_COMMON_STATUS_MACROS_H_
#define WEMASY_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                     \
  do {                                                            \
    if (absl::Status wemasy_status = (expr); !wemasy_status.ok()) \
      return wemasy_status;                                       \
  } while (false)

// Assigns the value of the StatusOr `expr` to `lhs`, or returns its status
// from the enclosing function.
#define ASSIGN_OR_RETURN(lhs, expr) \
  WEMASY_ASSIGN_OR_RETURN(WEMASY_CONCAT(wemasy_status_or_, __LINE__), lhs, expr)

#define WEMASY_CONCAT_INNER(a, b) a##b
#define WEMASY_CONCAT(a, b) WEMASY_CONCAT_INNER(a, b)
#define WEMASY_ASSIGN_OR_RETURN(status_or, lhs, expr)        \
  auto status_or = (expr);                                   \
  if (!status_or.ok()) return std::move(status_or).status(); \
  lhs = *std::move(status_or)

#endif  // WEMASY_COMMON_STATUS_MACROS_H_
