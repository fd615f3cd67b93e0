// The id by which a request is found again in logs, here and at a gateway.
#ifndef WEMASY_SERVER_API_REQUEST_ID_H_
#define WEMASY_SERVER_API_REQUEST_ID_H_

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

// The header, or metadata key, that has it.
inline constexpr char kRequestIdKey[] = "x-request-id";

// Whether `id` may stand in the log as it is: 1 to 128 characters of printable
// ASCII without space, quote or backslash.
bool IsRequestIdWellFormed(absl::string_view id);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_REQUEST_ID_H_
