// gRPC's health service (grpc.health.v1): whether each service is serving.
//
// gRPC has one of its own, whose threads would make every call of a QueueServer
// dearer.
#ifndef WEMASY_SERVER_API_GRPC_HEALTH_SERVICE_H_
#define WEMASY_SERVER_API_GRPC_HEALTH_SERVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/mutex.h"
#include "grpc_health/v1/health.grpc.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/async_unary_call.h"
#include "server/api/grpc/stream_calls.h"
#include "server/observability/health.h"

namespace wemasy::tokens {

// A Handler of QueueServer, for Check and for Watch's streams; List is
// UNIMPLEMENTED. Anybody may call it. Thread-safe.
//
// As gRPC's specification says: of a name that was never set, Check says
// NOT_FOUND, and Watch SERVICE_UNKNOWN; a name of more than 200 bytes is
// INVALID_ARGUMENT. A Watch tells the latest status, and
// not each that was set in between.
class HealthService final : public HealthSink {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  using Stream = StreamCall<grpc::ServerAsyncWriter<Response>>;

  HealthService();
  ~HealthService() override;

  void Post(grpc::ServerContext* context, Request* request,
            grpc::ServerAsyncResponseWriter<Response>* writer,
            grpc::ServerCompletionQueue* queue, void* tag) {
    service_.RequestCheck(context, request, writer, queue, queue, tag);
  }
  grpc::Status Handle(grpc::ServerContext& context, const Request& request,
                      Response* response);

  std::shared_ptr<Stream> MakeStream();
  void Post(Stream* stream, grpc::ServerCompletionQueue* queue, void* tag);

  grpc::Service* service() { return &service_; }

  void SetServing(const std::string& service, bool is_serving) override;

  // Ends all Watches, those to come too: a server that is shutting down waits
  // for its calls.
  void EndWatches();

  // How many Watches there are.
  int64_t watches() const;

 private:
  class Watch;
  using Status = Response::ServingStatus;

  Status StatusOf(const std::string& name) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has each Watch say what is new.
  void PumpWatches();

  // List is on gRPC's threads.
  grpc::health::v1::Health::WithAsyncMethod_Check<
      grpc::health::v1::Health::WithAsyncMethod_Watch<
          grpc::health::v1::Health::Service>>
      service_;
  mutable Mutex mutex_;
  std::map<std::string, bool> is_serving_ ABSL_GUARDED_BY(mutex_);
  // Those that go on.
  std::set<std::shared_ptr<Watch>> watches_ ABSL_GUARDED_BY(mutex_);
  bool watches_have_ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_HEALTH_SERVICE_H_
