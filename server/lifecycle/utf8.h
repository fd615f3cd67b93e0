// Decoding of UTF-8 (RFC 3629).
#ifndef WEMASY_SERVER_LIFECYCLE_UTF8_H_
#define WEMASY_SERVER_LIFECYCLE_UTF8_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace wemasy::tokens {

// The code points of `text`; nothing if it is not valid UTF-8.
absl::optional<std::vector<char32_t>> DecodeUtf8(absl::string_view text);

// Whether a code point is a control character (general category Cc).
inline bool IsControl(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_UTF8_H_
