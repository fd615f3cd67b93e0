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
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/h2_connection.h"

namespace wemasy::tokens {
namespace {

using Clock = std::chrono::steady_clock;
// Longer than any call lasts, which has a deadline.
constexpr Clock::duration kForever = std::chrono::minutes(1);
using Micros = std::chrono::duration<double, std::micro>;

// What is known of a call.
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

// The frames of a file, each with its prefix.
std::vector<std::string> ReadBodies(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  constexpr size_t kPrefix = 5;
  std::vector<std::string> bodies;
  for (size_t at = 0; at < text.size();) {
    if (text.size() - at < kPrefix) Die("a frame of " + file + " is cut off");
    size_t size = 0;
    for (size_t i = 1; i < kPrefix; ++i) {
      size = size << 8 | static_cast<uint8_t>(text[at + i]);
    }
    size += kPrefix;
    if (text.size() - at < size) Die("a frame of " + file + " is cut off");
    bodies.push_back(text.substr(at, size));
    at += size;
  }
  if (bodies.empty()) Die("no requests in " + file);
  return bodies;
}

// Connections to a server, and calls on them in turn. Of one thread.
class Client {
 public:
  using OnAnswer = H2Connection::OnAnswer;

  // Connected when it returns.
  Client(const Plan& plan, const OnAnswer& on_answer)
      : bodies_(ReadBodies(plan.bodies)), epoll_(epoll_create1(0)) {
    for (int i = 0; i < kConnections; ++i) {
      connections_.push_back(
          std::make_unique<H2Connection>(plan.address, plan.path, on_answer));
      epoll_event event = {};
      event.events = EPOLLIN;
      event.data.ptr = connections_.back().get();
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->socket(),
                    &event) != 0) {
        Die(std::string("epoll: ") + std::strerror(errno));
      }
    }
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(epoll_); }

  // As many as h2load is told to use.
  static constexpr int kConnections = 16;

  void Send(int64_t number) {
    const auto index = static_cast<size_t>(number);
    connections_[index % kConnections]->Call(number,
                                             bodies_[index % bodies_.size()]);
  }

  // Takes the answers that have come; waits for some, at most so long.
  void Receive(Clock::duration wait) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const timespec limit = {whole.count(), (wait - whole).count()};
    std::array<epoll_event, kConnections> events;
    const int count =
        epoll_pwait2(epoll_, events.data(), kConnections, &limit, nullptr);
    if (count < 0 && errno != EINTR) {
      Die(std::string("epoll: ") + std::strerror(errno));
    }
    for (int i = 0; i < count; ++i) {
      static_cast<H2Connection*>(events[static_cast<size_t>(i)].data.ptr)
          ->Receive();
    }
  }

 private:
  const std::vector<std::string> bodies_;
  const int epoll_;
  std::vector<std::unique_ptr<H2Connection>> connections_;
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
  const std::vector<Clock::duration> arrivals = DrawArrivals(plan);
  std::vector<Timing> timings(arrivals.size());
  Clock::time_point begin;
  Clock::time_point last;
  size_t answered = 0;
  Client client(plan, [&](int64_t number) {
    const auto index = static_cast<size_t>(number);
    last = Clock::now();
    timings[index].latency_us = Micros(last - begin - arrivals[index]).count();
    ++answered;
  });
  begin = Clock::now() + std::chrono::milliseconds(10);
  for (size_t sent = 0; answered < arrivals.size();) {
    // Whatever is due, and then answers until the next one is.
    Clock::duration wait = kForever;
    while (sent < arrivals.size()) {
      wait = begin + arrivals[sent] - Clock::now();
      if (wait > Clock::duration::zero()) break;
      timings[sent].lateness_us = Micros(-wait).count();
      client.Send(static_cast<int64_t>(sent));
      ++sent;
      wait = kForever;
    }
    client.Receive(wait);
  }
  Print(timings, last - begin);
}

void RunClosed(const Plan& plan) {
  std::vector<Timing> timings(static_cast<size_t>(plan.calls));
  std::vector<Clock::time_point> sent_at(timings.size());
  int64_t sent = 0;
  int64_t answered = 0;
  Client client(plan, [&](int64_t number) {
    const auto index = static_cast<size_t>(number);
    timings[index].latency_us = Micros(Clock::now() - sent_at[index]).count();
    ++answered;
  });
  const auto begin = Clock::now();
  while (answered < plan.calls) {
    for (; sent < plan.calls && sent - answered < plan.in_flight; ++sent) {
      sent_at[static_cast<size_t>(sent)] = Clock::now();
      client.Send(sent);
    }
    client.Receive(kForever);
  }
  Print(timings, Clock::now() - begin);
}

void RunIdle(const Plan& plan) {
  std::mt19937_64 random(plan.seed);
  std::uniform_real_distribution<double> pause(0.9, 2.3);
  std::vector<Timing> timings(static_cast<size_t>(plan.calls));
  bool answered = false;
  Client client(plan, [&](int64_t) { answered = true; });
  const auto begin = Clock::now();
  const auto call_once = [&](int64_t number) {
    answered = false;
    const auto sent = Clock::now();
    client.Send(number);
    while (!answered) client.Receive(kForever);
    return Micros(Clock::now() - sent).count();
  };
  // The very first call on a connection has more to do.
  for (int64_t i = 0; i < Client::kConnections; ++i) call_once(i);
  for (int64_t i = 0; i < plan.calls; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(pause(random)));
    timings[static_cast<size_t>(i)].latency_us = call_once(i);
  }
  Print(timings, Clock::now() - begin);
}

int Main(int argc, char** argv) {
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
