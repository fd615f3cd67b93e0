// Calls one unary rpc of a server over and over, and prints what it saw as a
// JSON object.
//
//   open_loop ADDRESS PATH BODIES open --rate N --seconds N [--seed N]
//   open_loop ADDRESS PATH BODIES closed --in-flight N --calls N
//   open_loop ADDRESS PATH BODIES idle --calls N [--seed N]
//
// BODIES is a file of requests as gRPC frames them; they are sent in turn.
//
// `open` sends at times drawn beforehand (Poisson arrivals), whether or not
// earlier calls were answered, and counts latency from those times: a server
// that stalls cannot slow down who measures it. How late the calls were really
// sent is in the latencies, and printed, too. `closed` keeps so many calls in
// flight, for the highest throughput. `idle` makes one call at a time, each
// after 0.9 to 2.3 s in which nothing was sent.
//
// Any call that does not end with OK makes it fail.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace wemasy::tokens {
namespace {

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

// A call's latency and lateness are written before it counts as answered, each
// by one thread.
struct Timing {
  double latency_us = 0;
  double lateness_us = 0;
};

struct Plan {
  std::string address;
  std::string path;
  std::string bodies;
  double rate = 0;
  double seconds = 0;
  uint64_t seed = 1;
  int64_t in_flight = 0;
  int64_t calls = 0;
};

// Exits with 1.
[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "open_loop: %s\n", message.c_str());
  // No destructors: calls may be in flight.
  std::_Exit(1);
}

std::vector<grpc::ByteBuffer> ReadBodies(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  constexpr size_t kPrefix = 5;
  std::vector<grpc::ByteBuffer> bodies;
  for (size_t at = 0; at < text.size();) {
    if (text.size() - at < kPrefix) Die("a frame of " + file + " is cut off");
    size_t size = 0;
    for (size_t i = 1; i < kPrefix; ++i) {
      size = size << 8 | static_cast<uint8_t>(text[at + i]);
    }
    at += kPrefix;
    if (text.size() - at < size) Die("a frame of " + file + " is cut off");
    const grpc::Slice slice(text.data() + at, size);
    bodies.emplace_back(&slice, 1);
    at += size;
  }
  if (bodies.empty()) Die("no requests in " + file);
  return bodies;
}

// Connections to a server, each polled by a thread's completion queue.
class Client {
 public:
  explicit Client(const Plan& plan)
      : path_(plan.path), bodies_(ReadBodies(plan.bodies)) {
    for (int64_t i = 0; i < kChannels; ++i) {
      grpc::ChannelArguments arguments;
      // A connection for each; equal channels share one otherwise.
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      const auto channel = grpc::CreateCustomChannel(
          plan.address, grpc::InsecureChannelCredentials(), arguments);
      if (!channel->WaitForConnected(std::chrono::system_clock::now() +
                                     std::chrono::seconds(10))) {
        Die("no connection to " + plan.address);
      }
      stubs_.push_back(std::make_unique<grpc::GenericStub>(channel));
    }
  }

  static constexpr int64_t kQueues = 2;
  // As many as h2load is told to use.
  static constexpr int64_t kChannels = 16;

  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    int64_t number = 0;
    Clock::time_point due;
  };

  // Sends call `number`, which was due then; its tag comes out of its queue.
  void Send(int64_t number, Clock::time_point due, int64_t queue) {
    auto call = std::make_unique<Call>();
    call->number = number;
    call->due = due;
    call->context.set_deadline(std::chrono::system_clock::now() +
                               std::chrono::seconds(10));
    // A channel always meets the same queue.
    const int64_t channel = number / kQueues * kQueues % kChannels + queue;
    call->reader = stubs_[static_cast<size_t>(channel)]->PrepareUnaryCall(
        &call->context, path_,
        bodies_[static_cast<size_t>(number) % bodies_.size()], &queues_[queue]);
    call->reader->StartCall();
    Call* const raw = call.release();
    raw->reader->Finish(&raw->response, &raw->status, raw);
  }

  // Waits for an answer on a queue; null after Shutdown.
  std::unique_ptr<Call> Next(int64_t queue) {
    void* tag = nullptr;
    bool ok = false;
    if (!queues_[queue].Next(&tag, &ok)) return nullptr;
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!call->status.ok()) {
      Die(path_ + ": " + std::to_string(call->status.error_code()) + " " +
          call->status.error_message());
    }
    return call;
  }

  void Shutdown() {
    for (grpc::CompletionQueue& queue : queues_) queue.Shutdown();
  }

 private:
  const std::string path_;
  std::vector<grpc::ByteBuffer> bodies_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queues_[kQueues];
};

double Part(const std::vector<double>& sorted, double part) {
  const auto at =
      static_cast<size_t>(static_cast<double>(sorted.size()) * part);
  return sorted[std::min(at, sorted.size() - 1)];
}

void Print(const std::vector<Timing>& timings, Clock::duration duration) {
  std::vector<double> latencies;
  std::vector<double> lateness;
  for (const Timing& timing : timings) {
    latencies.push_back(timing.latency_us);
    lateness.push_back(timing.lateness_us);
  }
  std::sort(latencies.begin(), latencies.end());
  std::sort(lateness.begin(), lateness.end());
  const double seconds = std::chrono::duration<double>(duration).count();
  const nlohmann::json seen = {
      {"answered", timings.size()},
      {"throughput", static_cast<double>(timings.size()) / seconds},
      {"p50_us", Part(latencies, 0.5)},
      {"p90_us", Part(latencies, 0.9)},
      {"p99_us", Part(latencies, 0.99)},
      {"p999_us", Part(latencies, 0.999)},
      {"max_us", latencies.back()},
      {"late_p50_us", Part(lateness, 0.5)},
      {"late_p99_us", Part(lateness, 0.99)},
  };
  std::puts(seen.dump().c_str());
}

