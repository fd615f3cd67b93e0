// Turns what people type into what the API takes.
#ifndef WEMASY_CLIENT_CLI_ARGUMENTS_H_
#define WEMASY_CLIENT_CLI_ARGUMENTS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "google/protobuf/timestamp.pb.h"
#include "wemasy/tokens/v1/token.pb.h"

namespace wemasy::tokens::cli {

// Whether an argument contains what looks like a token's secret. Arguments
// are seen by every user of a machine, and kept in the shell's history.
bool ContainsSecret(absl::string_view argument);

// Parses a sum of numbers with units, such as `90d` or `1h30m`: y (365 days),
// w, d, h, m, s. Returns InvalidArgument for anything else, and for more than
// a thousand years.
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text);

// Parses a time: an RFC 3339 time, or a span as of ParseSpan that is added to
// `now`. Returns InvalidArgument if it is neither.
absl::StatusOr<absl::Time> ParseTimeAhead(absl::string_view text,
                                          absl::Time now);

// As ParseTimeAhead, but a span is subtracted.
absl::StatusOr<absl::Time> ParseTimeAgo(absl::string_view text, absl::Time now);

// Such as ParseTimeAhead reads, with all of its fraction.
std::string ToRfc3339(absl::Time time);

// As ParseTimeAhead, with `never` for none.
absl::StatusOr<absl::optional<absl::Time>> ParseExpiry(absl::string_view text,
                                                       absl::Time now);

google::protobuf::Timestamp ToProto(absl::Time time);
absl::Time FromProto(const google::protobuf::Timestamp& time);

// `demo` or `projects/demo` to `projects/demo`. Returns InvalidArgument if
// `project` is empty.
absl::StatusOr<std::string> ProjectName(absl::string_view project);

// A full resource name as it is, or a token's id within `project`. Returns
// InvalidArgument if it is an id and `project` is empty.
absl::StatusOr<std::string> TokenName(absl::string_view token,
                                      absl::string_view project);

// Parses `key=value` pairs. Returns InvalidArgument without `=`, or for a key
// given twice.
absl::StatusOr<std::map<std::string, std::string>> ParseMetadata(
    absl::Span<const std::string> pairs);

// The names of the reasons for a revocation, without their prefix.
std::vector<std::string> RevokeReasonNames();

// Parses one of RevokeReasonNames(), in any case, `-` as `_`. Returns
// InvalidArgument for anything else.
absl::StatusOr<v1::RevokeReason> ParseRevokeReason(absl::string_view text);

// What `list` shall show; empty strings do not matter.
struct ListFilter {
  std::string state;
  std::string creator;
  absl::optional<absl::Time> unused_since;
  absl::optional<absl::Time> expires_before;
  // As typed, joined with the others.
  std::string expression;
};

// The filter in the language of ListTokens.
std::string ToExpression(const ListFilter& filter);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_ARGUMENTS_H_
