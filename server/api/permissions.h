// Which rpc needs which role: the one place that says so.
#ifndef WEMASY_SERVER_API_PERMISSIONS_H_
#define WEMASY_SERVER_API_PERMISSIONS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/api/roles.h"

namespace wemasy::tokens {

// The rpcs of the services.
enum class Rpc {
  kValidate,
  kWatch,
  kCheck,
  kGetSelf,
  kRevokeSelf,
  kCreateToken,
  kGetToken,
  kListTokens,
  kUpdateToken,
  kRevokeToken,
  kRotateToken,
  kRevokeLeakedTokens,
  kListAuditEvents,
};
inline constexpr int kRpcCount = 13;

// Whom an rpc lets in.
enum class Access {
  // Callers with the role validator.
  kValidator,
  // Managers of the project that the request names; of `projects/-` those of
  // all projects.
  kManager,
  // Callers with the role security.
  kSecurity,
  // Callers with the role security, and managers of the project that the
  // request names; not managers of `projects/-`.
  kSecurityOrManager,
};

// What there is to know of an rpc before it is served.
struct RpcInfo {
  Rpc rpc;
  // `{package}.{service}/{method}`.
  absl::string_view full_name;
  Access access;
  // Whether it changes anything.
  bool is_mutation;
};

const RpcInfo& InfoOf(Rpc rpc);

// Decides whether a caller with `grants` (null for none) may call `rpc` about
// `resource`: the request's `parent` or `name`, as it came, or empty for an
// rpc that has none. Nothing is looked up for it. A manager of named projects
// is not let in with a malformed resource.
//
// Returns kRoleMissing if not.
absl::Status Authorize(Rpc rpc, const Grants* grants,
                       absl::string_view resource);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_PERMISSIONS_H_
