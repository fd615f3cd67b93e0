// Validate's own work, without gRPC: among as many tokens as asked for, in
// random order, so that neither the processor's caches nor its branch
// predictor know the next one.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "common/token_format.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {
namespace {

// Far more than any cache holds of the tokens themselves.
constexpr int64_t kMostSecrets = 1'000'000;

TokenDigest RandomDigest(RandomSource& random) {
  std::array<uint8_t, TokenDigest::kSize> bytes;
  random.Fill(absl::MakeSpan(bytes));
  return *TokenDigest::FromBytes(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// An index of `count` tokens, a valid lease, and secrets to ask for: of them
// all, or of the first so many.
struct World {
  explicit World(int64_t count) {
    // As tokend does: Debian builds Abseil with the costly checks on.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    SystemRandom random;
    for (int64_t i = 0; i < count; ++i) {
      IndexEntry entry;
      if (i < kMostSecrets) {
        const Secret secret = GenerateToken(random);
        secrets.emplace_back(secret.Reveal());
        entry.digest = TokenDigest::Of(secret.Reveal());
      } else {
        entry.digest = RandomDigest(random);
      }
      entry.name = {
          *ProjectId::Parse("project-" + std::to_string(i % (count / 100 + 1))),
          TokenId::Generate(random)};
      entry.creator = "user-" + std::to_string(i % (count / 10 + 1));
      entry.scopes = ScopeSet({"pages:read", "pages:write"});
      index.Put(entry);
    }
    lease.SetDatabaseTime(clock.Now(), absl::Now(), clock.Now());
    lease.Extend(clock.Now() + absl::Hours(1));
  }

  SystemBootClock clock;
  TokenIndex index;
  Lease lease;
  std::vector<std::string> secrets;
};

// The same for each of a benchmark's runs: ten million take a while to make.
World& WorldOf(int64_t count) {
  static std::unique_ptr<World> world;
  static int64_t size = 0;
  if (size != count) {
    world.reset();
    world = std::make_unique<World>(count);
    size = count;
  }
  return *world;
}

void BM_Validate(benchmark::State& state) {
  World& world = WorldOf(state.range(0));
  const Validator validator(&world.index, &world.lease, &world.clock);
  uint64_t next = 1;
  for (auto _ : state) {
    next = next * 6364136223846793005U + 1442695040888963407U;
    const auto validation = validator.Validate(
        {world.secrets[(next >> 33) % world.secrets.size()]});
    if (!validation.ok() || validation->verdict != Verdict::kValid) {
      state.SkipWithError("not VALID");
      break;
    }
    benchmark::DoNotOptimize(validation);
  }
}
BENCHMARK(BM_Validate)->Arg(10'000)->Arg(1'000'000)->Arg(10'000'000);

// A look-up, and what a mark of use adds to it: all but the first of a minute
// find the minute as it is.
void LookUp(benchmark::State& state, uint32_t minute) {
  World& world = WorldOf(10'000);
  std::vector<TokenDigest> digests;
  for (const std::string& secret : world.secrets) {
    digests.push_back(TokenDigest::Of(secret));
  }
  uint64_t next = 1;
  for (auto _ : state) {
    next = next * 6364136223846793005U + 1442695040888963407U;
    world.index.Visit(digests[(next >> 33) % digests.size()],
                      [minute](IndexSlot& slot) {
                        benchmark::DoNotOptimize(slot.token);
                        if (minute != 0) slot.used_minute = minute;
                      });
  }
}
void BM_LookUp(benchmark::State& state) { LookUp(state, 0); }
BENCHMARK(BM_LookUp);
void BM_LookUpAndMark(benchmark::State& state) { LookUp(state, 30'000'000); }
BENCHMARK(BM_LookUpAndMark);

void BM_Malformed(benchmark::State& state) {
  World& world = WorldOf(1);
  const Validator validator(&world.index, &world.lease, &world.clock);
  std::string presented = world.secrets[0];
  presented.back() = presented.back() == 'A' ? 'B' : 'A';
  for (auto _ : state) {
    benchmark::DoNotOptimize(validator.Validate({presented}));
  }
}
BENCHMARK(BM_Malformed);

// What of it is SHA-256.
void BM_Digest(benchmark::State& state) {
  SystemRandom random;
  const Secret secret = GenerateToken(random);
  for (auto _ : state) {
    benchmark::DoNotOptimize(TokenDigest::Of(secret.Reveal()));
  }
}
BENCHMARK(BM_Digest);

// What the lease adds to it: its capture, and a comparison with the time, which
// a token's expiry asks for in any case.
void BM_LeaseCheck(benchmark::State& state) {
  World& world = WorldOf(1);
  BootTime now = world.clock.Now();
  for (auto _ : state) {
    benchmark::DoNotOptimize(now);
    const CapturedLease lease = world.lease.Capture();
    const bool holds = now < lease.end;
    benchmark::DoNotOptimize(lease.applied);
    benchmark::DoNotOptimize(holds);
  }
}
BENCHMARK(BM_LeaseCheck);

void BM_BootClock(benchmark::State& state) {
  const SystemBootClock clock;
  for (auto _ : state) benchmark::DoNotOptimize(clock.Now());
}
BENCHMARK(BM_BootClock);

}  // namespace
}  // namespace wemasy::tokens

BENCHMARK_MAIN();
