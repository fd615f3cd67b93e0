// What millions of tokens cost in memory, and whether the index holds up those
// who ask while it grows and changes.
//
//   index_bench memory bare|full COUNT
//   index_bench pauses COUNT SECONDS
//
// Prints one JSON object. A process for each figure: memory that was used
// before and given back would be counted with it.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "server/api/grpc/validate_reply.h"
#include "server/validate/token_index.h"

namespace wemasy::tokens {
namespace {

constexpr uint64_t kProjects = 100'000;
constexpr uint64_t kCreators = 1'000'000;
constexpr uint64_t kScopeSets = 200;
constexpr uint64_t kMetadataSets = 1000;

// Bytes that look random, the same for the same number. Nobody has a secret of
// such a digest, and the index cannot tell.
void Scatter(uint64_t number, uint64_t salt, char* bytes, size_t size) {
  uint64_t state = number * 0x9e3779b97f4a7c15 + salt;
  for (size_t at = 0; at < size; at += sizeof(state)) {
    state += 0x9e3779b97f4a7c15;
    uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    std::memcpy(bytes + at, &mixed, sizeof(mixed));
  }
}

TokenDigest DigestOf(uint64_t number) {
  char bytes[TokenDigest::kSize];
  Scatter(number, 1, bytes, sizeof(bytes));
  return *TokenDigest::FromBytes({bytes, sizeof(bytes)});
}

IndexEntry BareEntry(uint64_t number) {
  char id[TokenId::kSize];
  Scatter(number, 2, id, sizeof(id));
  IndexEntry entry;
  entry.digest = DigestOf(number);
  entry.name = {*ProjectId::Parse(absl::StrCat("project-", number % kProjects)),
                *TokenId::FromBytes({id, sizeof(id)})};
  entry.creator = absl::StrCat("user-", number * 13 % kCreators);
  return entry;
}

IndexEntry FullEntry(uint64_t number) {
  IndexEntry entry = BareEntry(number);
  entry.scopes = ScopeSet({"pages:read", "pages:write", "forms:read",
                           absl::StrCat("scope:", number % kScopeSets)});
  entry.metadata = {
      {"integration", absl::StrCat("partner-", number * 7 % kMetadataSets)},
      {"tier", "gold"}};
  entry.expire_time = absl::FromUnixSeconds(2'000'000'000);
  return entry;
}

int64_t ResidentBytes() {
  int64_t total = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t PeakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

int Memory(absl::string_view kind, uint64_t count) {
  TokenIndex index(EncodeMetadata);
  const int64_t before = ResidentBytes();
  const absl::Time begin = absl::Now();
  for (uint64_t i = 0; i < count; ++i) {
    index.Put(kind == "full" ? FullEntry(i) : BareEntry(i));
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  const auto per_token = [&](int64_t bytes) {
    return static_cast<double>(bytes - before) / static_cast<double>(count);
  };
  std::printf(
      "{\"bytes_per_token\": %.1f, \"peak_bytes_per_token\": %.1f, "
      "\"put_ns\": %.0f}\n",
      per_token(ResidentBytes()), per_token(PeakResidentBytes()),
      seconds * 1e9 / static_cast<double>(count));
  return 0;
}

// Looks up as long as it is told to, and notes what took how long.
class Asker {
 public:
  // Among the first `known` tokens.
  Asker(TokenIndex* index, const std::atomic<uint64_t>* known)
      : index_(*index), known_(*known), thread_([this] { Run(); }) {}

  // The latencies, sorted, in nanoseconds: all, or those of the slowest.
  std::vector<int64_t> Stop() {
    stop_ = true;
    thread_.join();
    std::sort(nanos_.begin(), nanos_.end());
    return std::move(nanos_);
  }

 private:
  void Run() {
    const SystemBootClock clock;
    uint64_t next = 1;
    nanos_.reserve(100'000'000);
    while (!stop_ && nanos_.size() < nanos_.capacity()) {
      next = next * 6364136223846793005U + 1442695040888963407U;
      const TokenDigest digest = DigestOf((next >> 20) % known_.load());
      const BootTime begin = clock.Now();
      const bool found = index_.Visit(digest, [](IndexSlot&) {});
      nanos_.push_back(absl::ToInt64Nanoseconds(clock.Now() - begin));
      if (!found) std::abort();
    }
  }

  TokenIndex& index_;
  const std::atomic<uint64_t>& known_;
  std::atomic<bool> stop_{false};
  std::vector<int64_t> nanos_;
  std::thread thread_;
};

void PrintPauses(const char* name, const std::vector<int64_t>& nanos,
                 bool is_last = false) {
  const auto at = [&](double part) {
    return nanos[static_cast<size_t>(static_cast<double>(nanos.size() - 1) *
                                     part)];
  };
  const auto over =
      nanos.end() - std::upper_bound(nanos.begin(), nanos.end(), 1'000'000);
  std::printf(
      "\"%s_p50_ns\": %ld, \"%s_p9999_ns\": %ld, \"%s_max_us\": %.0f, "
      "\"%s_over_1ms_per_million\": %.3f%s",
      name, at(0.5), name, at(0.9999), name,
      static_cast<double>(nanos.back()) / 1000, name,
      static_cast<double>(over) * 1e6 / static_cast<double>(nanos.size()),
      is_last ? "}\n" : ", ");
}

// Beside nobody, beside one that adds `count` tokens, and beside one that makes
// 1000 changes a second: what the machine itself holds up is in all three.
int Pauses(uint64_t count, int seconds) {
  TokenIndex index(EncodeMetadata);
  std::atomic<uint64_t> known{0};
  uint64_t next = 0;
  for (; next < count / 10; ++next) index.Put(FullEntry(next));
  known = next;
  std::printf("{");
  {
    Asker asker(&index, &known);
    absl::SleepFor(absl::Seconds(seconds));
    PrintPauses("alone", asker.Stop());
  }
  {
    Asker asker(&index, &known);
    for (; next < count; ++next) {
      index.Put(FullEntry(next));
      known = next + 1;
    }
    PrintPauses("growing", asker.Stop());
  }
  {
    Asker asker(&index, &known);
    const absl::Time begin = absl::Now();
    for (int change = 0; change < 1000 * seconds; ++change) {
      absl::SleepFor(begin + absl::Milliseconds(change) - absl::Now());
      IndexEntry entry =
          FullEntry(static_cast<uint64_t>(change) * 7919 % count);
      entry.dead_at = absl::FromUnixSeconds(1'900'000'000);
      index.Put(entry);
    }
    PrintPauses("changing", asker.Stop(), /*is_last=*/true);
  }
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  // As tokend does: Debian builds Abseil with the costly checks on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const size_t size = arguments.size();
  if (size == 3 && arguments[0] == "memory") {
    return Memory(arguments[1],
                  std::strtoull(arguments[2].c_str(), nullptr, 10));
  }
  if (size == 3 && arguments[0] == "pauses") {
    return Pauses(std::strtoull(arguments[1].c_str(), nullptr, 10),
                  std::atoi(arguments[2].c_str()));
  }
  std::fputs(
      "usage: index_bench memory bare|full COUNT\n"
      "       index_bench pauses COUNT SECONDS\n",
      stderr);
  return 2;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  return wemasy::tokens::Main({argv + 1, argv + argc});
}
