#include "common/crypto/random.h"

#include <openssl/rand.h>

#include "common/crypto/boringssl.h"

namespace wemasy::tokens {

void SystemRandom::Fill(absl::Span<uint8_t> bytes) {
  // Never fails: BoringSSL aborts the process if the kernel gives no entropy.
  RAND_bytes(bytes.data(), bytes.size());
}

}  // namespace wemasy::tokens
