// The composition root: builds the parts of a server in the order of their
// lifetime, and takes them down the other way round.
#ifndef WEMASY_SERVER_SERVER_H_
#define WEMASY_SERVER_SERVER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "server/api/authenticator.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/validate_reply.h"
#include "server/api/http/check_endpoint.h"
#include "server/coherence/barrier.h"
#include "server/coherence/replica.h"
#include "server/coherence/sync_points.h"
#include "server/coherence/watch_hub.h"
#include "server/config.h"
#include "server/grpc_front.h"
#include "server/index_metadata_room.h"
#include "server/jobs/maintenance.h"
#include "server/jobs/periodic.h"
#include "server/jobs/usage_flush.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/observability/call_recorder.h"
#include "server/observability/http_recorder.h"
#include "server/observability/log.h"
#include "server/observability/metrics.h"
#include "server/observability/ops_endpoint.h"
#include "server/process.h"
#include "server/program.h"
#include "server/replica_watch.h"
#include "server/storage/connection_pool.h"
#include "server/storage/postgres_change_listener.h"
#include "server/storage/postgres_maintenance_store.h"
#include "server/storage/postgres_options.h"
#include "server/storage/postgres_replica_store.h"
#include "server/storage/postgres_token_store.h"
#include "server/storage/postgres_usage_store.h"
#include "server/validate/lease.h"
#include "server/validate/token_index.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {

// A server of all services. Not thread-safe.
class Server {
 public:
  // Nothing runs yet. All references must outlive this object.
  Server(Settings settings, Program program, const BootClock& clock,
         RandomSource& random, const Logger& logger, StopRequests& stop);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until a stop is requested, then drains. The database may be away
  // at first; health says so. Returns InvalidArgument or Unavailable if an
  // address or a TLS file cannot be used.
  absl::StatusOr<ExitCode> Serve();

 private:
  absl::Status Listen();
  void AddMetrics();
  std::vector<PeriodicJob> HousekeepingJobs();
  absl::Status EvictDead();
  void UpdateHealth();
  void Drain();

  const Settings settings_;
  const Program program_;
  const BootClock& clock_;
  RandomSource& random_;
  const Logger& logger_;
  StopRequests& stop_;
  Metrics metrics_;

  const PostgresOptions postgres_;
  ConnectionPool pool_;
  PostgresTokenStore token_store_;
  PostgresUsageStore usage_store_;
  PostgresMaintenanceStore maintenance_store_;
  PostgresReplicaStore replica_store_;
  PostgresChangeListener listener_;

  TokenIndex index_{EncodeMetadata};
  Lease lease_;
  Validator validator_;
  GatewayCheck gateway_check_;

  ReplicaWatch watch_;
  WatchHub hub_;
  Barrier barrier_;
  SyncPoints sync_points_;
  Replica replica_;

  IndexMetadataRoom metadata_room_;
  TokenLifecycle lifecycle_;

  UsageFlush usage_flush_;
  Maintenance maintenance_;
  std::atomic<int64_t> live_entries_{0};
  std::atomic<int64_t> dead_entries_{0};
  PeriodicJobs housekeeping_;
  // Apart from the jobs that may have to wait for the database.
  PeriodicJobs health_updates_;

  CallRecorder recorder_;
  HttpRecorder http_recorder_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<GrpcFront> front_;
  std::unique_ptr<CheckEndpoint> check_;
  std::unique_ptr<OpsEndpoint> ops_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_SERVER_H_
