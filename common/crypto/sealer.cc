#include "common/crypto/sealer.h"

#include <openssl/aead.h>

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "common/crypto/boringssl.h"

namespace wemasy::tokens {
namespace {

constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

bssl::UniquePtr<EVP_AEAD_CTX> NewContext(const Secret& key) {
  return bssl::UniquePtr<EVP_AEAD_CTX>(
      EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm_siv(), Bytes(key.Reveal()),
                       key.Reveal().size(), kTagSize));
}

}  // namespace

absl::StatusOr<Sealer> Sealer::Create(Secret key, RandomSource* random) {
  if (key.Reveal().size() != kKeySize) {
    return absl::InvalidArgumentError("sealing key is not 32 bytes");
  }
  return Sealer(std::move(key), random);
}

std::string Sealer::Seal(absl::string_view plain,
                         absl::string_view context) const {
  std::string sealed(kNonceSize + plain.size() + kTagSize, '\0');
  auto* out = reinterpret_cast<uint8_t*>(sealed.data());
  random_->Fill({out, kNonceSize});
  const auto key = NewContext(key_);
  size_t written = 0;
  if (key == nullptr ||
      EVP_AEAD_CTX_seal(key.get(), out + kNonceSize, &written,
                        sealed.size() - kNonceSize, out, kNonceSize,
                        Bytes(plain), plain.size(), Bytes(context),
                        context.size()) != 1) {
    // There is no memory, and no text that could be given in its place.
    std::abort();
  }
  sealed.resize(kNonceSize + written);
  return absl::WebSafeBase64Escape(sealed);
}

absl::StatusOr<std::string> Sealer::Open(absl::string_view sealed,
                                         absl::string_view context) const {
  const absl::Status refused =
      absl::InvalidArgumentError("not sealed by this service for this use");
  std::string raw;
  if (!absl::WebSafeBase64Unescape(sealed, &raw) ||
      raw.size() < kNonceSize + kTagSize) {
    return refused;
  }
  std::string plain(raw.size() - kNonceSize, '\0');
  const auto key = NewContext(key_);
  size_t written = 0;
  if (key == nullptr ||
      EVP_AEAD_CTX_open(key.get(), reinterpret_cast<uint8_t*>(plain.data()),
                        &written, plain.size(), Bytes(raw), kNonceSize,
                        Bytes(raw) + kNonceSize, raw.size() - kNonceSize,
                        Bytes(context), context.size()) != 1) {
    return refused;
  }
  plain.resize(written);
  return plain;
}

}  // namespace wemasy::tokens
