#include "client/cli/arguments.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "common/token_format.h"

namespace wemasy::tokens::cli {
namespace {

constexpr absl::string_view kProjects = "projects/";
constexpr absl::string_view kReasonPrefix = "REVOKE_REASON_";
constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kLongestSpan = absl::Hours(24 * 365 * 1000);

// Shorter pieces of a secret are too likely to be something else.
constexpr size_t kSuspiciousLength = 20;

absl::Duration UnitLength(char unit) {
  switch (unit) {
    case 'y':
      return 365 * kDay;
    case 'w':
      return 7 * kDay;
    case 'd':
      return kDay;
    case 'h':
      return absl::Hours(1);
    case 'm':
      return absl::Minutes(1);
    case 's':
      return absl::Seconds(1);
    default:
      return absl::ZeroDuration();
  }
}

absl::Status SpanError(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is no length of time, want such as 90d or 1h30m"));
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view text, absl::Time now,
                                     int direction) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  const absl::StatusOr<absl::Duration> span = ParseSpan(text);
  if (!span.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\" is no time, want such as 90d, 1h30m or "
                     "2027-01-31T00:00:00Z"));
  }
  return now + direction * *span;
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

std::string Quoted(absl::Time time) { return Quoted(ToRfc3339(time)); }

}  // namespace

std::string ToRfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

bool ContainsSecret(absl::string_view argument) {
  while (true) {
    const size_t at = argument.find(kTokenPrefix);
    if (at == absl::string_view::npos) return false;
    argument.remove_prefix(at + kTokenPrefix.size());
    const auto end =
        std::find_if_not(argument.begin(), argument.end(), absl::ascii_isalnum);
    if (end - argument.begin() >= static_cast<int>(kSuspiciousLength)) {
      return true;
    }
  }
}

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text) {
  absl::Duration sum;
  absl::string_view rest = text;
  if (rest == "0") return sum;
  if (rest.empty()) return SpanError(text);
  while (!rest.empty()) {
    const size_t unit_at = rest.find_first_not_of("0123456789");
    int32_t number = 0;
    if (unit_at == absl::string_view::npos ||
        !absl::SimpleAtoi(rest.substr(0, unit_at), &number)) {
      return SpanError(text);
    }
    const absl::Duration unit = UnitLength(rest[unit_at]);
    if (unit == absl::ZeroDuration()) return SpanError(text);
    sum += number * unit;
    if (sum > kLongestSpan) return SpanError(text);
    rest.remove_prefix(unit_at + 1);
  }
  return sum;
}

absl::StatusOr<absl::Time> ParseTimeAhead(absl::string_view text,
                                          absl::Time now) {
  return ParseTime(text, now, 1);
}

absl::StatusOr<absl::Time> ParseTimeAgo(absl::string_view text,
                                        absl::Time now) {
  return ParseTime(text, now, -1);
}

absl::StatusOr<absl::optional<absl::Time>> ParseExpiry(absl::string_view text,
                                                       absl::Time now) {
  if (text == "never") return absl::optional<absl::Time>();
  ASSIGN_OR_RETURN(const absl::Time time, ParseTimeAhead(text, now));
  return absl::optional<absl::Time>(time);
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

absl::StatusOr<std::string> ProjectName(absl::string_view project) {
  absl::ConsumePrefix(&project, kProjects);
  if (project.empty()) {
    return absl::InvalidArgumentError(
        "no project given, want --project NAME or TOKENCTL_PROJECT");
  }
  return absl::StrCat(kProjects, project);
}

absl::StatusOr<std::string> TokenName(absl::string_view token,
                                      absl::string_view project) {
  if (absl::StartsWith(token, kProjects)) return std::string(token);
  if (project.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", token,
                     "\" is no resource name, want "
                     "projects/PROJECT/tokens/ID, or --project with an id"));
  }
  ASSIGN_OR_RETURN(const std::string parent, ProjectName(project));
  return absl::StrCat(parent, "/tokens/", token);
}

absl::StatusOr<std::map<std::string, std::string>> ParseMetadata(
    absl::Span<const std::string> pairs) {
  std::map<std::string, std::string> metadata;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata is \"", pair, "\", want KEY=VALUE"));
    }
    const std::string key = pair.substr(0, equals);
    if (!metadata.emplace(key, pair.substr(equals + 1)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("metadata key ", key, " is given twice"));
    }
  }
  return metadata;
}

std::vector<std::string> RevokeReasonNames() {
  std::vector<std::string> names;
  const auto* reasons = v1::RevokeReason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    if (reasons->value(i)->number() == v1::REVOKE_REASON_UNSPECIFIED) continue;
    names.emplace_back(
        absl::StripPrefix(reasons->value(i)->name(), kReasonPrefix));
  }
  return names;
}

absl::StatusOr<v1::RevokeReason> ParseRevokeReason(absl::string_view text) {
  const std::string name = absl::StrCat(
      kReasonPrefix,
      absl::StrReplaceAll(absl::AsciiStrToUpper(text), {{"-", "_"}}));
  v1::RevokeReason reason = v1::REVOKE_REASON_UNSPECIFIED;
  if (!v1::RevokeReason_Parse(name, &reason) ||
      reason == v1::REVOKE_REASON_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        absl::StrCat("reason is \"", text, "\", want one of ",
                     absl::StrJoin(RevokeReasonNames(), ", ")));
  }
  return reason;
}

std::string ToExpression(const ListFilter& filter) {
  std::vector<std::string> terms;
  if (!filter.state.empty()) {
    terms.push_back(
        absl::StrCat("state = ", absl::AsciiStrToUpper(filter.state)));
  }
  if (!filter.creator.empty()) {
    terms.push_back(absl::StrCat("creator = ", Quoted(filter.creator)));
  }
  if (filter.unused_since) {
    terms.push_back(
        absl::StrCat("last_used_time < ", Quoted(*filter.unused_since)));
  }
  if (filter.expires_before) {
    terms.push_back(
        absl::StrCat("expire_time < ", Quoted(*filter.expires_before)));
  }
  if (!filter.expression.empty()) terms.push_back(filter.expression);
  return absl::StrJoin(terms, " AND ");
}

}  // namespace wemasy::tokens::cli
