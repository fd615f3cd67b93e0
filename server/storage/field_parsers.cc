// The parsers of field_reader.h.

#include <endian.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "server/storage/field_reader.h"

namespace wemasy::tokens {
namespace {

// Takes a number of at least one digit off the front of `text`.
bool TakeNumber(absl::string_view& text, int64_t& number) {
  size_t length = 0;
  number = 0;
  while (length < text.size() && length < 9 && text[length] >= '0' &&
         text[length] <= '9') {
    number = number * 10 + (text[length] - '0');
    ++length;
  }
  text.remove_prefix(length);
  return length > 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Writes the bytes of `hex`, half as many, to `bytes`. An index load does
// this for every token, so nothing is allocated.
bool DecodeHex(absl::string_view hex, char* bytes) {
  if (hex.size() % 2 != 0) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]);
    const int low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    *bytes++ = static_cast<char>(high * 16 + low);
  }
  return true;
}

// Appends the UTF-8 form of `code`.
void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Takes the four digits of a \u off the front.
bool TakeCodeUnit(absl::string_view& text, uint32_t& unit) {
  unit = 0;
  if (text.size() < 4) return false;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return false;
    unit = unit * 16 + static_cast<uint32_t>(digit);
  }
  text.remove_prefix(4);
  return true;
}

// Takes what follows a backslash in a JSON string off the front.
bool TakeEscape(absl::string_view& text, std::string& out) {
  if (text.empty()) return false;
  const char kind = text[0];
  text.remove_prefix(1);
  switch (kind) {
    case '"':
    case '\\':
    case '/':
      out += kind;
      return true;
    case 'b':
      out += '\b';
      return true;
    case 'f':
      out += '\f';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'u':
      break;
    default:
      return false;
  }
  uint32_t code = 0;
  if (!TakeCodeUnit(text, code)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    uint32_t low = 0;
    if (!absl::ConsumePrefix(&text, "\\u") || !TakeCodeUnit(text, low) ||
        low < 0xdc00 || low > 0xdfff) {
      return false;
    }
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(code, out);
  return true;
}

// Takes a JSON string off the front.
bool TakeJsonString(absl::string_view& text, std::string& out) {
  if (!absl::ConsumePrefix(&text, "\"")) return false;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c == '"') return true;
    if (c != '\\') {
      out += c;
    } else if (!TakeEscape(text, out)) {
      return false;
    }
  }
  return false;
}

}  // namespace

absl::optional<absl::Time> ParseTime(absl::string_view text) {
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  int64_t year, month, day, hour, minute, second, fraction = 0;
  const bool ok = TakeNumber(text, year) && absl::ConsumePrefix(&text, "-") &&
                  TakeNumber(text, month) && absl::ConsumePrefix(&text, "-") &&
                  TakeNumber(text, day) && absl::ConsumePrefix(&text, " ") &&
                  TakeNumber(text, hour) && absl::ConsumePrefix(&text, ":") &&
                  TakeNumber(text, minute) && absl::ConsumePrefix(&text, ":") &&
                  TakeNumber(text, second);
  if (!ok) return absl::nullopt;
  if (absl::ConsumePrefix(&text, ".")) {
    const size_t before = text.size();
    if (!TakeNumber(text, fraction)) return absl::nullopt;
    for (size_t digits = before - text.size(); digits < 6; ++digits) {
      fraction *= 10;
    }
  }
  if (text != "+00") return absl::nullopt;
  const absl::CivilSecond civil(year, static_cast<int>(month),
                                static_cast<int>(day), static_cast<int>(hour),
                                static_cast<int>(minute),
                                static_cast<int>(second));
  return absl::FromCivil(civil, absl::UTCTimeZone()) +
         absl::Microseconds(fraction);
}

absl::optional<absl::Time> ParseBinaryTime(absl::string_view bytes) {
  // The microseconds since the year 2000; the ends of what fits are infinite.
  constexpr absl::Duration kEpoch = absl::Seconds(946'684'800);
  if (bytes.size() != sizeof(int64_t)) return absl::nullopt;
  uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof(word));
  const auto micros = static_cast<int64_t>(be64toh(word));
  if (micros == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteFuture();
  }
  if (micros == std::numeric_limits<int64_t>::min()) {
    return absl::InfinitePast();
  }
  return absl::UnixEpoch() + kEpoch + absl::Microseconds(micros);
}

absl::optional<bool> ParseBinaryBool(absl::string_view bytes) {
  if (bytes.size() != 1 || static_cast<unsigned char>(bytes[0]) > 1) {
    return absl::nullopt;
  }
  return bytes[0] == 1;
}

absl::optional<std::string> ParseBytes(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "\\x")) return absl::nullopt;
  std::string bytes(text.size() / 2, '\0');
  if (!DecodeHex(text, &bytes[0])) return absl::nullopt;
  return bytes;
}

absl::optional<TokenDigest> ParseDigest(absl::string_view text) {
  char bytes[TokenDigest::kSize];
  if (!absl::ConsumePrefix(&text, "\\x") || text.size() != 2 * sizeof(bytes) ||
      !DecodeHex(text, bytes)) {
    return absl::nullopt;
  }
  return TokenDigest::FromBytes({bytes, sizeof(bytes)});
}

absl::optional<TokenId> ParseId(absl::string_view text) {
  char bytes[TokenId::kSize];
  char* next = bytes;
  for (const size_t digits : {8, 4, 4, 4, 12}) {
    if (next != bytes && !absl::ConsumePrefix(&text, "-")) {
      return absl::nullopt;
    }
    if (text.size() < digits || !DecodeHex(text.substr(0, digits), next)) {
      return absl::nullopt;
    }
    text.remove_prefix(digits);
    next += digits / 2;
  }
  if (!text.empty()) return absl::nullopt;
  return TokenId::FromBytes({bytes, sizeof(bytes)});
}

absl::optional<std::vector<std::string>> ParseArray(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "{") || !absl::ConsumeSuffix(&text, "}")) {
    return absl::nullopt;
  }
  std::vector<std::string> elements;
  while (!text.empty()) {
    std::string element;
    const bool quoted = absl::ConsumePrefix(&text, "\"");
    const char end = quoted ? '"' : ',';
    while (!text.empty() && text[0] != end) {
      if (quoted && text[0] == '\\') text.remove_prefix(1);
      if (text.empty()) return absl::nullopt;
      element += text[0];
      text.remove_prefix(1);
    }
    if (quoted && !absl::ConsumePrefix(&text, "\"")) return absl::nullopt;
    elements.push_back(std::move(element));
    if (!text.empty() && !absl::ConsumePrefix(&text, ",")) {
      return absl::nullopt;
    }
  }
  return elements;
}

absl::optional<std::map<std::string, std::string>> ParsePairs(
    absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "{")) return absl::nullopt;
  std::map<std::string, std::string> pairs;
  while (!absl::ConsumePrefix(&text, "}")) {
    if (!pairs.empty() && !absl::ConsumePrefix(&text, ", ")) {
      return absl::nullopt;
    }
    std::string key;
    std::string value;
    if (!TakeJsonString(text, key) || !absl::ConsumePrefix(&text, ": ") ||
        !TakeJsonString(text, value)) {
      return absl::nullopt;
    }
    pairs.emplace(std::move(key), std::move(value));
  }
  if (!text.empty()) return absl::nullopt;
  return pairs;
}

}  // namespace wemasy::tokens
