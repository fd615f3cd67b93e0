// Seals small values that are handed out and taken back, such as page tokens.
#ifndef WEMASY_COMMON_CRYPTO_SEALER_H_
#define WEMASY_COMMON_CRYPTO_SEALER_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/random.h"
#include "common/crypto/secret.h"

namespace wemasy::tokens {

// Encrypts and authenticates with AES-256-GCM-SIV (RFC 8452), so that the
// holder of a sealed value can neither read nor make nor change one, nor use
// it in another context than the one it was sealed for. Thread-safe.
class Sealer {
 public:
  static constexpr size_t kKeySize = 32;

  // `random` must outlive this object. Returns InvalidArgument if `key` is
  // not kKeySize bytes.
  static absl::StatusOr<Sealer> Create(Secret key, RandomSource* random);

  // Returns `plain`, sealed for `context`, as URL-safe base64.
  std::string Seal(absl::string_view plain, absl::string_view context) const;

  // Returns what was sealed. Returns InvalidArgument if `sealed` was not made
  // by Seal with this key and `context`.
  absl::StatusOr<std::string> Open(absl::string_view sealed,
                                   absl::string_view context) const;

 private:
  Sealer(Secret key, RandomSource* random)
      : key_(std::move(key)), random_(random) {}

  Secret key_;
  RandomSource* random_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CRYPTO_SEALER_H_
