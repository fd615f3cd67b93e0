// Values on their way from PostgreSQL, as text or in its binary format.
#ifndef WEMASY_SERVER_STORAGE_FIELD_READER_H_
#define WEMASY_SERVER_STORAGE_FIELD_READER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/crypto/digest.h"
#include "server/token/resource_name.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

// One field as the server sent it; nothing for NULL.
using Field = absl::optional<absl::string_view>;

// Each parses what the server prints with DateStyle ISO, TimeZone UTC and
// bytea_output hex; nothing if `text` is not of that form.
absl::optional<absl::Time> ParseTime(absl::string_view text);
absl::optional<std::string> ParseBytes(absl::string_view text);
absl::optional<TokenDigest> ParseDigest(absl::string_view text);
absl::optional<TokenId> ParseId(absl::string_view text);
absl::optional<std::vector<std::string>> ParseArray(absl::string_view text);
// An object whose values are all strings.
absl::optional<std::map<std::string, std::string>> ParsePairs(
    absl::string_view text);

// Each parses what the server sends in binary format; nothing if `bytes` are
// not of that form.
absl::optional<absl::Time> ParseBinaryTime(absl::string_view bytes);
absl::optional<bool> ParseBinaryBool(absl::string_view bytes);

// How the server sends its values. Texts are the same in both.
enum class FieldFormat { kText, kBinary };

// Reads the fields of a row from left to right. What cannot be read, or is
// NULL though it should not be, gives an empty value and is remembered: look
// at status() when all is read. A value of `fields` must outlive the reader.
class FieldReader {
 public:
  explicit FieldReader(absl::Span<const Field> fields,
                       FieldFormat format = FieldFormat::kText)
      : fields_(fields), format_(format) {}

  // Whether the next field is NULL; does not move.
  bool NextIsNull() const {
    return next_ < fields_.size() && !fields_[next_].has_value();
  }
  // The next field's text; does not move.
  Field Peek() const {
    return next_ < fields_.size() ? fields_[next_] : absl::nullopt;
  }
  void Skip() { ++next_; }
  // A reader of the next `count` fields alone; moves past them.
  FieldReader Part(size_t count) {
    const FieldReader part(fields_.subspan(next_, count), format_);
    next_ += count;
    return part;
  }

  absl::string_view Text();
  absl::optional<std::string> OptionalText();
  // From text only.
  int64_t Int();
  bool Bool();
  absl::Time Time();
  absl::optional<absl::Time> OptionalTime();
  std::string Bytes();
  TokenDigest Digest();
  TokenId Id();
  ProjectId Project();
  // The text of an array, and of an object.
  std::vector<std::string> Array();
  std::map<std::string, std::string> Pairs();

  // Returns Internal if any field was not as expected.
  absl::Status status() const;

 private:
  // Takes the value of a parser.
  template <typename T>
  T Take(absl::optional<T> value) {
    if (value) return *std::move(value);
    failed_ = true;
    return T();
  }

  bool IsBinary() const { return format_ == FieldFormat::kBinary; }

  absl::Span<const Field> fields_;
  FieldFormat format_;
  size_t next_ = 0;
  bool failed_ = false;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_FIELD_READER_H_
