// What a token may be used for.
#ifndef WEMASY_SERVER_TOKEN_SCOPE_SET_H_
#define WEMASY_SERVER_TOKEN_SCOPE_SET_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

// The most scopes a token may have, and a request may require.
inline constexpr size_t kMaxScopes = 64;
inline constexpr size_t kMaxScopeLength = 64;

// Whether `scope` is 1 to 64 characters `[a-z][a-z0-9_.:/-]*`: a subset of the
// scope-token of RFC 6749.
bool IsScopeWellFormed(absl::string_view scope);

// A set of well-formed scopes, sorted. A value type.
class ScopeSet {
 public:
  ScopeSet() = default;
  // Sorts, and drops the second of two equal ones. Every scope must be well-
  // formed.
  explicit ScopeSet(std::vector<std::string> scopes);

  const std::vector<std::string>& scopes() const { return scopes_; }
  // Whether every scope of `other` is in this set.
  bool ContainsAll(const ScopeSet& other) const;

  friend bool operator==(const ScopeSet& a, const ScopeSet& b) {
    return a.scopes_ == b.scopes_;
  }
  friend bool operator!=(const ScopeSet& a, const ScopeSet& b) {
    return !(a == b);
  }
  template <typename H>
  friend H AbslHashValue(H h, const ScopeSet& set) {
    return H::combine(std::move(h), set.scopes_);
  }

 private:
  std::vector<std::string> scopes_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_SCOPE_SET_H_
