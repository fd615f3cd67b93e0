#include "server/token/resource_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace wemasy::tokens {

absl::optional<ProjectId> ProjectId::Parse(absl::string_view text) {
  if (text.empty() || text.size() > kMaxLength) return absl::nullopt;
  if (text.front() == '-' || text.back() == '-') return absl::nullopt;
  const bool well_formed = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
  if (!well_formed) return absl::nullopt;
  return ProjectId(text);
}

absl::optional<ProjectId> ProjectId::ParseName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kProjectsPart)) return absl::nullopt;
  return Parse(name);
}

std::string ProjectId::Name() const {
  return absl::StrCat(kProjectsPart, text_);
}

absl::optional<TokenName> TokenName::Parse(absl::string_view name) {
  const size_t tokens_at = name.find(kTokensPart);
  if (tokens_at == absl::string_view::npos) return absl::nullopt;
  const auto project = ProjectId::ParseName(name.substr(0, tokens_at));
  const auto token =
      TokenId::Parse(name.substr(tokens_at + kTokensPart.size()));
  if (!project || !token) return absl::nullopt;
  return TokenName{*project, *token};
}

std::string TokenName::ToString() const {
  return absl::StrCat(kProjectsPart, project.text(), kTokensPart,
                      token.ToString());
}

absl::string_view TokenName::ProjectIn(absl::string_view name) {
  return name.substr(0, name.find('/', kProjectsPart.size()));
}

}  // namespace wemasy::tokens
