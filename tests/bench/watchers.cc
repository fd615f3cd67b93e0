// Many clients that keep answers, each with a connection and threads of its
// own, in one process.
//
//   watchers COUNT ADDRESS...
//
// Prints "ready" once all have a lease, and ends with its input.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/token_client.h"

namespace wemasy::tokens {
namespace {

int Main(int count, const std::vector<std::string>& addresses) {
  std::vector<std::unique_ptr<TokenClient>> clients;
  for (int i = 0; i < count; ++i) {
    TokenClientOptions options;
    // Spread evenly: each knows one.
    options.targets = {addresses[static_cast<size_t>(i) % addresses.size()]};
    clients.push_back(std::make_unique<TokenClient>(options));
  }
  for (const auto& client : clients) {
    while (!client->has_lease()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: watchers COUNT ADDRESS...\n");
    return 2;
  }
  return wemasy::tokens::Main(std::atoi(argv[1]), {argv + 2, argv + argc});
}
