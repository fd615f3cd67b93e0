// Values on their way to PostgreSQL, as text.
//
// Lists go as arrays, so that one prepared statement writes any number of
// rows. A list within a list goes as the text of an array, which the statement
// casts: PostgreSQL's own arrays of arrays must be rectangular.
#ifndef WEMASY_SERVER_STORAGE_SQL_VALUES_H_
#define WEMASY_SERVER_STORAGE_SQL_VALUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/token/scope_set.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

// In microseconds, as PostgreSQL keeps it: what is finer is cut off.
// InfiniteFuture is 'infinity'.
std::string EncodeTime(absl::Time time);
// A bytea.
std::string EncodeBytes(absl::string_view bytes);
// A uuid.
std::string EncodeId(const TokenId& id);

// Builds the text of a one-dimensional array.
class ArrayText {
 public:
  void Add(absl::string_view element);
  void AddNull();

  // The whole text.
  std::string Finish() const { return text_ + "}"; }

 private:
  void Separate();

  std::string text_ = "{";
};

// A text[].
std::string EncodeScopes(const ScopeSet& scopes);
// A text[] of keys and values by turns, which jsonb_object() takes.
std::string EncodePairs(const std::map<std::string, std::string>& pairs);

// A statement's parameters, in order.
class Params {
 public:
  Params& Text(absl::string_view text) {
    values_.emplace_back(std::string(text));
    return *this;
  }
  Params& OptionalText(const absl::optional<std::string>& text) {
    values_.push_back(text);
    return *this;
  }
  Params& Null() {
    values_.emplace_back(absl::nullopt);
    return *this;
  }
  Params& Int(int64_t number) { return Text(std::to_string(number)); }
  Params& Time(absl::Time time) { return Text(EncodeTime(time)); }
  Params& OptionalTime(const absl::optional<absl::Time>& time) {
    return time ? Time(*time) : Null();
  }
  Params& Bytes(absl::string_view bytes) { return Text(EncodeBytes(bytes)); }
  Params& Id(const TokenId& id) { return Text(EncodeId(id)); }
  Params& Array(const ArrayText& array) { return Text(array.Finish()); }

  const std::vector<absl::optional<std::string>>& values() const {
    return values_;
  }

 private:
  std::vector<absl::optional<std::string>> values_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_SQL_VALUES_H_
