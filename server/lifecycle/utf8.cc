#include "server/lifecycle/utf8.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace wemasy::tokens {
namespace {

// The forms of a sequence: how its first byte looks, how many bytes follow,
// and the least code point that needs as many.
struct Form {
  uint8_t mask;
  uint8_t lead;
  int following;
  char32_t least;
};
constexpr std::array<Form, 4> kForms = {{{0x80, 0x00, 0, 0},
                                         {0xE0, 0xC0, 1, 0x80},
                                         {0xF0, 0xE0, 2, 0x800},
                                         {0xF8, 0xF0, 3, 0x10000}}};

const Form* FormOf(uint8_t lead) {
  for (const Form& form : kForms) {
    if ((lead & form.mask) == form.lead) return &form;
  }
  return nullptr;
}

bool IsScalarValue(char32_t c) {
  return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

}  // namespace

absl::optional<std::vector<char32_t>> DecodeUtf8(absl::string_view text) {
  std::vector<char32_t> code_points;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at++]);
    const Form* form = FormOf(lead);
    if (form == nullptr) return absl::nullopt;
    char32_t c = lead & static_cast<uint8_t>(~form->mask);
    for (int i = 0; i < form->following; ++i, ++at) {
      if (at == text.size()) return absl::nullopt;
      const auto byte = static_cast<uint8_t>(text[at]);
      if ((byte & 0xC0) != 0x80) return absl::nullopt;
      c = c << 6 | (byte & 0x3F);
    }
    if (c < form->least || !IsScalarValue(c)) return absl::nullopt;
    code_points.push_back(c);
  }
  return code_points;
}

}  // namespace wemasy::tokens
