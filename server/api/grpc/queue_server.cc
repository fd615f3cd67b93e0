#include "server/api/grpc/queue_server.h"

#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace wemasy::tokens {

class QueueServer::Queue {
 public:
  explicit Queue(std::unique_ptr<grpc::ServerCompletionQueue> queue)
      : queue_(std::move(queue)) {}

  // gRPC complains if a server sees its queues shut down.
  ~Queue() {
    queue_->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
  }

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }
  void Add(std::unique_ptr<QueuedCalls> calls) {
    calls_.push_back(std::move(calls));
  }

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    pthread_setname_np(pthread_self(), "queue");
    for (const auto& calls : calls_) calls->Begin();
    void* tag = nullptr;
    bool ok = false;
    // After the server's shutdown no posted call comes to life, and the last
    // one ends the loop.
    while (HasCalls() && queue_->Next(&tag, &ok)) {
      static_cast<QueueTag*>(tag)->OnDone(ok);
    }
  }

  bool HasCalls() const {
    return std::any_of(calls_.begin(), calls_.end(),
                       [](const auto& calls) { return !calls->empty(); });
  }

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  // Used by the thread only, once that runs.
  std::vector<std::unique_ptr<QueuedCalls>> calls_;
  std::thread thread_;
};

QueueServer::QueueServer(const QueueServerOptions& options)
    : options_(options) {}

QueueServer::~QueueServer() { Join(); }

void QueueServer::AddService(grpc::Service* service) {
  if (std::find(services_.begin(), services_.end(), service) ==
      services_.end()) {
    services_.push_back(service);
  }
}

void QueueServer::Register(grpc::ServerBuilder* builder) {
  for (grpc::Service* const service : services_) {
    builder->RegisterService(service);
  }
  for (int i = 0; i < options_.queues; ++i) {
    queues_.push_back(std::make_unique<Queue>(builder->AddCompletionQueue()));
    Queue& queue = *queues_.back();
    for (const MakeCalls& make_calls : rpcs_) {
      queue.Add(make_calls(queue.queue()));
    }
  }
}

void QueueServer::Start() {
  for (const auto& queue : queues_) queue->Start();
}

void QueueServer::Join() {
  for (const auto& queue : queues_) queue->Join();
}

}  // namespace wemasy::tokens
