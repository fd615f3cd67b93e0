// AuthService.Watch over gRPC: one stream of a caching client.
#ifndef WEMASY_SERVER_API_GRPC_WATCH_CALL_H_
#define WEMASY_SERVER_API_GRPC_WATCH_CALL_H_

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/api/grpc/served_call.h"
#include "server/api/watch_streams.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {

using WatchReactor =
    grpc::ServerBidiReactor<v1::WatchRequest, v1::WatchResponse>;

// Serves one stream, on gRPC's threads; it deletes itself at the end. All but
// `context` must outlive the server. `observer` is the rpc's.
WatchReactor* ServeWatch(WatchStreams* streams,
                         const ApiEnvironment& environment,
                         MethodObserver* observer,
                         grpc::CallbackServerContext* context);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_WATCH_CALL_H_
