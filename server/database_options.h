// From the settings to what storage needs.
#ifndef WEMASY_SERVER_DATABASE_OPTIONS_H_
#define WEMASY_SERVER_DATABASE_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/crypto/secret.h"
#include "server/config.h"
#include "server/observability/log.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

// `url` with `password` added, in the form that `url` has: a URI, or pairs of
// libpq. Takes the place of a password in `url`. Nothing is added if it is
// empty.
Secret AddPassword(absl::string_view url, absl::string_view password);

// `logger` must outlive the users of the result.
PostgresOptions MakePostgresOptions(const Settings& settings,
                                    const Logger& logger);

// Whether a failure of CheckDatabase will stay: the database is not fit, or
// answered and let us not in (an unknown role, a wrong password). One that is
// away, starting, full or a standby may change its mind.
bool IsLastingRefusal(const absl::Status& status);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_DATABASE_OPTIONS_H_
