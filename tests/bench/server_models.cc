// The empty rpc by each of the ways to serve it that gRPC offers, to tell what
// the one that tokend takes is worth.
//
//   server_models --port=PORT --model=callback|sync|queues
//                 [--queues=N] [--threads-per-queue=M] [--posted=K]
//                 [--idle-queues=L] [--health-service]
//                 [--deadlock-detection] [--plain-options]
//
// `callback` and `sync` are gRPC's APIs of these names, with their own threads.
// `queues` are N completion queues with M threads each, every one of which
// stands ready for K calls: with one thread each it is tokend's QueueServer.
// Idle ones have a thread each, too, and no call is for them. By default all is
// as tokend has it, on two processors.
//
// Prints "ready" once it serves on 127.0.0.1, and ends with its input. It links
// no malloc of its own: another one is for LD_PRELOAD.
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "server/api/grpc/queue_server.h"
#include "server/api/grpc/server_options.h"
#include "tests/bench/bench.grpc.pb.h"
#include "tests/bench/empty_handler.h"

namespace wemasy::tokens {
namespace {

struct Options {
  int port = 0;
  std::string model;
  int queues = 2;
  int threads_per_queue = 1;
  int posted = QueueServerOptions().ready_calls;
  int idle_queues = 0;
  // gRPC's own, and with it the threads of the callback API.
  bool health_service = false;
  bool deadlock_detection = false;
  bool plain_options = false;
};

// Order of life: construct, Register(), BuildAndStart(), Start(); then
// grpc::Server::Shutdown(), Join(), destroy the server, destroy this.
class Model {
 public:
  virtual ~Model() = default;
  virtual void Register(grpc::ServerBuilder* builder) = 0;
  virtual void Start() {}
  virtual void Join() {}
};

class CallbackEcho final : public bench::EmptyService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context,
                                 const bench::CallRequest* /*request*/,
                                 bench::CallResponse* /*response*/) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class SyncEcho final : public bench::EmptyService::Service {
 public:
  grpc::Status Call(grpc::ServerContext* /*context*/,
                    const bench::CallRequest* /*request*/,
                    bench::CallResponse* /*response*/) override {
    return grpc::Status::OK;
  }
};

// On gRPC's own threads.
template <typename Service>
class LibraryModel final : public Model {
 public:
  void Register(grpc::ServerBuilder* builder) override {
    builder->RegisterService(&service_);
  }

 private:
  Service service_;
};

// Queues with a thread each.
class OwnQueuesModel final : public Model {
 public:
  explicit OwnQueuesModel(const Options& options)
      : server_(ToQueueServerOptions(options)) {
    server_.Add(&handler_);
  }

  void Register(grpc::ServerBuilder* builder) override {
    server_.Register(builder);
  }
  void Start() override { server_.Start(); }
  void Join() override { server_.Join(); }

 private:
  static QueueServerOptions ToQueueServerOptions(const Options& options) {
    QueueServerOptions unary;
    unary.queues = options.queues;
    unary.ready_calls = options.posted;
    return unary;
  }

  EmptyHandler handler_;
  QueueServer server_;
};

// Queues with several threads each. Any of them may get a call, so each call
// has messages of its own.
class SharedQueuesModel final : public Model {
 public:
  explicit SharedQueuesModel(const Options& options) : options_(options) {}

  void Register(grpc::ServerBuilder* builder) override {
    builder->RegisterService(handler_.service());
    for (int i = 0; i < options_.queues; ++i) {
      queues_.push_back(std::make_unique<Queue>(&handler_, options_.posted,
                                                builder->AddCompletionQueue()));
    }
  }

  void Start() override {
    for (const auto& queue : queues_) queue->Start(options_.threads_per_queue);
  }
  void Join() override {
    for (const auto& queue : queues_) queue->Join();
  }

 private:
  struct Call {
    absl::optional<grpc::ServerContext> context;
    absl::optional<grpc::ServerAsyncResponseWriter<EmptyHandler::Response>>
        writer;
    EmptyHandler::Request request;
    EmptyHandler::Response response;
    bool is_answered = false;
  };

