#include "server/lifecycle/filter.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace wemasy::tokens {
namespace {

// RFC 3339 has the years 1 to 9999.
const absl::Time kYear1 =
    absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone());
const absl::Time kYear10000 =
    absl::FromCivil(absl::CivilYear(10000), absl::UTCTimeZone());

constexpr size_t kMaxFilterLength = 1000;

// Reads a filter from left to right. The statuses it returns never leave this
// file; their messages become the violation.
class FilterParser {
 public:
  explicit FilterParser(absl::string_view text) : text_(text) {}

  absl::StatusOr<TokenFilter> Parse() {
    if (text_.size() > kMaxFilterLength) {
      return absl::InvalidArgumentError(absl::StrCat(
          "has ", text_.size(), " bytes, want at most ", kMaxFilterLength));
    }
    TokenFilter filter;
    SkipSpace();
    if (AtEnd()) return filter;
    while (true) {
      RETURN_IF_ERROR(ParseComparison(filter));
      SkipSpace();
      if (AtEnd()) return filter;
      if (Word() != "AND") return Unexpected("AND or the end");
    }
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && absl::ascii_isspace(text_[at_])) ++at_;
  }

  // The next run of letters, digits and underscores.
  absl::string_view Word() {
    SkipSpace();
    begin_ = at_;
    while (!AtEnd() && (absl::ascii_isalnum(text_[at_]) || text_[at_] == '_')) {
      ++at_;
    }
    return text_.substr(begin_, at_ - begin_);
  }

  // The next text in double quotes, in which \ takes the next character as it
  // is. Nothing that can be compared has control characters.
  absl::StatusOr<std::string> Quoted() {
    SkipSpace();
    begin_ = at_;
    if (AtEnd() || text_[at_] != '"') return Unexpected("a text in quotes");
    std::string value;
    for (++at_; !AtEnd(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return value;
      }
      if (text_[at_] == '\\' && ++at_ == text_.size()) break;
      if (absl::ascii_iscntrl(text_[at_])) {
        return Unexpected("a text without control characters");
      }
      value += text_[at_];
    }
    return Unexpected("a closing quote");
  }

  absl::StatusOr<absl::Time> Timestamp() {
    ASSIGN_OR_RETURN(const std::string text, Quoted());
    absl::Time time;
    std::string ignored;
    if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) ||
        time < kYear1 || time >= kYear10000) {
      return Unexpected("a time as \"2026-01-31T00:00:00Z\"");
    }
    return time;
  }

  absl::Status Operator(char wanted) {
    SkipSpace();
    begin_ = at_;
    if (AtEnd() || text_[at_] != wanted) {
      return Unexpected(
          absl::StrCat("the operator ", absl::string_view(&wanted, 1)));
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::Status ParseComparison(TokenFilter& filter) {
    const absl::string_view field = Word();
    if (field == "state" && !filter.state) return ParseState(filter);
    if (field == "creator" && !filter.creator) {
      RETURN_IF_ERROR(Operator('='));
      ASSIGN_OR_RETURN(filter.creator, Quoted());
      return absl::OkStatus();
    }
    if (field == "last_used_time" && !filter.unused_since) {
      RETURN_IF_ERROR(Operator('<'));
      ASSIGN_OR_RETURN(filter.unused_since, Timestamp());
      return absl::OkStatus();
    }
    if (field == "expire_time" && !filter.expires_before) {
      RETURN_IF_ERROR(Operator('<'));
      ASSIGN_OR_RETURN(filter.expires_before, Timestamp());
      return absl::OkStatus();
    }
    return Unexpected(
        "state, creator, last_used_time or expire_time, each at most once");
  }

  absl::Status ParseState(TokenFilter& filter) {
    RETURN_IF_ERROR(Operator('='));
    const absl::string_view state = Word();
    if (state == "ACTIVE") {
      filter.state = TokenState::kActive;
    } else if (state == "EXPIRED") {
      filter.state = TokenState::kExpired;
    } else if (state == "REVOKED") {
      filter.state = TokenState::kRevoked;
    } else {
      return Unexpected("ACTIVE, EXPIRED or REVOKED");
    }
    return absl::OkStatus();
  }

  absl::Status Unexpected(absl::string_view wanted) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "is not understood at character ", begin_ + 1, ", want ", wanted));
  }

  absl::string_view text_;
  size_t at_ = 0;
  // Where what was read last begins.
  size_t begin_ = 0;
};

}  // namespace

TokenFilter ParseFilter(FieldViolations& violations, absl::string_view text) {
  absl::StatusOr<TokenFilter> filter = FilterParser(text).Parse();
  if (filter.ok()) return *std::move(filter);
  violations.Add("filter", filter.status().message());
  return {};
}

}  // namespace wemasy::tokens