// The times since the beginning at which calls are due.
std::vector<Clock::duration> DrawArrivals(const Plan& plan) {
  std::mt19937_64 random(plan.seed);
  std::exponential_distribution<double> gap(plan.rate);
  std::vector<Clock::duration> arrivals;
  for (double at = gap(random); at < plan.seconds; at += gap(random)) {
    arrivals.push_back(std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(at)));
  }
  if (arrivals.empty()) Die("no call is due in that time");
  return arrivals;
}

void RunOpen(const Plan& plan) {
  Client client(plan);
  const std::vector<Clock::duration> arrivals = DrawArrivals(plan);
  std::vector<Timing> timings(arrivals.size());
  std::atomic<int64_t> last{0};
  const auto begin = Clock::now() + std::chrono::milliseconds(10);

  std::vector<std::thread> threads;
  for (int64_t queue = 0; queue < Client::kQueues; ++queue) {
    threads.emplace_back([&, queue] {
      while (const auto call = client.Next(queue)) {
        const auto now = Clock::now();
        timings[static_cast<size_t>(call->number)].latency_us =
            Micros(now - call->due).count();
        // The other thread may be ahead, by little: all that is late is seen.
        last.store((now - begin).count(), std::memory_order_relaxed);
      }
    });
  }
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const auto due = begin + arrivals[i];
    std::this_thread::sleep_until(due);
    timings[i].lateness_us = Micros(Clock::now() - due).count();
    const auto number = static_cast<int64_t>(i);
    client.Send(number, due, number % Client::kQueues);
  }
  client.Shutdown();
  for (std::thread& thread : threads) thread.join();
  Print(timings, Clock::duration(last.load()));
}

void RunClosed(const Plan& plan) {
  Client client(plan);
  std::vector<Timing> timings(static_cast<size_t>(plan.calls));
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int64_t queue = 0; queue < Client::kQueues; ++queue) {
    threads.emplace_back([&, queue] {
      int64_t next = queue;
      int64_t in_flight = 0;
      while (true) {
        for (;
             in_flight * Client::kQueues < plan.in_flight && next < plan.calls;
             next += Client::kQueues) {
          client.Send(next, Clock::now(), queue);
          ++in_flight;
        }
        if (in_flight == 0) return;
        const auto call = client.Next(queue);
        --in_flight;
        timings[static_cast<size_t>(call->number)].latency_us =
            Micros(Clock::now() - call->due).count();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Print(timings, Clock::now() - begin);
}

void RunIdle(const Plan& plan) {
  Client client(plan);
  std::mt19937_64 random(plan.seed);
  std::uniform_real_distribution<double> pause(0.9, 2.3);
  std::vector<Timing> timings(static_cast<size_t>(plan.calls));
  const auto begin = Clock::now();
  // On the channels of one queue in turn. Waits on the thread that sends: no
  // other has to wake up here.
  const auto call_once = [&](int64_t turn) {
    client.Send(turn * Client::kQueues, Clock::now(), 0);
    const auto call = client.Next(0);
    return Micros(Clock::now() - call->due).count();
  };
  // The very first call on a connection has more to do.
  for (int64_t i = 0; i < Client::kChannels / Client::kQueues; ++i) {
    call_once(i);
  }
  for (int64_t i = 0; i < plan.calls; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(pause(random)));
    timings[static_cast<size_t>(i)].latency_us = call_once(i);
  }
  Print(timings, Clock::now() - begin);
}

int Main(int argc, char** argv) {
  // As tokend does: Debian builds Abseil with the costly checks on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // The kernel adds up to 50 us to each sleep otherwise.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);

  Plan plan;
  CLI::App app("Calls a unary rpc over and over");
  app.add_option("address", plan.address)->required();
  app.add_option("path", plan.path)->required();
  app.add_option("bodies", plan.bodies)->required()->check(CLI::ExistingFile);
  app.require_subcommand(1);
  CLI::App* const open = app.add_subcommand("open");
  open->add_option("--rate", plan.rate)->required()->check(CLI::PositiveNumber);
  open->add_option("--seconds", plan.seconds)
      ->required()
      ->check(CLI::PositiveNumber);
  open->add_option("--seed", plan.seed);
  open->final_callback([&] { RunOpen(plan); });
  CLI::App* const closed = app.add_subcommand("closed");
  closed->add_option("--in-flight", plan.in_flight)
      ->required()
      ->check(CLI::PositiveNumber);
  closed->add_option("--calls", plan.calls)
      ->required()
      ->check(CLI::PositiveNumber);
  closed->final_callback([&] { RunClosed(plan); });
  CLI::App* const idle = app.add_subcommand("idle");
  idle->add_option("--calls", plan.calls)
      ->required()
      ->check(CLI::PositiveNumber);
  idle->add_option("--seed", plan.seed);
  idle->final_callback([&] { RunIdle(plan); });
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) { return wemasy::tokens::Main(argc, argv); }
