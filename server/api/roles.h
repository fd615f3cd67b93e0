// Which caller may do what: the roles file.
//
//   {"bindings": [
//     {"identity": "spiffe://wemasy.local/gateway", "roles": ["validator"]},
//     {"identity": "shop-backend.wemasy.local", "roles": ["manager"],
//      "projects": ["shop-1", "shop-2"]}]}
//
// What is not in it is denied. `projects` restricts the role manager to the
// projects named; without it, or as ["-"], it is for all. An identity has one
// binding, so that a reader sees all that it may do in one place.
#ifndef WEMASY_SERVER_API_ROLES_H_
#define WEMASY_SERVER_API_ROLES_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

// The identities of callers without a certificate. No certificate can claim
// them.
//
// Of callers that only this machine can hold.
inline constexpr absl::string_view kLocalIdentity = "local";
// Of callers from anywhere, if the operator allowed plaintext from anywhere.
inline constexpr absl::string_view kPlaintextIdentity = "plaintext";

// What a caller may do. The values are bits.
enum class Role : unsigned {
  // AuthService.
  kValidator = 1,
  // TokenService, for all or for named projects.
  kManager = 2,
  // Leaks and the audit trail, for all projects.
  kSecurity = 4,
};

// The role's name in the roles file and in errors.
absl::string_view RoleName(Role role);

// What one identity may do. A value type; by default nothing.
class Grants {
 public:
  bool Has(Role role) const {
    return (roles_ & static_cast<unsigned>(role)) != 0;
  }
  // Whether it is a manager, for every project.
  bool ManagesAll() const { return Has(Role::kManager) && projects_.empty(); }
  // Whether it is a manager for `project`.
  bool Manages(const ProjectId& project) const {
    return Has(Role::kManager) &&
           (projects_.empty() || projects_.contains(project.text()));
  }

  void Add(Role role) { roles_ |= static_cast<unsigned>(role); }
  void RestrictTo(const ProjectId& project) {
    projects_.insert(project.text());
  }

 private:
  unsigned roles_ = 0;
  // All if empty.
  absl::flat_hash_set<std::string> projects_;
};

// The content of a roles file. Immutable, thus thread-safe.
class RoleTable {
 public:
  // An identity and what it may do.
  using Binding = std::pair<const std::string, Grants>;

  // Nobody may do anything.
  RoleTable() = default;

  // Returns InvalidArgument, naming every fault of the file with its path,
  // one a line, if `json` is not a roles file.
  static absl::StatusOr<RoleTable> Parse(absl::string_view json);

  // Null if the identity has no binding. Valid as long as this object.
  const Binding* Find(absl::string_view identity) const {
    const auto found = bindings_.find(identity);
    return found == bindings_.end() ? nullptr : &*found;
  }
  size_t size() const { return bindings_.size(); }

 private:
  // Bindings stay where they are when the table is moved, not when copied.
  absl::flat_hash_map<std::string, Grants> bindings_;
};

// Whether `name` can be an identity that a certificate's DNS name gives: not
// one of the identities above, and no URI.
bool IsDnsIdentity(absl::string_view name);

// Whether `uri` can be an identity that a certificate's URI gives: it has a
// scheme, and nothing but printable ASCII.
bool IsUriIdentity(absl::string_view uri);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_ROLES_H_
