// How to reach PostgreSQL, and how long to wait for it.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_OPTIONS_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_OPTIONS_H_

#include "absl/time/time.h"
#include "common/crypto/secret.h"
#include "server/storage/log_sink.h"

namespace wemasy::tokens {

// Given to storage's objects by pointer; must outlive them unchanged.
struct PostgresOptions {
  // libpq's connection string or URI. It may have a password in it.
  Secret conninfo;
  // The most connections of a ConnectionPool.
  int pool_size = 4;
  // For one host to accept a connection; libpq rounds it up to 2 s.
  absl::Duration connect_timeout = absl::Seconds(4);
  // The server gives up a statement, or the wait for one lock, after this.
  absl::Duration statement_timeout = absl::Seconds(10);
  absl::Duration lock_timeout = absl::Seconds(2);
  // The server ends any session, a migration's too, that says nothing for so
  // long in a transaction: a replica that is cut off or stopped in the middle
  // of one must not keep the locks that every change needs. Much shorter than
  // the wait for a lock, as several of its sessions may be before whoever
  // waits.
  absl::Duration idle_in_transaction_timeout = absl::Milliseconds(500);
  // For one exchange of a replica, which has no caller with a deadline. The
  // connection is closed then, and the outcome unknown.
  absl::Duration exchange_timeout = absl::Seconds(5);
  // For a whole load of the index.
  absl::Duration load_timeout = absl::Minutes(10);
  StorageLog log;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_OPTIONS_H_
