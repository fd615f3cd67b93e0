// What the fields of requests must look like. Each rule adds to `violations`
// what is wrong, and never repeats the value itself.
#ifndef WEMASY_SERVER_LIFECYCLE_FIELD_RULES_H_
#define WEMASY_SERVER_LIFECYCLE_FIELD_RULES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/token/error.h"
#include "server/token/record.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;
inline constexpr size_t kMaxLeakedTokens = 1000;
// A token may live for at most ten years from its creation or update on.
inline constexpr absl::Duration kMaxTokenLifetime = absl::Hours(24 * 3653);
inline constexpr absl::Duration kMaxGracePeriod = absl::Hours(24 * 7);

void CheckDisplayName(FieldViolations& violations, absl::string_view field,
                      absl::string_view value);
void CheckDescription(FieldViolations& violations, absl::string_view field,
                      absl::string_view value);
void CheckComment(FieldViolations& violations, absl::string_view field,
                  absl::string_view value);
void CheckActor(FieldViolations& violations, absl::string_view field,
                absl::string_view value);
void CheckScopes(FieldViolations& violations, absl::string_view field,
                 const std::vector<std::string>& scopes);
void CheckMetadata(FieldViolations& violations, absl::string_view field,
                   const Metadata& metadata);
// At most `max_length` characters of printable ASCII.
void CheckPrintable(FieldViolations& violations, absl::string_view field,
                    absl::string_view value, size_t max_length);
// A UUID of version 4, or nothing.
void CheckRequestId(FieldViolations& violations, absl::string_view field,
                    absl::string_view value);
// After `now`, and no more than kMaxTokenLifetime after it.
void CheckExpireTime(FieldViolations& violations, absl::string_view field,
                     absl::Time value, absl::Time now);
void CheckGracePeriod(FieldViolations& violations, absl::string_view field,
                      absl::Duration value);

// Parse a field, or add a violation and return something empty.
TokenName ParseTokenName(FieldViolations& violations, absl::string_view field,
                         absl::string_view value);
ProjectId ParseProject(FieldViolations& violations, absl::string_view field,
                       absl::string_view value);
// As ParseProject; nothing for `projects/-`, which is all projects.
absl::optional<ProjectId> ParseProjectOrAll(FieldViolations& violations,
                                            absl::string_view field,
                                            absl::string_view value);
// kDefaultPageSize for 0, and never more than kMaxPageSize.
int ParsePageSize(FieldViolations& violations, absl::string_view field,
                  int value);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_FIELD_RULES_H_
