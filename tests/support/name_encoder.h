// A TokenEncoder for tests of who names tokens, and sends nothing more of them.
#ifndef WEMASY_TESTS_SUPPORT_NAME_ENCODER_H_
#define WEMASY_TESTS_SUPPORT_NAME_ENCODER_H_

#include "server/validate/token_index.h"

namespace wemasy::tokens {

inline EncodedToken EncodeName(const IndexEntry& entry) {
  EncodedToken encoded;
  encoded.bytes = entry.name.ToString();
  encoded.named = static_cast<uint8_t>(encoded.bytes.size());
  return encoded;
}

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_NAME_ENCODER_H_
