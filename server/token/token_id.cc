#include "server/token/token_id.h"

#include <cstring>

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
constexpr int kBitsPerDigit = 5;

}  // namespace

TokenId TokenId::Generate(RandomSource& random) {
  TokenId id;
  random.Fill(absl::MakeSpan(id.bytes_));
  return id;
}

absl::optional<TokenId> TokenId::FromBytes(absl::string_view bytes) {
  if (bytes.size() != kSize) return absl::nullopt;
  TokenId id;
  std::memcpy(id.bytes_.data(), bytes.data(), kSize);
  return id;
}

// Five bytes are eight digits; the last byte and two zero bits are two.
TokenId::Text TokenId::ToText() const {
  constexpr size_t kBytesPerGroup = 5;
  constexpr int kFirstShift = 8 * kBytesPerGroup - kBitsPerDigit;
  Text text;
  char* end = text.data();
  *end++ = 't';
  for (size_t at = 0; at + kBytesPerGroup <= kSize; at += kBytesPerGroup) {
    uint64_t group = 0;
    for (size_t i = 0; i < kBytesPerGroup; ++i) {
      group = group << 8 | bytes_[at + i];
    }
    for (int shift = kFirstShift; shift >= 0; shift -= kBitsPerDigit) {
      *end++ = kDigits[group >> shift & 31];
    }
  }
  const unsigned last = bytes_[kSize - 1];
  *end++ = kDigits[last >> 3];
  *end++ = kDigits[last << 2 & 31];
  return text;
}

std::string TokenId::ToString() const {
  const Text text = ToText();
  return std::string(text.data(), text.size());
}

absl::optional<TokenId> TokenId::Parse(absl::string_view text) {
  if (text.size() != kTextLength || text[0] != 't') return absl::nullopt;
  TokenId id;
  uint32_t buffer = 0;
  int bits = 0;
  size_t at = 0;
  for (char c : text.substr(1)) {
    const size_t digit = kDigits.find(c);
    if (digit == absl::string_view::npos) return absl::nullopt;
    buffer = buffer << kBitsPerDigit | static_cast<uint32_t>(digit);
    bits += kBitsPerDigit;
    if (bits >= 8) {
      bits -= 8;
      id.bytes_[at++] = static_cast<uint8_t>(buffer >> bits);
    }
  }
  // 26 digits hold two bits more than an id: one text for each id.
  if ((buffer & ((1U << bits) - 1)) != 0) return absl::nullopt;
  return id;
}

}  // namespace wemasy::tokens
