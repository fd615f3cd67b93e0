#include "server/api/http/route_query.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"

namespace wemasy::tokens {
namespace {

absl::optional<std::string> Decode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded.push_back(' ');
    } else if (text[i] != '%') {
      decoded.push_back(text[i]);
    } else {
      const absl::string_view digits = text.substr(i + 1, 2);
      if (digits.size() != 2 || !absl::ascii_isxdigit(digits[0]) ||
          !absl::ascii_isxdigit(digits[1])) {
        return absl::nullopt;
      }
      decoded += absl::HexStringToBytes(digits);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace

absl::string_view PathOf(absl::string_view target) {
  return target.substr(0, target.find('?'));
}

absl::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(
    absl::string_view target) {
  std::vector<std::pair<std::string, std::string>> query;
  const size_t begin = PathOf(target).size();
  if (begin == target.size()) return query;
  for (const absl::string_view setting :
       absl::StrSplit(target.substr(begin + 1), '&', absl::SkipEmpty())) {
    const size_t equals = setting.find('=');
    if (equals == absl::string_view::npos) return absl::nullopt;
    absl::optional<std::string> name = Decode(setting.substr(0, equals));
    absl::optional<std::string> value = Decode(setting.substr(equals + 1));
    if (!name || !value) return absl::nullopt;
    query.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

}  // namespace wemasy::tokens
