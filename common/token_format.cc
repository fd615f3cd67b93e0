#include "common/token_format.h"

#include <zlib.h>

#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr size_t kChecksumAt = kTokenLength - kTokenChecksumLength;

// CRC-32 as of zlib and ISO 3309, most significant digit first.
std::array<char, kTokenChecksumLength> Checksum(absl::string_view text) {
  uint32_t rest =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
  std::array<char, kTokenChecksumLength> digits;
  for (size_t i = digits.size(); i-- > 0; rest /= kAlphabet.size()) {
    digits[i] = kAlphabet[rest % kAlphabet.size()];
  }
  return digits;
}

// Draws base62 characters. A byte of 248 or more is thrown away, as it would
// make the first 8 characters of the alphabet likelier.
void DrawBase62(RandomSource& random, char* out, size_t length) {
  constexpr uint8_t kFair = 256 / kAlphabet.size() * kAlphabet.size();
  std::array<uint8_t, 64> bytes;
  size_t drawn = 0;
  while (drawn < length) {
    random.Fill(absl::MakeSpan(bytes));
    for (uint8_t byte : bytes) {
      if (byte >= kFair) continue;
      out[drawn++] = kAlphabet[byte % kAlphabet.size()];
      if (drawn == length) break;
    }
  }
  WipeMemory(bytes.data(), bytes.size());
}

}  // namespace

Secret GenerateToken(RandomSource& random) {
  std::array<char, kTokenLength> text;
  kTokenPrefix.copy(text.data(), kTokenPrefix.size());
  DrawBase62(random, text.data() + kTokenPrefix.size(), kTokenRandomLength);
  const auto checksum = Checksum({text.data(), kChecksumAt});
  absl::string_view(checksum.data(), checksum.size())
      .copy(text.data() + kChecksumAt, checksum.size());
  Secret token(absl::string_view(text.data(), text.size()));
  WipeMemory(text.data(), text.size());
  return token;
}

bool IsTokenWellFormed(absl::string_view presented) {
  if (presented.size() != kTokenLength) return false;
  if (presented.substr(0, kTokenPrefix.size()) != kTokenPrefix) return false;
  // base62 is the alphabet and the digits of ASCII.
  for (const char c : presented.substr(kTokenPrefix.size())) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) return false;
  }
  const auto checksum = Checksum(presented.substr(0, kChecksumAt));
  return presented.substr(kChecksumAt) ==
         absl::string_view(checksum.data(), checksum.size());
}

std::string TokenHint(const Secret& token) {
  return std::string(token.Reveal().substr(kTokenLength - 4));
}

}  // namespace wemasy::tokens
