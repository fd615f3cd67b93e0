// Validate's own work, without gRPC: among as many tokens as asked for, in
// random order, so that neither the processor's caches nor its branch
// predictor know the next one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
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

// An index of `count` tokens, a valid lease, and secrets to ask for: of all of
// them, or of some throughout.
struct World {
  using Text = std::array<char, kTokenLength>;

  explicit World(int64_t count) {
    // As tokend does: Debian builds Abseil with the costly checks on.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    SystemRandom random;
    const int64_t tokens_per_secret = (count + kMostSecrets - 1) / kMostSecrets;
    for (int64_t i = 0; i < count; ++i) {
      IndexEntry entry;
      if (i % tokens_per_secret == 0) {
        const Secret secret = GenerateToken(random);
        secrets.emplace_back();
        secret.Reveal().copy(secrets.back().data(), kTokenLength);
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
    std::shuffle(secrets.begin(), secrets.end(), std::minstd_rand());
    lease.SetDatabaseTime(clock.Now(), absl::Now(), clock.Now());
    lease.Extend(clock.Now() + absl::Hours(1));
  }

  SystemBootClock clock;
  TokenIndex index;
  Lease lease;
  // In random order, but side by side: the next text is in the processor's
  // cache, as one that has just arrived is, and its token is not.
  std::vector<Text> secrets;
};

absl::string_view View(const World::Text& text) {
  return {text.data(), text.size()};
}

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
  size_t next = 0;
  for (auto _ : state) {
    const auto validation = validator.Validate({View(world.secrets[next])});
    if (++next == world.secrets.size()) next = 0;
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
  for (const World::Text& secret : world.secrets) {
    digests.push_back(TokenDigest::Of(View(secret)));
  }
  size_t next = 0;
  for (auto _ : state) {
    world.index.Visit(digests[next], [minute](IndexSlot& slot) {
      benchmark::DoNotOptimize(slot.token);
      if (minute != 0) slot.used_minute = minute;
    });
    if (++next == digests.size()) next = 0;
  }
}
void BM_LookUp(benchmark::State& state) { LookUp(state, 0); }
BENCHMARK(BM_LookUp);
void BM_LookUpAndMark(benchmark::State& state) { LookUp(state, 30'000'000); }
BENCHMARK(BM_LookUpAndMark);

void BM_Malformed(benchmark::State& state) {
  World& world = WorldOf(1);
  const Validator validator(&world.index, &world.lease, &world.clock);
  std::string presented(View(world.secrets[0]));
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
