// Whether a PostgreSQL server can keep the promises that commits make.
#ifndef WEMASY_SERVER_STORAGE_SERVER_CHECK_H_
#define WEMASY_SERVER_STORAGE_SERVER_CHECK_H_

#include "absl/status/status.h"
#include "server/storage/rows.h"
#include "server/storage/statements.h"

namespace wemasy::tokens {

inline constexpr int kMinPostgresVersion = 150000;

// Fixes the session's settings and asks for what is checked. Parameters: the
// timeouts of a statement, of a lock and of silence in a transaction, in
// milliseconds.
extern const Statement kPrepareSession;

// Looks at the one row of kPrepareSession. `backend_pid` is the one that the
// connection was told. Returns FailedPrecondition, in words for operators, or
// Unavailable for a server that is only not ready.
absl::Status CheckSession(FieldReader row, int backend_pid);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_SERVER_CHECK_H_
