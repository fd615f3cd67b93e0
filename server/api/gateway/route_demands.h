// What a gateway's route asks of a token: from the gateway's configuration,
// never from the request.
#ifndef WEMASY_SERVER_API_GATEWAY_ROUTE_DEMANDS_H_
#define WEMASY_SERVER_API_GATEWAY_ROUTE_DEMANDS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/token/resource_name.h"
#include "server/token/scope_set.h"

namespace wemasy::tokens {

struct RouteDemands {
  ScopeSet required_scopes;
  absl::optional<ProjectId> expected_project;
};

// A setting of a route: of Envoy's context_extensions, or of the query of
// GET /check.
struct RouteSetting {
  absl::string_view key;
  absl::string_view value;
};

// Reads
//
//   required_scopes  one or more scopes, with a space or comma between
//   project          projects/{project}
//
// each at most once. Returns InvalidArgument, which names the key, for anything
// else: a route whose configuration is not understood must not be open.
absl::StatusOr<RouteDemands> ParseRouteDemands(
    absl::Span<const RouteSetting> settings);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GATEWAY_ROUTE_DEMANDS_H_
