// The filter of a list of tokens: a subset of AIP-160.
#ifndef WEMASY_SERVER_LIFECYCLE_FILTER_H_
#define WEMASY_SERVER_LIFECYCLE_FILTER_H_

#include "absl/strings/string_view.h"
#include "server/lifecycle/token_store.h"
#include "server/token/error.h"

namespace wemasy::tokens {

// Parses comparisons joined by AND:
//
//   state = ACTIVE|EXPIRED|REVOKED
//   creator = "..."
//   last_used_time < "RFC 3339"
//   expire_time < "RFC 3339"
//
// each at most once. Adds a violation of `filter` that says where it stopped
// to understand, and what it wanted there.
TokenFilter ParseFilter(FieldViolations& violations, absl::string_view text);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_FILTER_H_
