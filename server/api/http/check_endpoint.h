// What a gateway that does not speak gRPC asks for each request: NGINX by
// auth_request, Traefik by ForwardAuth, Caddy by forward_auth.
//
//   GET /check?required_scopes=a,b&project=projects/p
//
// with the headers of the request, and of the route what route_demands.h says.
// The answer is 204 with the headers for the upstream, or the refusal that the
// client is to get; see gateway_check.h.
#ifndef WEMASY_SERVER_API_HTTP_CHECK_ENDPOINT_H_
#define WEMASY_SERVER_API_HTTP_CHECK_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "server/api/gateway/gateway_check.h"
#include "server/observability/http_recorder.h"

namespace wemasy::tokens {

struct CheckEndpointOptions {
  // `host:port`, of this machine. Plain HTTP/1.1.
  std::string address;
  int threads = 1;
  // Connections at once; any more are closed.
  int max_connections = 1024;
};

// An HTTP server with threads of its own. A request has at most 64 KiB of
// headers (otherwise 431), 5 s to arrive in, and no body (413). A connection
// may be idle for 60 s. Nobody's role is asked for: who reaches the address may
// ask.
class CheckEndpoint {
 public:
  // Listens on the address. All must outlive the endpoint. Returns Unavailable
  // if the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<CheckEndpoint>> Start(
      const CheckEndpointOptions& options, const GatewayCheck* check,
      HttpRecorder* recorder, const BootClock* clock);

  // Closes all connections, and returns when no request is in progress.
  virtual ~CheckEndpoint() = default;

  // From now on, each connection is closed after its next answer, so that
  // gateways go elsewhere without a failed request. Thread-safe.
  virtual void Retire() = 0;

  // The port that is listened on.
  virtual int port() const = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_HTTP_CHECK_ENDPOINT_H_
