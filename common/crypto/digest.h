// The SHA-256 digest under which a token's secret is known to the service.
#ifndef WEMASY_COMMON_CRYPTO_DIGEST_H_
#define WEMASY_COMMON_CRYPTO_DIGEST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace wemasy::tokens {

// A SHA-256 digest (FIPS 180-4). A value type; compares in constant time. It
// has no stream operator, as a digest belongs in no log.
class TokenDigest {
 public:
  static constexpr size_t kSize = 32;

  // All zero.
  TokenDigest() = default;

  // Digests `secret`.
  static TokenDigest Of(absl::string_view secret);

  // Takes a digest's 32 bytes; nothing if `bytes` are not 32.
  static absl::optional<TokenDigest> FromBytes(absl::string_view bytes);

  // The 32 bytes. Valid as long as this object.
  absl::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

  // All bytes, whatever the first ones are; by words, as each look-up waits for
  // it.
  friend bool operator==(const TokenDigest& a, const TokenDigest& b) {
    uint64_t difference = 0;
    for (size_t at = 0; at < kSize; at += sizeof(uint64_t)) {
      difference |= a.Word(at) ^ b.Word(at);
    }
    return difference == 0;
  }
  friend bool operator!=(const TokenDigest& a, const TokenDigest& b) {
    return !(a == b);
  }
  // Some total order, for sorting.
  friend bool operator<(const TokenDigest& a, const TokenDigest& b) {
    return a.bytes_ < b.bytes_;
  }

  // The digest's first bytes: uniformly distributed already. Nobody can choose
  // them without also finding the secret.
  uint64_t Prefix() const { return Word(0); }
  template <typename H>
  friend H AbslHashValue(H h, const TokenDigest& digest) {
    return H::combine(std::move(h), digest.Prefix());
  }

 private:
  uint64_t Word(size_t at) const {
    uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at, sizeof(word));
    return word;
  }

  std::array<uint8_t, kSize> bytes_{};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CRYPTO_DIGEST_H_
