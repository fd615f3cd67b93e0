#include "server/lifecycle/field_rules.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/lifecycle/utf8.h"

namespace wemasy::tokens {
namespace {

constexpr size_t kMaxDisplayName = 100;
constexpr size_t kMaxDescription = 1000;
constexpr size_t kMaxComment = 500;
constexpr size_t kMaxActor = 128;
constexpr size_t kMaxMetadataPairs = 16;
constexpr size_t kMaxMetadataKey = 63;
constexpr size_t kMaxMetadataValue = 256;

bool IsPrintableAscii(absl::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return absl::ascii_isprint(c); });
}

bool IsMetadataKey(absl::string_view key) {
  return !key.empty() && key.size() <= kMaxMetadataKey &&
         absl::ascii_islower(key[0]) &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                  c == '_' || c == '.' || c == '-';
         });
}

// Text for people: valid UTF-8 of at most `max` characters, in which no
// control character is but, where `lines` says so, the line feed.
void CheckText(FieldViolations& violations, absl::string_view field,
               absl::string_view value, size_t max, bool lines) {
  const auto code_points = DecodeUtf8(value);
  if (!code_points) {
    violations.Add(field, "is not valid UTF-8");
    return;
  }
  if (code_points->size() > max) {
    violations.Add(field, absl::StrCat("has ", code_points->size(),
                                       " characters, want at most ", max));
  }
  const bool has_control = std::any_of(
      code_points->begin(), code_points->end(),
      [lines](char32_t c) { return IsControl(c) && !(lines && c == '\n'); });
  if (has_control) {
    violations.Add(field, "has a control character, want none");
  }
}

}  // namespace

void CheckDisplayName(FieldViolations& violations, absl::string_view field,
                      absl::string_view value) {
  if (value.empty()) {
    violations.Add(field, "is empty, want 1 to 100 characters");
    return;
  }
  CheckText(violations, field, value, kMaxDisplayName, /*lines=*/false);
  if (absl::StripAsciiWhitespace(value).size() != value.size()) {
    violations.Add(field, "begins or ends with white space, want none there");
  }
}

void CheckDescription(FieldViolations& violations, absl::string_view field,
                      absl::string_view value) {
  CheckText(violations, field, value, kMaxDescription, /*lines=*/true);
}

void CheckComment(FieldViolations& violations, absl::string_view field,
                  absl::string_view value) {
  CheckText(violations, field, value, kMaxComment, /*lines=*/true);
}

void CheckPrintable(FieldViolations& violations, absl::string_view field,
                    absl::string_view value, size_t max_length) {
  if (value.size() > max_length) {
    violations.Add(field, absl::StrCat("has ", value.size(),
                                       " bytes, want at most ", max_length));
  }
  if (!IsPrintableAscii(value)) {
    violations.Add(field,
                   "has a character that is not printable ASCII, want none");
  }
}

void CheckActor(FieldViolations& violations, absl::string_view field,
                absl::string_view value) {
  if (value.empty()) {
    violations.Add(field, "is empty, want the user on whose behalf this is");
  }
  CheckPrintable(violations, field, value, kMaxActor);
}

void CheckScopes(FieldViolations& violations, absl::string_view field,
                 const std::vector<std::string>& scopes) {
  if (scopes.size() > kMaxScopes) {
    violations.Add(field, absl::StrCat("has ", scopes.size(),
                                       " scopes, want at most ", kMaxScopes));
    return;
  }
  for (size_t i = 0; i < scopes.size(); ++i) {
    if (IsScopeWellFormed(scopes[i])) continue;
    violations.Add(absl::StrCat(field, "[", i, "]"),
                   absl::StrCat("has ", scopes[i].size(),
                                " bytes and is no scope, want 1 to 64 "
                                "characters [a-z][a-z0-9_.:/-]*"));
  }
}

void CheckMetadata(FieldViolations& violations, absl::string_view field,
                   const Metadata& metadata) {
  if (metadata.size() > kMaxMetadataPairs) {
    violations.Add(
        field, absl::StrCat("has ", metadata.size(), " pairs, want at most ",
                            kMaxMetadataPairs));
  }
  for (const auto& [key, value] : metadata) {
    if (!IsMetadataKey(key)) {
      violations.Add(field, absl::StrCat("has a malformed key of ", key.size(),
                                         " bytes, want 1 to 63 characters "
                                         "[a-z][a-z0-9_.-]*"));
      continue;
    }
    CheckPrintable(violations, absl::StrCat(field, "[", key, "]"), value,
                   kMaxMetadataValue);
  }
}

void CheckRequestId(FieldViolations& violations, absl::string_view field,
                    absl::string_view value) {
  // RFC 9562: the version is 4, the variant y one of 8, 9, a, b.
  constexpr absl::string_view kForm = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  if (value.empty()) return;
  bool well_formed = value.size() == kForm.size();
  for (size_t i = 0; well_formed && i < value.size(); ++i) {
    const char c = absl::ascii_tolower(value[i]);
    switch (kForm[i]) {
      case 'x':
        well_formed = absl::ascii_isxdigit(c);
        break;
      case 'y':
        well_formed = c == '8' || c == '9' || c == 'a' || c == 'b';
        break;
      default:
        well_formed = c == kForm[i];
    }
  }
  if (!well_formed) {
    violations.Add(
        field,
        absl::StrCat("has ", value.size(),
                     " bytes and is no random UUID, want one as ", kForm));
  }
}

void CheckExpireTime(FieldViolations& violations, absl::string_view field,
                     absl::Time value, absl::Time now) {
  if (value <= now) {
    violations.Add(field, absl::StrCat("is ", absl::FormatTime(value),
                                       ", want a time in the future"));
  } else if (value > now + kMaxTokenLifetime) {
    violations.Add(field, absl::StrCat("is ", absl::FormatTime(value),
                                       ", want at most ten years ahead"));
  }
}

void CheckGracePeriod(FieldViolations& violations, absl::string_view field,
                      absl::Duration value) {
  if (value < absl::ZeroDuration() || value > kMaxGracePeriod) {
    violations.Add(field, absl::StrCat("is ", absl::FormatDuration(value),
                                       ", want 0s to 168h"));
  }
}

TokenName ParseTokenName(FieldViolations& violations, absl::string_view field,
                         absl::string_view value) {
  const auto name = TokenName::Parse(value);
  if (name) return *name;
  violations.Add(field, absl::StrCat("has ", value.size(),
                                     " bytes and is no resource name, want "
                                     "projects/{project}/tokens/{token}"));
  return {};
}

ProjectId ParseProject(FieldViolations& violations, absl::string_view field,
                       absl::string_view value) {
  const auto project = ProjectId::ParseName(value);
  if (project) return *project;
  violations.Add(field, absl::StrCat("has ", value.size(),
                                     " bytes and is no resource name, want "
                                     "projects/{project}"));
  return {};
}

absl::optional<ProjectId> ParseProjectOrAll(FieldViolations& violations,
                                            absl::string_view field,
                                            absl::string_view value) {
  if (value == "projects/-") return absl::nullopt;
  return ParseProject(violations, field, value);
}

int ParsePageSize(FieldViolations& violations, absl::string_view field,
                  int value) {
  if (value < 0) {
    violations.Add(field, absl::StrCat("is ", value, ", want 0 to 1000"));
  }
  if (value <= 0) return kDefaultPageSize;
  return std::min(value, kMaxPageSize);
}

}  // namespace wemasy::tokens
