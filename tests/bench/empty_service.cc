// Adds an rpc that does nothing to whatever server this process builds, served
// as Validate is, so that both can be measured in one process.
#include <memory>

#include "absl/types/optional.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/server_builder.h"
#include "server/api/grpc/unary_server.h"
#include "tests/bench/empty_handler.h"

namespace wemasy::tokens {
namespace {

// A queue for each of Validate's, so that neither has more threads.
constexpr int kQueues = 2;

class EmptyServicePlugin final : public grpc::ServerBuilderPlugin {
 public:
  std::string name() override { return "empty-service"; }
  void UpdateServerBuilder(grpc::ServerBuilder* builder) override {
    // Lives until the process ends, as its server does.
    handler_ = new EmptyHandler;
    UnaryServerOptions options;
    options.queues = kQueues;
    server_ = new UnaryServer<EmptyHandler>(handler_, options);
    server_->Register(builder);
  }
  void InitServer(grpc::ServerInitializer* /*initializer*/) override {}
  void Finish(grpc::ServerInitializer* /*initializer*/) override {
    server_->Start();
  }
  void ChangeArguments(const std::string& /*name*/, void* /*value*/) override {}

 private:
  EmptyHandler* handler_ = nullptr;
  UnaryServer<EmptyHandler>* server_ = nullptr;
};

std::unique_ptr<grpc::ServerBuilderPlugin> MakePlugin() {
  return std::make_unique<EmptyServicePlugin>();
}

const bool kAdded = [] {
  grpc::ServerBuilder::InternalAddPluginFactory(&MakePlugin);
  return true;
}();

}  // namespace
}  // namespace wemasy::tokens
