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

int64_t FieldReader::Int() {
  int64_t number = 0;
  if (!absl::SimpleAtoi(Text(), &number)) failed_ = true;
  return number;
}

bool FieldReader::Bool() {
  const absl::string_view text = Text();
  if (text != "t" && text != "f") failed_ = true;
  return text == "t";
}

absl::Time FieldReader::Time() { return Take(ParseTime(Text())); }

absl::optional<absl::Time> FieldReader::OptionalTime() {
  if (NextIsNull()) {
    Skip();
    return absl::nullopt;
  }
  return Time();
}

std::string FieldReader::Bytes() { return Take(ParseBytes(Text())); }

TokenDigest FieldReader::Digest() { return Take(ParseDigest(Text())); }

TokenId FieldReader::Id() { return Take(ParseId(Text())); }

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

void SplitCopyLine(std::string& line, std::vector<Field>& fields) {
  fields.clear();
  char* const data = line.data();
  size_t read = 0;
  while (read <= line.size()) {
    const size_t begin = read;
    size_t write = read;
    bool is_null = false;
    for (; read < line.size() && data[read] != '\t'; ++read) {
      char c = data[read];
      if (c == '\\' && read + 1 < line.size()) {
        c = data[++read];
        switch (c) {
          case 'N':
            is_null = write == begin;
            break;
          case 'b':
            c = '\b';
            break;
          case 'f':
            c = '\f';
            break;
          case 'n':
            c = '\n';
            break;
          case 'r':
            c = '\r';
            break;
          case 't':
            c = '\t';
            break;
          case 'v':
            c = '\v';
            break;
          default:
            break;
        }
      }
      data[write++] = c;
    }
    ++read;
    if (is_null) {
      fields.emplace_back(absl::nullopt);
    } else {
      fields.emplace_back(absl::string_view(data + begin, write - begin));
    }
  }
}

}  // namespace wemasy::tokens
