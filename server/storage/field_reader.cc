#include "server/storage/field_reader.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "server/token/error.h"

namespace wemasy::tokens {

absl::string_view FieldReader::Text() {
  if (next_ >= fields_.size() || !fields_[next_].has_value()) {
    failed_ = true;
    ++next_;
    return {};
  }
  return *fields_[next_++];
}

absl::optional<std::string> FieldReader::OptionalText() {
  if (NextIsNull()) {
    Skip();
    return absl::nullopt;
  }
  return std::string(Text());
}

int64_t FieldReader::Int() {
  int64_t number = 0;
  if (!absl::SimpleAtoi(Text(), &number)) failed_ = true;
  return number;
}

bool FieldReader::Bool() {
  const absl::string_view text = Text();
  if (IsBinary()) return Take(ParseBinaryBool(text));
  if (text != "t" && text != "f") failed_ = true;
  return text == "t";
}

absl::Time FieldReader::Time() {
  return Take(IsBinary() ? ParseBinaryTime(Text()) : ParseTime(Text()));
}

absl::optional<absl::Time> FieldReader::OptionalTime() {
  if (NextIsNull()) {
    Skip();
    return absl::nullopt;
  }
  return Time();
}

std::string FieldReader::Bytes() { return Take(ParseBytes(Text())); }

TokenDigest FieldReader::Digest() {
  return Take(IsBinary() ? TokenDigest::FromBytes(Text())
                         : ParseDigest(Text()));
}

TokenId FieldReader::Id() {
  return Take(IsBinary() ? TokenId::FromBytes(Text()) : ParseId(Text()));
}

ProjectId FieldReader::Project() { return Take(ProjectId::Parse(Text())); }

std::vector<std::string> FieldReader::Array() {
  return Take(ParseArray(Text()));
}

std::map<std::string, std::string> FieldReader::Pairs() {
  return Take(ParsePairs(Text()));
}

absl::Status FieldReader::status() const {
  if (!failed_ && next_ == fields_.size()) return absl::OkStatus();
  return MakeError(ErrorReason::kInternal, "a stored row is malformed");
}

}  // namespace wemasy::tokens
