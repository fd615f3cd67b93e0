// A page token that nobody was given: with the right key, too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/random.h"
#include "common/crypto/sealer.h"
#include "server/lifecycle/page_tokens.h"

namespace wemasy::tokens {
namespace {

class Zeros final : public RandomSource {
 public:
  void Fill(absl::Span<uint8_t> out) override {
    std::fill(out.begin(), out.end(), 0);
  }
};

Sealer MakeSealer() {
  static auto& random = *new Zeros;
  return *Sealer::Create(Secret(std::string(Sealer::kKeySize, 'k')), &random);
}

}  // namespace
}  // namespace wemasy::tokens

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wemasy::tokens;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto& sealer = *new Sealer(MakeSealer());
  static const auto& tokens = *new PageTokens(MakeSealer());
  if (tokens.ReadTokenKey(text, "listing").ok()) abort();
  if (tokens.ReadAuditKey(text, "listing").ok()) abort();
  // What is inside of one that was: PageTokens reads it itself.
  const std::string sealed = sealer.Seal(text, "listing");
  tokens.ReadTokenKey(sealed, "listing").status().IgnoreError();
  tokens.ReadAuditKey(sealed, "listing").status().IgnoreError();
  return 0;
}
