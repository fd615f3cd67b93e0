// Matchers of absl::Status, under the names that newer Abseil gives them.
#ifndef WEMASY_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define WEMASY_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <ostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/token/error.h"

namespace wemasy::tokens {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code, "") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).code() == code;
}

// An error of a reason, with the reason's code.
MATCHER_P(HasReason, reason, "") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status;
  const auto detail = GetErrorDetail(status);
  return detail.has_value() && detail->reason == reason &&
         status.code() == CodeOf(reason);
}

// An error about fields, of which one is `field`.
MATCHER_P(HasViolation, field, "") {
  *result_listener << StatusOf(arg);
  const auto detail = GetErrorDetail(StatusOf(arg));
  if (!detail) return false;
  for (const FieldViolation& violation : detail->violations) {
    if (violation.field == field) return true;
  }
  return false;
}

}  // namespace wemasy::tokens

#define ASSERT_OK(expr) ASSERT_THAT(expr, ::wemasy::tokens::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT(expr, ::wemasy::tokens::IsOk())

#endif  // WEMASY_TESTS_SUPPORT_STATUS_MATCHERS_H_
