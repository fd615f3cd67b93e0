// Randomness for secrets and ids.
#ifndef WEMASY_COMMON_CRYPTO_RANDOM_H_
#define WEMASY_COMMON_CRYPTO_RANDOM_H_

#include <cstdint>

#include "absl/types/span.h"

namespace wemasy::tokens {

// A source of random bytes. Implementations are thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Overwrites `bytes` with random ones.
  virtual void Fill(absl::Span<uint8_t> bytes) = 0;
};

// BoringSSL's generator, seeded by the kernel. Aborts the process rather than
// give bytes that are not random.
class SystemRandom final : public RandomSource {
 public:
  void Fill(absl::Span<uint8_t> bytes) override;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CRYPTO_RANDOM_H_
