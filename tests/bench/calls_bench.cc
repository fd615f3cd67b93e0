// The latency of TokenService's calls as one client sees it, a call at a time.
// Prints one JSON object: for each kind of call its latencies in microseconds.
//
//   calls_bench ADDRESS ROUNDS [ADDRESS...]
//
// List is asked for in the projects bench-small and bench-large, in turn. For
// each further address there is a client that keeps answers of that server, and
// has each token in its memory when that is revoked.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/token_client.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens {
namespace {

class CallsBench {
 public:
  CallsBench(const std::string& address, const std::vector<std::string>& kept)
      : stub_(v1::TokenService::NewStub(
            grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {
    for (const std::string& target : kept) {
      TokenClientOptions options;
      options.targets = {target};
      clients_.push_back(std::make_unique<TokenClient>(options));
    }
  }

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
      Keep(created.secret());
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
  // Has each client answer from memory.
  void Keep(const std::string& secret) {
    for (const auto& client : clients_) {
      while (true) {
        const auto validation = client->Validate(secret);
        if (validation.ok() && validation->is_valid() &&
            validation->is_from_memory) {
          break;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    }
  }

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
  std::vector<std::unique_ptr<TokenClient>> clients_;
  std::map<std::string, std::vector<int64_t>> micros_;
};

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: calls_bench ADDRESS ROUNDS [ADDRESS...]\n", stderr);
    return 2;
  }
  wemasy::tokens::CallsBench bench(argv[1], {argv + 3, argv + argc});
  bench.Run(std::atoi(argv[2]));
  bench.Print();
  return 0;
}
