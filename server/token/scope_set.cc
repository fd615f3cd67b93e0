#include "server/token/scope_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace wemasy::tokens {

bool IsScopeWellFormed(absl::string_view scope) {
  if (scope.empty() || scope.size() > kMaxScopeLength) return false;
  if (!absl::ascii_islower(scope[0])) return false;
  return std::all_of(scope.begin(), scope.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' ||
           c == '.' || c == ':' || c == '/' || c == '-';
  });
}

ScopeSet::ScopeSet(std::vector<std::string> scopes)
    : scopes_(std::move(scopes)) {
  std::sort(scopes_.begin(), scopes_.end());
  scopes_.erase(std::unique(scopes_.begin(), scopes_.end()), scopes_.end());
}

bool ScopeSet::ContainsAll(const ScopeSet& other) const {
  return std::includes(scopes_.begin(), scopes_.end(), other.scopes_.begin(),
                       other.scopes_.end());
}

}  // namespace wemasy::tokens
