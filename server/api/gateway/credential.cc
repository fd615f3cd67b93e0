#include "server/api/gateway/credential.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kAuthorization = "authorization";
constexpr absl::string_view kScheme = "bearer";

// The rest of a value of the scheme Bearer; false if it is of another one.
bool ConsumeScheme(absl::string_view* value) {
  if (!absl::StartsWithIgnoreCase(*value, kScheme)) return false;
  absl::string_view rest = value->substr(kScheme.size());
  if (!rest.empty() && rest.front() != ' ') return false;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  *value = rest;
  return true;
}

// Whether one of several joined values is of the scheme Bearer.
bool MentionsScheme(absl::string_view value) {
  for (absl::string_view part : absl::StrSplit(value, ',')) {
    part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
    if (ConsumeScheme(&part)) return true;
  }
  return false;
}

bool IsOneToken(absl::string_view text) {
  return !text.empty() && !absl::StrContains(text, ' ') &&
         !absl::StrContains(text, '\t') && !absl::StrContains(text, ',');
}

}  // namespace

CredentialReader::CredentialReader(std::vector<std::string> token_headers)
    : headers_(std::move(token_headers)) {
  headers_.emplace(headers_.begin(), kAuthorization);
}

bool CredentialReader::Reads(absl::string_view name) const {
  return Find(name) != headers_.end();
}

std::vector<std::string>::const_iterator CredentialReader::Find(
    absl::string_view name) const {
  return std::find_if(headers_.begin(), headers_.end(),
                      [name](const std::string& header) {
                        return absl::EqualsIgnoreCase(header, name);
                      });
}

Credential CredentialReader::Read(absl::Span<const HeaderField> fields) const {
  Credential found;
  for (const HeaderField& field : fields) {
    const auto header = Find(field.name);
    if (header == headers_.end()) continue;
    absl::string_view value = field.value;
    if (*header == kAuthorization) {
      // Other schemes are none of this service's business.
      if (!ConsumeScheme(&value) && !MentionsScheme(value)) continue;
    }
    if (found.kind != Credential::Kind::kMissing || !IsOneToken(value)) {
      return {Credential::Kind::kUnusable, {}};
    }
    found = {Credential::Kind::kToken, value};
  }
  return found;
}

}  // namespace wemasy::tokens
