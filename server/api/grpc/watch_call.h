// AuthService.Watch over gRPC: one stream of a caching client.
#ifndef WEMASY_SERVER_API_GRPC_WATCH_CALL_H_
#define WEMASY_SERVER_API_GRPC_WATCH_CALL_H_

#include <memory>

#include "grpcpp/support/async_stream.h"
#include "server/api/grpc/served_call.h"
#include "server/api/grpc/stream_calls.h"
#include "server/api/watch_streams.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"

namespace wemasy::tokens {

using WatchCall = StreamCall<
    grpc::ServerAsyncReaderWriter<v1::WatchResponse, v1::WatchRequest>>;

// One stream, for a caller to come. All must outlive the server. `observer` is
// the rpc's.
std::shared_ptr<WatchCall> MakeWatchCall(WatchStreams* streams,
                                         const ApiEnvironment& environment,
                                         MethodObserver* observer);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_WATCH_CALL_H_
