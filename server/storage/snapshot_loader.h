// Loads an index from one snapshot of the database.
#ifndef WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_
#define WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/coherence/replica_store.h"
#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {

// As ReplicaStore::LoadSnapshot. Row by row, so that no result of ten million
// rows is ever in memory.
absl::StatusOr<FeedHead> LoadIndexSnapshot(
    PostgresConnection& connection, int64_t max_dead,
    absl::FunctionRef<void(IndexEntry)> sink);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_