  class Queue {
   public:
    Queue(EmptyHandler* handler, int calls,
          std::unique_ptr<grpc::ServerCompletionQueue> queue)
        : handler_(*handler),
          calls_(static_cast<size_t>(calls)),
          live_calls_(calls),
          queue_(std::move(queue)) {}

    void Start(int threads) {
      for (Call& call : calls_) Post(&call);
      for (int i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { Run(); });
      }
    }
    void Join() {
      live_calls_.Wait();
      queue_->Shutdown();
      for (std::thread& thread : threads_) thread.join();
    }

   private:
    void Run() {
      void* tag = nullptr;
      bool ok = false;
      while (queue_->Next(&tag, &ok)) {
        Call* const call = static_cast<Call*>(tag);
        if (call->is_answered) {
          Post(call);
        } else if (ok) {
          Answer(call);
        } else {  // The server is shutting down.
          live_calls_.DecrementCount();
        }
      }
    }

    // Another thread may have the call before this returns.
    void Post(Call* call) {
      call->is_answered = false;
      call->writer.reset();
      call->context.emplace();
      call->writer.emplace(&*call->context);
      handler_.Post(&*call->context, &call->request, &*call->writer,
                    queue_.get(), call);
    }

    void Answer(Call* call) {
      call->response.Clear();
      const grpc::Status status =
          handler_.Handle(*call->context, call->request, &call->response);
      call->is_answered = true;
      call->writer->Finish(call->response, status, call);
    }

    EmptyHandler& handler_;
    std::vector<Call> calls_;
    absl::BlockingCounter live_calls_;
    const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
    std::vector<std::thread> threads_;
  };

  const Options options_;
  EmptyHandler handler_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

// Queues that wait for other rpcs' calls, which do not come.
class IdleQueues {
 public:
  IdleQueues(int count, grpc::ServerBuilder* builder) {
    for (int i = 0; i < count; ++i) {
      queues_.push_back(builder->AddCompletionQueue());
    }
  }
  void Start() {
    for (const auto& queue : queues_) {
      threads_.emplace_back([&queue] {
        void* tag = nullptr;
        bool ok = false;
        while (queue->Next(&tag, &ok)) {
        }
      });
    }
  }
  // The server must have been shut down.
  void Join() {
    for (const auto& queue : queues_) queue->Shutdown();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::vector<std::thread> threads_;
};

std::unique_ptr<Model> MakeModel(const Options& options) {
  if (options.model == "callback") {
    return std::make_unique<LibraryModel<CallbackEcho>>();
  }
  if (options.model == "sync") {
    return std::make_unique<LibraryModel<SyncEcho>>();
  }
  if (options.threads_per_queue == 1) {
    return std::make_unique<OwnQueuesModel>(options);
  }
  return std::make_unique<SharedQueuesModel>(options);
}

int Serve(const Options& options) {
  // Debian builds Abseil with the check; tokend goes without it.
  if (!options.deadlock_detection) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  }
  const std::unique_ptr<Model> model = MakeModel(options);
  grpc::EnableDefaultHealthCheckService(options.health_service);
  grpc::ServerBuilder builder;
  if (!options.plain_options) ApplyServerOptions(ServerOptions(), &builder);
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", options.port),
                           grpc::InsecureServerCredentials());
  model->Register(&builder);
  IdleQueues idle_queues(options.idle_queues, &builder);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  model->Start();
  idle_queues.Start();
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown();
  model->Join();
  idle_queues.Join();
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("serves an empty rpc by one of gRPC's ways");
  Options options;
  app.add_option("--port", options.port)->required();
  app.add_option("--model", options.model)
      ->required()
      ->check(CLI::IsMember({"callback", "sync", "queues"}));
  app.add_option("--queues", options.queues)->check(CLI::PositiveNumber);
  app.add_option("--threads-per-queue", options.threads_per_queue)
      ->check(CLI::PositiveNumber);
  app.add_option("--posted", options.posted)->check(CLI::PositiveNumber);
  app.add_option("--idle-queues", options.idle_queues)
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--health-service", options.health_service);
  app.add_flag("--deadlock-detection", options.deadlock_detection);
  app.add_flag("--plain-options", options.plain_options);
  CLI11_PARSE(app, argc, argv);
  return Serve(options);
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) { return wemasy::tokens::Main(argc, argv); }
