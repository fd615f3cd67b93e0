// Limits for tests that are not about them.
#ifndef WEMASY_TESTS_SUPPORT_LONG_LIMITS_H_
#define WEMASY_TESTS_SUPPORT_LONG_LIMITS_H_

#include "absl/time/time.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

// Makes those that a busy machine may exceed longer than it does.
inline void SetLongLimits(PostgresOptions& options) {
  options.connect_timeout = absl::Minutes(1);
  options.statement_timeout = absl::Minutes(1);
  options.lock_timeout = absl::Seconds(30);
  options.idle_in_transaction_timeout = absl::Minutes(1);
  options.exchange_timeout = absl::Minutes(1);
}

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_LONG_LIMITS_H_
