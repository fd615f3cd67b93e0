// Randomness that is the same in every run.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_RANDOM_H_
#define WEMASY_TESTS_SUPPORT_FAKE_RANDOM_H_

#include <cstdint>
#include <random>

#include "common/crypto/random.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Thread-safe.
class FakeRandom final : public RandomSource {
 public:
  explicit FakeRandom(uint64_t seed = 1) : engine_(seed) {}

  void Fill(absl::Span<uint8_t> bytes) override {
    MutexLock lock(&mutex_);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine_());
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_RANDOM_H_
