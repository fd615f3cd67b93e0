// The connection string that libpq gets.
#ifndef WEMASY_SERVER_STORAGE_CONNINFO_H_
#define WEMASY_SERVER_STORAGE_CONNINFO_H_

#include "common/crypto/secret.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

// Adds to the operator's string: a session that accepts writes is demanded,
// and time limits are set unless the string has them.
Secret BuildConninfo(const PostgresOptions& options);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_CONNINFO_H_
