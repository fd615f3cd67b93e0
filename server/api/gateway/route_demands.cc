#include "server/api/gateway/route_demands.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kRequiredScopes = "required_scopes";
constexpr absl::string_view kProject = "project";
// Of what was found in a configuration, in a message.
constexpr size_t kMaxShown = 80;

absl::Status Fault(absl::string_view key, absl::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("the route's setting \"",
                   absl::CHexEscape(key.substr(0, kMaxShown)), "\" ", problem));
}

absl::StatusOr<ScopeSet> ParseScopes(absl::string_view value) {
  const std::vector<std::string> scopes =
      absl::StrSplit(value, absl::ByAnyChar(" ,"), absl::SkipEmpty());
  if (scopes.empty() || scopes.size() > kMaxScopes) {
    return Fault(
        kRequiredScopes,
        absl::StrCat("has ", scopes.size(), " scopes, want 1 to ", kMaxScopes));
  }
  for (const std::string& scope : scopes) {
    if (IsScopeWellFormed(scope)) continue;
    return Fault(
        kRequiredScopes,
        absl::StrCat("has a malformed scope, want 1 to ", kMaxScopeLength,
                     " characters [a-z][a-z0-9_.:/-]*"));
  }
  return ScopeSet(scopes);
}

}  // namespace

absl::StatusOr<RouteDemands> ParseRouteDemands(
    absl::Span<const RouteSetting> settings) {
  RouteDemands demands;
  bool has_scopes = false;
  for (const RouteSetting& setting : settings) {
    if (setting.key == kRequiredScopes) {
      if (has_scopes) return Fault(setting.key, "is there twice");
      has_scopes = true;
      ASSIGN_OR_RETURN(demands.required_scopes, ParseScopes(setting.value));
    } else if (setting.key == kProject) {
      if (demands.expected_project) return Fault(setting.key, "is there twice");
      demands.expected_project = ProjectId::ParseName(setting.value);
      if (!demands.expected_project) {
        return Fault(setting.key, "is malformed, want projects/{project}");
      }
    } else {
      return Fault(
          setting.key,
          absl::StrCat("is unknown, want ", kRequiredScopes, " or ", kProject));
    }
  }
  return demands;
}

}  // namespace wemasy::tokens
