// The settings of a route, as they stand in the query of GET /check.
#ifndef WEMASY_SERVER_API_HTTP_ROUTE_QUERY_H_
#define WEMASY_SERVER_API_HTTP_ROUTE_QUERY_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace wemasy::tokens {

// The path of a request's target: what comes before the query.
absl::string_view PathOf(absl::string_view target);

// The query of a request's target, names and values in their order
// (application/x-www-form-urlencoded). Nothing if a percent sign does not begin
// an encoded byte, or a name has no value.
absl::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(
    absl::string_view target);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_HTTP_ROUTE_QUERY_H_
