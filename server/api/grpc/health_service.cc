#include "server/api/grpc/health_service.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/optional.h"

namespace wemasy::tokens {
namespace {

// As gRPC's own service has it. Anybody may ask, and a Watch keeps its name.
constexpr size_t kMaxNameSize = 200;

grpc::Status NameTooLong() {
  return {grpc::StatusCode::INVALID_ARGUMENT,
          "service: found more than 200 bytes, want fewer"};
}

}  // namespace

// One stream of the statuses of one name.
class HealthService::Watch final : public HealthService::Stream,
                                   public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(HealthService* health) : health_(*health) {}

  Request* request() { return &request_; }

  // Writes what has changed, or finishes. For any thread.
  void Pump() {
    MutexLock lock(&mutex_);
    if (is_writing_ || is_finished_) return;
    Status status;
    {
      MutexLock health_lock(&health_.mutex_);
      status = health_.StatusOf(request_.service());
      is_over_ |= health_.watches_have_ended_;
    }
    if (is_over_) {
      is_finished_ = true;
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                          "the server is shutting down"));
    } else if (told_ != status) {
      told_ = status;
      is_writing_ = true;
      Response response;
      response.set_status(status);
      StartWrite(response);
    }
  }

 private:
  void OnBegin() override {
    if (request_.service().size() > kMaxNameSize) {
      MutexLock lock(&mutex_);
      is_finished_ = true;
      Finish(NameTooLong());
      return;
    }
    {
      MutexLock lock(&health_.mutex_);
      health_.watches_.insert(shared_from_this());
    }
    Pump();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(&mutex_);
      is_writing_ = false;
      is_over_ |= !ok;
    }
    Pump();
  }

  void OnCancel() override {
    {
      MutexLock lock(&mutex_);
      is_over_ = true;
    }
    Pump();
  }

  void OnDone() override {
    MutexLock lock(&health_.mutex_);
    health_.watches_.erase(shared_from_this());
  }

  HealthService& health_;
  Request request_;

  // Before the service's.
  Mutex mutex_;
  absl::optional<Status> told_ ABSL_GUARDED_BY(mutex_);
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_over_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mutex_) = false;
};

HealthService::HealthService() = default;
HealthService::~HealthService() = default;

grpc::Status HealthService::Handle(grpc::ServerContext& /*context*/,
                                   const Request& request, Response* response) {
  if (request.service().size() > kMaxNameSize) return NameTooLong();
  MutexLock lock(&mutex_);
  const Status status = StatusOf(request.service());
  if (status == Response::SERVICE_UNKNOWN) {
    return {grpc::StatusCode::NOT_FOUND, "unknown service"};
  }
  response->set_status(status);
  return grpc::Status::OK;
}

std::shared_ptr<HealthService::Stream> HealthService::MakeStream() {
  return std::make_shared<Watch>(this);
}

void HealthService::Post(Stream* stream, grpc::ServerCompletionQueue* queue,
                         void* tag) {
  // All of them were made by MakeStream.
  service_.RequestWatch(stream->context(),
                        static_cast<Watch*>(stream)->request(),
                        stream->stream(), queue, queue, tag);
}

void HealthService::SetServing(const std::string& service, bool is_serving) {
  {
    MutexLock lock(&mutex_);
    is_serving_[service] = is_serving;
  }
  PumpWatches();
}

void HealthService::EndWatches() {
  {
    MutexLock lock(&mutex_);
    watches_have_ended_ = true;
  }
  PumpWatches();
}

int64_t HealthService::watches() const {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(watches_.size());
}

void HealthService::PumpWatches() {
  std::set<std::shared_ptr<Watch>> watches;
  {
    MutexLock lock(&mutex_);
    watches = watches_;
  }
  for (const auto& watch : watches) watch->Pump();
}

HealthService::Status HealthService::StatusOf(const std::string& name) const {
  const auto found = is_serving_.find(name);
  if (found == is_serving_.end()) return Response::SERVICE_UNKNOWN;
  return found->second ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace wemasy::tokens
