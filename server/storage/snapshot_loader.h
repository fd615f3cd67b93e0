// Loads an index from one snapshot of the database.
#ifndef WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_
#define WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "server/coherence/replica_store.h"
#include "server/storage/log_sink.h"
#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {

// As ReplicaStore::LoadSnapshot. Each connection reads half, the second one in
// a thread of its own, both in the first one's snapshot. A thousand rows each
// are in memory at a time, never all. Tells `log`, which may be empty, how far
// it is every few seconds.
absl::StatusOr<FeedHead> LoadIndexSnapshot(PostgresConnection& first,
                                           PostgresConnection& second,
                                           int64_t max_dead,
                                           const BootClock& clock,
                                           const StorageLog& log,
                                           ReplicaStore::EntrySink sink);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_SNAPSHOT_LOADER_H_
