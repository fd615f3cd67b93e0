// A replica's view of PostgreSQL.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_REPLICA_STORE_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_REPLICA_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "server/coherence/replica_store.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

class PostgresConnection;
class Watchdog;
struct Statement;
class Params;
class Rows;

// One thread at a time.
class PostgresReplicaStore final : public ReplicaStore {
 public:
  // Both must outlive this object.
  PostgresReplicaStore(const PostgresOptions* options, const BootClock* clock);
  ~PostgresReplicaStore() override;

  absl::StatusOr<FeedHead> LoadSnapshot(int64_t max_dead,
                                        EntrySink sink) override;
  absl::StatusOr<bool> Register(const std::string& id,
                                const std::string& timeline,
                                absl::Duration ttl) override;
  absl::StatusOr<RenewalOutcome> Renew(const ReplicaRow& row, int64_t acked,
                                       int64_t applied) override;
  absl::StatusOr<AdoptionOutcome> AdoptTimeline(const ReplicaRow& row) override;
  absl::Status MarkHistoryLost(const std::string& what) override;
  absl::Status Deregister(const std::string& id) override;
  absl::StatusOr<bool> Reap(const ReplicaRow& row) override;

 private:
  // Opens a connection. Returns Unavailable.
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Open();
  // The connection, with `timeout` for the exchange that follows.
  absl::StatusOr<PostgresConnection*> Connection(absl::Duration timeout);
  absl::StatusOr<Rows> ExecuteCommitted(const Statement& statement,
                                        const Params& params);

  const PostgresOptions& options_;
  const BootClock& clock_;
  const std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_REPLICA_STORE_H_
