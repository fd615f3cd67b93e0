// What is presented as a token: any bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "common/crypto/digest.h"
#include "common/token_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wemasy::tokens;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (!IsTokenWellFormed(text)) return 0;
  // The form, and one that differs in the last place is none.
  if (size != kTokenLength || !absl::StartsWith(text, kTokenPrefix)) abort();
  std::string other(text);
  other.back() = other.back() == '0' ? '1' : '0';
  if (IsTokenWellFormed(other)) abort();
  if (TokenDigest::Of(text) == TokenDigest::Of(other)) abort();
  return 0;
}
