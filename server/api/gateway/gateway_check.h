// What a gateway does with a request: one contract for ext_authz and for
// GET /check.
#ifndef WEMASY_SERVER_API_GATEWAY_GATEWAY_CHECK_H_
#define WEMASY_SERVER_API_GATEWAY_GATEWAY_CHECK_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/api/gateway/credential.h"
#include "server/api/gateway/route_demands.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {

// The headers by which an upstream knows who calls. All are ASCII; the longest
// is the scopes', 64 of 64 characters and a space between: 4159 bytes.
inline constexpr absl::string_view kProjectHeader = "x-wemasy-project";
inline constexpr absl::string_view kTokenHeader = "x-wemasy-token";
// Empty for a token without scopes.
inline constexpr absl::string_view kScopesHeader = "x-wemasy-scopes";

// Whether a header's name is of those that only this service may set:
// `x-wemasy-` and anything, in any case. A hyphen may be an underscore or a
// dot, as for many upstreams there is no difference.
bool IsReservedHeader(absl::string_view name);

// The id that the gateway gave the request, which its own log has, too. Empty
// if there is none that is well-formed, or more than one.
absl::string_view RequestIdIn(absl::Span<const HeaderField> fields);

struct GatewayAnswer {
  // 200 to let the request pass, otherwise the status of the response: 400 for
  // more than one credential, 401 for none or one that is not valid, 403 for
  // one that the route does not take, 503 if this replica cannot vouch for any
  // answer now, 500 if somebody has to mend something first.
  int http_status = 0;
  // To be set on the request that passes, or on the response.
  std::vector<std::pair<absl::string_view, std::string>> headers;
  // Of the response. The same whatever the reason: whoever has a token that
  // does not work learns nothing from it.
  absl::string_view body;
  // What was decided of the token; nothing if there was none to decide of, or
  // no decision.
  absl::optional<Validation> validation;
  // That token's resource name, and its scopes; empty for a verdict that has
  // none.
  std::string token;
  ScopeSet scopes;
  // OK for each decision, and why there is none otherwise.
  absl::Status status;

  bool is_allowed() const { return http_status == 200; }
};

// The answer when there is no decision because of `status`, which is not OK:
// 503 for Unavailable, otherwise 500.
GatewayAnswer Undecided(const absl::Status& status);

// Thread-safe.
class GatewayCheck {
 public:
  // `validator` must outlive this object.
  GatewayCheck(const Validator* validator, CredentialReader credentials)
      : validator_(*validator), credentials_(std::move(credentials)) {}

  // Decides on a request with the headers `fields`, on a route with
  // `settings`. Never fails: where it cannot tell, the request does not pass.
  GatewayAnswer Check(absl::Span<const HeaderField> fields,
                      absl::Span<const RouteSetting> settings) const;

  // Whether an upstream must not see a header of that name as the client sent
  // it: it may have a credential, or passes for this service's word.
  bool IsToBeRemoved(absl::string_view name) const {
    return IsReservedHeader(name) || credentials_.Reads(name);
  }

 private:
  const Validator& validator_;
  const CredentialReader credentials_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GATEWAY_GATEWAY_CHECK_H_
