// The form of a token's secret: `wmsy_`, 30 random base62 characters, and the
// CRC-32 of all before in 6 base62 characters; 41 ASCII characters together.
//
// The prefix lets secret scanners find it, the checksum rejects typing errors
// and false positives without a look-up. The checksum is no security feature.
// docs/token-format.md has the regular expression and test vectors.
#ifndef WEMASY_COMMON_TOKEN_FORMAT_H_
#define WEMASY_COMMON_TOKEN_FORMAT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "common/crypto/random.h"
#include "common/crypto/secret.h"

namespace wemasy::tokens {

inline constexpr absl::string_view kTokenPrefix = "wmsy_";
inline constexpr size_t kTokenRandomLength = 30;
inline constexpr size_t kTokenChecksumLength = 6;
inline constexpr size_t kTokenLength =
    kTokenPrefix.size() + kTokenRandomLength + kTokenChecksumLength;

// Draws a new secret, uniformly: 178 bits.
Secret GenerateToken(RandomSource& random);

// Whether `presented` has the form of a secret: length, prefix, alphabet and
// checksum. Any bytes may be given.
bool IsTokenWellFormed(absl::string_view presented);

// The last four characters of a secret, which people may see. They belong to
// the checksum.
std::string TokenHint(const Secret& token);

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_TOKEN_FORMAT_H_
