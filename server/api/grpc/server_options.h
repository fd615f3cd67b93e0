// How the gRPC server guards itself: bounds and timeouts.
#ifndef WEMASY_SERVER_API_GRPC_SERVER_OPTIONS_H_
#define WEMASY_SERVER_API_GRPC_SERVER_OPTIONS_H_

#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "server/api/grpc/tls_credentials.h"  // IWYU pragma: export

namespace wemasy::tokens {

struct ServerOptions {
  // Calls that one connection may have open.
  int max_concurrent_streams = 100;
  // 1000 leaked tokens with source and URL fit.
  int max_receive_message_bytes = 1 << 20;
  // A larger header block closes its connection, so gateways must forward no
  // foreign headers.
  int max_metadata_bytes = 16 << 10;
  // A connection that says nothing holds a file descriptor for this long.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // Clients may ping an idle connection this often. Ask them for 30 s.
  absl::Duration min_ping_interval = absl::Seconds(10);
  // How the server finds out that a peer is gone.
  absl::Duration keepalive_time = absl::Seconds(60);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  // Connections end, so that clients spread over new replicas.
  absl::Duration max_connection_age = absl::Minutes(30);
  // Longer than a stream of Watch lives, so that no such stream is broken.
  absl::Duration max_connection_age_grace = absl::Minutes(10);
};

// Applies `options` to `builder`, and what is not optional: no sharing of the
// port with another process, no compression (a message of a few bytes could
// unpack to gigabytes), no channelz (it names peers).
void ApplyServerOptions(const ServerOptions& options,
                        grpc::ServerBuilder* builder);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_SERVER_OPTIONS_H_
