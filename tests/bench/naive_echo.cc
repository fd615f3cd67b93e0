// The empty rpc by gRPC's callback API, as a developer would first write it:
// no setting of gRPC's, Abseil's or malloc's is touched. What our own server
// costs for an empty rpc must be less.
//
//   naive_echo PORT
//
// Prints "ready" once it serves on 127.0.0.1, and ends with its input.
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tests/bench/bench.grpc.pb.h"

namespace wemasy::tokens {
namespace {

class Echo final : public bench::EmptyService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context,
                                 const bench::CallRequest* /*request*/,
                                 bench::CallResponse* /*response*/) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int Main(const std::string& port) {
  Echo echo;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + port,
                           grpc::InsecureServerCredentials());
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown();
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: naive_echo PORT\n", stderr);
    return 2;
  }
  return wemasy::tokens::Main(argv[1]);
}
