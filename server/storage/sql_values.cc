#include "server/storage/sql_values.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wemasy::tokens {

std::string EncodeTime(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "infinity";
  if (time == absl::InfinitePast()) return "-infinity";
  // Of a year of two digits the database would make another one.
  return absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S+00", time,
                          absl::UTCTimeZone());
}

std::string EncodeBytes(absl::string_view bytes) {
  return absl::StrCat("\\x", absl::BytesToHexString(bytes));
}

std::string EncodeId(const TokenId& id) {
  return absl::BytesToHexString(id.bytes());
}

void ArrayText::Separate() {
  if (text_.size() > 1) text_ += ',';
}

void ArrayText::Add(absl::string_view element) {
  Separate();
  text_ += '"';
  for (const char c : element) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayText::AddNull() {
  Separate();
  text_ += "NULL";
}

std::string EncodeScopes(const ScopeSet& scopes) {
  ArrayText array;
  for (const std::string& scope : scopes.scopes()) {
    array.Add(scope);
  }
  return array.Finish();
}

std::string EncodePairs(const std::map<std::string, std::string>& pairs) {
  ArrayText array;
  for (const auto& [key, value] : pairs) {
    array.Add(key);
    array.Add(value);
  }
  return array.Finish();
}

}  // namespace wemasy::tokens
