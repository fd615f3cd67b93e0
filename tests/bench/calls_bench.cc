// The latency of TokenService's calls as one client sees it, a call at a time.
// Prints one JSON object: for each kind of call its latencies in microseconds.
//
//   calls_bench ADDRESS ROUNDS
//
// List is asked for in the projects bench-small and bench-large, in turn.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens {
namespace {

class CallsBench {
 public:
  explicit CallsBench(const std::string& address)
      : stub_(v1::TokenService::NewStub(grpc::CreateChannel(
            address, grpc::InsecureChannelCredentials()))) {}

  void Run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      v1::CreateTokenResponse created;
      Time("create", [&](grpc::ClientContext* context) {
        v1::CreateTokenRequest request;
        request.set_parent("projects/bench-calls");
        request.set_actor("bench");
        request.mutable_token()->set_display_name("bench");
        return stub_->CreateToken(context, request, &created);
      });
      Time("revoke", [&](grpc::ClientContext* context) {
        v1::RevokeTokenRequest request;
        request.set_name(created.token().name());
        request.set_actor("bench");
        v1::RevokeTokenResponse response;
        return stub_->RevokeToken(context, request, &response);
      });
      List("list_10", "projects/bench-small");
      List("list_100k", "projects/bench-large");
    }
  }

  void Print() const {
    std::string out = "{";
    for (const auto& [name, micros] : micros_) {
      absl::StrAppend(&out, out.size() > 1 ? ", " : "", "\"", name, "\": [",
                      absl::StrJoin(micros, ", "), "]");
    }
    std::puts(absl::StrCat(out, "}").c_str());
  }

 private:
  void List(const std::string& name, const std::string& parent) {
    Time(name, [&](grpc::ClientContext* context) {
      v1::ListTokensRequest request;
      request.set_parent(parent);
      request.set_page_size(10);
      v1::ListTokensResponse response;
      return stub_->ListTokens(context, request, &response);
    });
  }

  void Time(const std::string& name,
            const std::function<grpc::Status(grpc::ClientContext*)>& call) {
    grpc::ClientContext context;
    const auto begin = std::chrono::steady_clock::now();
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(10));
    const grpc::Status status = call(&context);
    const auto end = std::chrono::steady_clock::now();
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %d %s\n", name.c_str(), status.error_code(),
                   status.error_message().c_str());
      std::exit(1);
    }
    micros_[name].push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(end - begin)
            .count());
  }

  std::unique_ptr<v1::TokenService::Stub> stub_;
  std::map<std::string, std::vector<int64_t>> micros_;
};

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: calls_bench ADDRESS ROUNDS\n", stderr);
    return 2;
  }
  wemasy::tokens::CallsBench bench(argv[1]);
  bench.Run(std::atoi(argv[2]));
  bench.Print();
  return 0;
}
