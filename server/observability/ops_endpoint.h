// What operators' tools read over HTTP.
//
//   GET /metrics  for Prometheus
//   GET /readyz   200 if the server as a whole is serving, otherwise 503
//
// There is no /livez: whether the process is alive shows only in a new
// connection to the gRPC port, as `tokend health` makes one.
#ifndef WEMASY_SERVER_OBSERVABILITY_OPS_ENDPOINT_H_
#define WEMASY_SERVER_OBSERVABILITY_OPS_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/observability/metrics.h"

namespace wemasy::tokens {

// An HTTP server with two threads of its own. It tells nobody's secret, and
// takes nothing but GET.
class OpsEndpoint {
 public:
  // Listens on `address`, `host:port`. `is_ready` is called on any thread, and
  // must live as long as the endpoint. Returns Unavailable if the address
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<OpsEndpoint>> Start(
      const std::string& address, const Metrics& metrics,
      std::function<bool()> is_ready);

  // Returns when no request is in progress any more.
  virtual ~OpsEndpoint() = default;

  // The port that is listened on.
  virtual int port() const = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_OPS_ENDPOINT_H_
