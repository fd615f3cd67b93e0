// What gRPC knows of the peer of a connection.
#ifndef WEMASY_SERVER_API_GRPC_PEER_NAMES_H_
#define WEMASY_SERVER_API_GRPC_PEER_NAMES_H_

#include "grpcpp/security/auth_context.h"
#include "server/api/authenticator.h"

namespace wemasy::tokens {

// The names in the peer's certificate. Valid as long as `context`.
PeerNames ReadPeerNames(const grpc::AuthContext& context);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_PEER_NAMES_H_
