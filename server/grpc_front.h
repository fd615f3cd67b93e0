// The gRPC server: all services, Envoy's authorization, health and reflection
// on one address.
#ifndef WEMASY_SERVER_GRPC_FRONT_H_
#define WEMASY_SERVER_GRPC_FRONT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "server/api/ext_authz/check_handler.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/auth_service.h"
#include "server/api/grpc/health_service.h"
#include "server/api/grpc/queue_server.h"
#include "server/api/grpc/served_call.h"
#include "server/api/grpc/tls_credentials.h"
#include "server/api/grpc/token_service.h"
#include "server/api/self/self_service.h"
#include "server/api/watch_streams.h"
#include "server/config.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/observability/health.h"
#include "server/observability/metrics.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {

// Adds rpcs to those that are served as Validate is.
using AddRpcs = std::function<void(QueueServer&)>;

// Listens from its making on, and says NOT_SERVING of every service until told
// otherwise.
class GrpcFront {
 public:
  // Where calls go. All must outlive the server.
  struct Backends {
    const Validator* validator;
    const GatewayCheck* check;
    TokenLifecycle* lifecycle;
    WatchStreams* watches;
    ApiEnvironment environment;
  };

  // Returns InvalidArgument for TLS files that cannot be used, Unavailable if
  // the address cannot be listened on.
  // `more_rpcs` may be empty.
  static absl::StatusOr<std::unique_ptr<GrpcFront>> Start(
      const Settings& settings, const Backends& backends,
      const AddRpcs& more_rpcs);
  // Shuts down at once if that was not done.
  ~GrpcFront();

  GrpcFront(const GrpcFront&) = delete;
  GrpcFront& operator=(const GrpcFront&) = delete;

  // Takes no more calls, and cancels those that take longer than `timeout`.
  // Returns when none is left.
  void Shutdown(absl::Duration timeout);

  HealthState& health() { return health_; }
  // The port that is listened on; 0 for a Unix socket.
  int port() const { return port_; }
  void AddMetrics(SampledMetrics& metrics) const;

 private:
  GrpcFront(const Settings& settings, const Backends& backends);
  absl::Status Listen(const Settings& settings);

  AuthHandler auth_handler_;
  CheckHandler check_handler_;
  HealthService health_service_;
  HealthState health_{health_service_};
  QueueServer queue_server_;
  TokenServiceImpl token_service_;
  SelfServiceImpl self_service_;
  // Null without TLS.
  const TlsReloads* tls_reloads_ = nullptr;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_GRPC_FRONT_H_
