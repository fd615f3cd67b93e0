#include "common/crypto/digest.h"

#include <openssl/sha.h>

#include "common/crypto/boringssl.h"

namespace wemasy::tokens {

static_assert(TokenDigest::kSize == SHA256_DIGEST_LENGTH);

TokenDigest TokenDigest::Of(absl::string_view secret) {
  TokenDigest digest;
  SHA256(reinterpret_cast<const uint8_t*>(secret.data()), secret.size(),
         digest.bytes_.data());
  return digest;
}

absl::optional<TokenDigest> TokenDigest::FromBytes(absl::string_view bytes) {
  if (bytes.size() != kSize) return absl::nullopt;
  TokenDigest digest;
  std::memcpy(digest.bytes_.data(), bytes.data(), kSize);
  return digest;
}

}  // namespace wemasy::tokens
