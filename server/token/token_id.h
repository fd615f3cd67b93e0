// The identity of a token: what its resource name ends with.
#ifndef WEMASY_SERVER_TOKEN_TOKEN_ID_H_
#define WEMASY_SERVER_TOKEN_TOKEN_ID_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/random.h"

namespace wemasy::tokens {

// 128 random bits. As text the letter `t` and 26 characters of `[0-9a-v]`
// (base32hex of RFC 4648, lower case, no padding). Says nothing about the
// secret. A value type.
class TokenId {
 public:
  static constexpr size_t kSize = 16;
  static constexpr size_t kTextLength = 27;

  // All zero.
  TokenId() = default;

  static TokenId Generate(RandomSource& random);
  // Nothing if `text` is not the text form of an id.
  static absl::optional<TokenId> Parse(absl::string_view text);
  // Nothing if `bytes` are not 16.
  static absl::optional<TokenId> FromBytes(absl::string_view bytes);

  // The text form.
  using Text = std::array<char, kTextLength>;
  Text ToText() const;
  std::string ToString() const;
  // The 16 bytes. Valid as long as this object.
  absl::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

  friend bool operator==(const TokenId& a, const TokenId& b) {
    return a.bytes_ == b.bytes_;
  }
  friend bool operator!=(const TokenId& a, const TokenId& b) {
    return !(a == b);
  }
  friend bool operator<(const TokenId& a, const TokenId& b) {
    return a.bytes_ < b.bytes_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const TokenId& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<uint8_t, kSize> bytes_{};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_TOKEN_ID_H_
