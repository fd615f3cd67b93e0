// Which database schemas this binary can work with.
#ifndef WEMASY_SERVER_STORAGE_SCHEMA_VERSION_H_
#define WEMASY_SERVER_STORAGE_SCHEMA_VERSION_H_

#include <cstdint>

#include "absl/status/status.h"

namespace wemasy::tokens {

class PostgresConnection;

// The oldest: a migration expands first, and a later release relies on it.
inline constexpr int kMinSchemaVersion = 8;

// The newest that this binary knows: that of the last migration it carries.
int MaxSchemaVersion();

// What a database says about its schema. Versions beyond those that a binary
// knows may still suit it: each migration states the oldest binary that can
// work with the schema after it.
struct SchemaState {
  // 0 if the schema is empty.
  int64_t version = 0;
  // The version that a binary must know, by the migrations beyond those that
  // the reader knows; 0 if there are none.
  int64_t compatible_with = 0;
};

// Returns FailedPrecondition, naming what the database has and what it wants,
// if a binary that knows versions up to `known` is too old for it.
absl::Status CheckNotTooNew(const SchemaState& state, int known);

// Returns FailedPrecondition, naming both, if the database is too old or too
// new for this binary.
absl::Status CheckSchemaVersion(PostgresConnection& connection);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_SCHEMA_VERSION_H_
