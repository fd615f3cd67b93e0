// Resource names (AIP-122): `projects/{project}/tokens/{token}`.
#ifndef WEMASY_SERVER_TOKEN_RESOURCE_NAME_H_
#define WEMASY_SERVER_TOKEN_RESOURCE_NAME_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

// What a name is made of, besides ids.
inline constexpr absl::string_view kProjectsPart = "projects/";
inline constexpr absl::string_view kTokensPart = "/tokens/";

// The id of one of the platform's projects: 1 to 63 lower-case letters, digits
// and hyphens, with no hyphen at either end. A value type.
class ProjectId {
 public:
  static constexpr size_t kMaxLength = 63;

  // No project; not well-formed.
  ProjectId() = default;

  // Nothing if `text` is not well-formed.
  static absl::optional<ProjectId> Parse(absl::string_view text);
  // Parses `projects/{project}`.
  static absl::optional<ProjectId> ParseName(absl::string_view name);

  const std::string& text() const { return text_; }
  // `projects/{project}`.
  std::string Name() const;

  friend bool operator==(const ProjectId& a, const ProjectId& b) {
    return a.text_ == b.text_;
  }
  friend bool operator!=(const ProjectId& a, const ProjectId& b) {
    return !(a == b);
  }
  friend bool operator<(const ProjectId& a, const ProjectId& b) {
    return a.text_ < b.text_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const ProjectId& id) {
    return H::combine(std::move(h), id.text_);
  }

 private:
  explicit ProjectId(absl::string_view text) : text_(text) {}

  std::string text_;
};

// The resource name of a token. A value type.
struct TokenName {
  ProjectId project;
  TokenId token;

  // Parses `projects/{project}/tokens/{token}`; nothing if malformed.
  static absl::optional<TokenName> Parse(absl::string_view name);
  std::string ToString() const;
  // The name of its project in a token's well-formed name.
  static absl::string_view ProjectIn(absl::string_view name);

  friend bool operator==(const TokenName& a, const TokenName& b) {
    return a.project == b.project && a.token == b.token;
  }
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_RESOURCE_NAME_H_
