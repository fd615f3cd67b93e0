// Calls the validator among 10 000 tokens, for callgrind to count.
//
//   validator_instructions valid|unknown|malformed|revoked
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/token_format.h"
#include "server/validate/validator.h"
#include "tests/support/entries.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {

// By this name count.py knows it: Validate, the end of its answer, and little
// else.
[[gnu::noinline]] void CountedCalls(const Validator& validator,
                                    const std::vector<std::string>& presented,
                                    Verdict wanted) {
  constexpr size_t kCalls = 10'000;
  for (size_t i = 0; i < kCalls; ++i) {
    const auto validation =
        validator.Validate({presented[i % presented.size()]});
    if (!validation.ok() || validation->verdict != wanted) {
      std::fputs("not the verdict that is to be counted\n", stderr);
      std::exit(1);
    }
  }
}

namespace {

constexpr int kTokens = 10'000;
// Every so many of them are revoked.
constexpr int kRevoked = 10;

std::string Mistyped(std::string token) {
  token.back() = token.back() == 'A' ? 'B' : 'A';
  return token;
}

int Main(absl::string_view kind) {
  const SystemBootClock clock;
  TokenIndex index;
  Lease lease;
  lease.SetDatabaseTime(clock.Now(), absl::Now(), clock.Now());
  lease.Extend(clock.Now() + absl::Hours(1));
  // The same in every run.
  FakeRandom random;
  std::vector<std::string> valid;
  std::vector<std::string> revoked;
  for (int i = 0; i < kTokens; ++i) {
    TestToken token = MakeTestToken(random);
    const bool is_revoked = i % kRevoked == 0;
    if (is_revoked) token.entry.dead_at = absl::Now();
    index.Put(token.entry);
    (is_revoked ? revoked : valid).emplace_back(token.secret.Reveal());
  }
  std::vector<std::string> unknown;
  std::vector<std::string> malformed;
  for (int i = 0; i < kTokens / kRevoked; ++i) {
    unknown.emplace_back(GenerateToken(random).Reveal());
    malformed.push_back(Mistyped(unknown.back()));
  }
  const Validator validator(&index, &lease, &clock);
  // The first use in a minute has more to do.
  for (const std::string& token : valid) {
    if (!validator.Validate({token}).ok()) return 1;
  }
  if (kind == "valid") {
    CountedCalls(validator, valid, Verdict::kValid);
  } else if (kind == "unknown") {
    CountedCalls(validator, unknown, Verdict::kUnknown);
  } else if (kind == "malformed") {
    CountedCalls(validator, malformed, Verdict::kMalformed);
  } else if (kind == "revoked") {
    CountedCalls(validator, revoked, Verdict::kRevoked);
  } else {
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  return wemasy::tokens::Main(argc == 2 ? argv[1] : "");
}
