// Validate of the client that keeps answers, from memory: one hot token, one
// or more threads, a real server that gives the lease.
//
//   cached_client_bench ADDRESS [FLAGS OF GOOGLE BENCHMARK] < token
//
// Fails unless every call was answered from memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/token_client.h"

namespace wemasy::tokens {
namespace {

using Clock = std::chrono::steady_clock;

// A client that has a lease, and the answer for the token.
class HotToken {
 public:
  HotToken(const std::string& address, std::string token)
      : client_(OptionsFor(address)), token_(std::move(token)) {}

  // Waits until answers come from memory. Returns whether they do.
  bool AwaitHit() {
    const auto end = Clock::now() + std::chrono::seconds(10);
    while (!Hit()) {
      if (Clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    first_misses_ = client_.stats().misses;
    return true;
  }

  // Returns whether it was VALID, and from memory.
  bool Hit() {
    const absl::StatusOr<TokenValidation> validation = client_.Validate(token_);
    return validation.ok() && validation->is_valid() &&
           validation->is_from_memory;
  }

  // Returns whether a server was asked since AwaitHit.
  bool HasMissed() const { return client_.stats().misses != first_misses_; }

 private:
  static TokenClientOptions OptionsFor(const std::string& address) {
    TokenClientOptions options;
    options.targets = {address};
    return options;
  }

  TokenClient client_;
  const std::string token_;
  int64_t first_misses_ = 0;
};

// Each call timed: the clock is read once a call, which is in the figures.
void BM_Latency(benchmark::State& state, HotToken* token) {
  // Written now, so that no call meets a page that is not there yet.
  std::vector<int64_t> nanos(static_cast<size_t>(state.max_iterations), 0);
  size_t calls = 0;
  auto before = Clock::now();
  for (auto _ : state) {
    if (!token->Hit()) {
      state.SkipWithError("a call was not answered from memory");
      break;
    }
    const auto after = Clock::now();
    nanos[calls++] =
        std::chrono::duration_cast<std::chrono::nanoseconds>(after - before)
            .count();
    before = after;
  }
  if (calls == 0) return;
  std::sort(nanos.begin(), nanos.begin() + static_cast<int64_t>(calls));
  for (const auto& [name, part] : {std::pair("p50", 0.5), {"p99", 0.99}}) {
    const auto at = static_cast<size_t>(static_cast<double>(calls) * part);
    // With several threads, the mean of theirs.
    state.counters[name] = benchmark::Counter(static_cast<double>(nanos[at]),
                                              benchmark::Counter::kAvgThreads);
  }
}

// Nothing but calls.
void BM_Throughput(benchmark::State& state, HotToken* token) {
  for (auto _ : state) {
    if (!token->Hit()) {
      state.SkipWithError("a call was not answered from memory");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fputs("usage: cached_client_bench ADDRESS < token\n", stderr);
    return 2;
  }
  std::string line;
  std::getline(std::cin, line);
  HotToken token(argv[1], line);
  if (!token.AwaitHit()) {
    std::fputs("the client does not answer VALID from memory\n", stderr);
    return 1;
  }
  for (const int threads : {1, 2, 4, 8}) {
    benchmark::RegisterBenchmark("BM_Latency", BM_Latency, &token)
        ->Threads(threads)
        ->UseRealTime();
    benchmark::RegisterBenchmark("BM_Throughput", BM_Throughput, &token)
        ->Threads(threads)
        ->UseRealTime();
  }
  benchmark::RunSpecifiedBenchmarks();
  if (token.HasMissed()) {
    std::fputs("a call was not answered from memory\n", stderr);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) { return wemasy::tokens::Main(argc, argv); }
