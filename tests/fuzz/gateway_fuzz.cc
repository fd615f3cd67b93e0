// What a gateway shows of a request: a target, then headers, a line each.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/api/gateway/credential.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/gateway/route_demands.h"
#include "server/api/http/route_query.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wemasy::tokens;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');

  if (const auto query = ParseQuery(lines[0])) {
    std::vector<RouteSetting> settings;
    for (const auto& [key, value] : *query) settings.push_back({key, value});
    ParseRouteDemands(settings).status().IgnoreError();
  }
  if (PathOf(lines[0]).size() > lines[0].size()) abort();

  std::vector<HeaderField> fields;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    fields.push_back({field.first, field.second});
    IsReservedHeader(field.first);
  }
  static const auto& reader = *new CredentialReader({"x-api-key"});
  const Credential credential = reader.Read(fields);
  // A token has no room for a second one.
  if (credential.kind == Credential::Kind::kToken &&
      credential.token.find_first_of(" ,") != absl::string_view::npos) {
    abort();
  }
  RequestIdIn(fields);
  return 0;
}
