// Calls that may block, each on a thread of gRPC's: those of the life cycle.
#ifndef WEMASY_SERVER_API_GRPC_BLOCKING_CALLS_H_
#define WEMASY_SERVER_API_GRPC_BLOCKING_CALLS_H_

#include <array>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "server/api/grpc/call_metadata.h"
#include "server/api/grpc/in_flight_limit.h"
#include "server/api/grpc/served_call.h"
#include "server/api/permissions.h"
#include "server/lifecycle/requests.h"

namespace wemasy::tokens {

struct BlockingCallOptions {
  // How many calls may be in progress at once. Readers have places of their
  // own, so that they cannot keep a revocation out. Mutations may all have to
  // wait for one replica's lease to run out.
  int max_mutations = 256;
  int max_reads = 64;
  // A mutation may have to wait for a lease to run out.
  CallTimeout mutation_timeout = {absl::Seconds(60), absl::Minutes(10)};
  CallTimeout read_timeout = {absl::Seconds(10), absl::Minutes(1)};
};

// Serves the calls of one service: admits, bounds and reports them.
// Thread-safe.
class BlockingCalls {
 public:
  using Body = absl::FunctionRef<absl::Status(ServedCall&, const CallContext&)>;

  // `service` is its full name. What is in `environment` must outlive this
  // object.
  BlockingCalls(absl::string_view service, const ApiEnvironment& environment,
                const BlockingCallOptions& options);

  // Serves one call: admits it, has `body` answer it, reports it. `resource`
  // is what the request is about: its parent or name, or nothing.
  grpc::Status Serve(Rpc rpc, grpc::ServerContext* context,
                     absl::string_view resource, Body body);

  // How many calls are in progress.
  int mutations_in_flight() const { return mutations_.in_flight(); }
  int reads_in_flight() const { return reads_.in_flight(); }

 private:
  absl::Status Run(ServedCall& call, const RpcInfo& info,
                   grpc::ServerContext& context, Body body);

  const ApiEnvironment environment_;
  const CallTimeout mutation_timeout_;
  const CallTimeout read_timeout_;
  InFlightLimit mutations_;
  InFlightLimit reads_;
  // By rpc; null for those of other services.
  std::array<MethodObserver*, kRpcCount> observers_{};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_BLOCKING_CALLS_H_
