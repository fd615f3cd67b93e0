#include "server/api/gateway/gateway_check.h"

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/api/request_id.h"

namespace wemasy::tokens {
namespace {

constexpr int kAllowed = 200;
constexpr int kBadRequest = 400;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kInternalError = 500;
constexpr int kUnavailable = 503;

constexpr absl::string_view kReservedPrefix = "x-wemasy-";

// The challenges of RFC 6750, section 3.
constexpr absl::string_view kChallenge = "Bearer realm=\"wemasy\"";
constexpr absl::string_view kInvalidRequest = "invalid_request";
constexpr absl::string_view kInvalidToken = "invalid_token";
constexpr absl::string_view kInsufficientScope = "insufficient_scope";

absl::string_view BodyOf(int http_status) {
  switch (http_status) {
    case kBadRequest:
      return "{\"error\":\"more than one credential\"}\n";
    case kUnauthorized:
      return "{\"error\":\"a valid API token is required\"}\n";
    case kForbidden:
      return "{\"error\":\"the API token may not do this\"}\n";
    case kUnavailable:
      return "{\"error\":\"try again in a moment\"}\n";
    default:
      return "{\"error\":\"the gateway is misconfigured\"}\n";
  }
}

GatewayAnswer Refused(int http_status) {
  GatewayAnswer answer;
  answer.http_status = http_status;
  answer.headers = {{"content-type", "application/json"},
                    {"cache-control", "no-store"}};
  answer.body = BodyOf(http_status);
  return answer;
}

GatewayAnswer Challenged(int http_status, absl::string_view error,
                         const ScopeSet& scopes = {}) {
  GatewayAnswer answer = Refused(http_status);
  std::string challenge(kChallenge);
  if (!error.empty()) absl::StrAppend(&challenge, ", error=\"", error, "\"");
  if (!scopes.scopes().empty()) {
    absl::StrAppend(&challenge, ", scope=\"",
                    absl::StrJoin(scopes.scopes(), " "), "\"");
  }
  answer.headers.emplace_back("www-authenticate", std::move(challenge));
  return answer;
}

GatewayAnswer Allowed(absl::string_view token, const ScopeSet& scopes) {
  GatewayAnswer answer;
  answer.http_status = kAllowed;
  // Not from a list, from which they would have to be copied.
  answer.headers.reserve(3);
  answer.headers.emplace_back(kProjectHeader, TokenName::ProjectIn(token));
  answer.headers.emplace_back(kTokenHeader, token);
  answer.headers.emplace_back(kScopesHeader,
                              absl::StrJoin(scopes.scopes(), " "));
  return answer;
}

GatewayAnswer AnswerTo(Verdict verdict, absl::string_view token,
                       const ScopeSet& scopes, const RouteDemands& demands) {
  switch (verdict) {
    case Verdict::kValid:
      return Allowed(token, scopes);
    case Verdict::kWrongProject:
      return Challenged(kForbidden, kInsufficientScope);
    case Verdict::kInsufficientScope:
      // What would do is the route's, which is no secret.
      return Challenged(kForbidden, kInsufficientScope,
                        demands.required_scopes);
    case Verdict::kMalformed:
    case Verdict::kUnknown:
    case Verdict::kRevoked:
    case Verdict::kExpired:
      break;
  }
  return Challenged(kUnauthorized, kInvalidToken);
}

}  // namespace

bool IsReservedHeader(absl::string_view name) {
  if (name.size() < kReservedPrefix.size()) return false;
  for (size_t i = 0; i < kReservedPrefix.size(); ++i) {
    const bool is_separator = name[i] == '_' || name[i] == '.';
    const char c = is_separator ? '-' : absl::ascii_tolower(name[i]);
    if (c != kReservedPrefix[i]) return false;
  }
  return true;
}

absl::string_view RequestIdIn(absl::Span<const HeaderField> fields) {
  absl::string_view id;
  for (const HeaderField& field : fields) {
    if (!absl::EqualsIgnoreCase(field.name, kRequestIdKey)) continue;
    if (!id.empty() || !IsRequestIdWellFormed(field.value)) return {};
    id = field.value;
  }
  return id;
}

GatewayAnswer Undecided(const absl::Status& status) {
  const bool is_transient = absl::IsUnavailable(status);
  GatewayAnswer answer = Refused(is_transient ? kUnavailable : kInternalError);
  if (is_transient) answer.headers.emplace_back("retry-after", "1");
  answer.status = status;
  return answer;
}

GatewayAnswer GatewayCheck::Check(
    absl::Span<const HeaderField> fields,
    absl::Span<const RouteSetting> settings) const {
  const absl::StatusOr<RouteDemands> demands = ParseRouteDemands(settings);
  if (!demands.ok()) return Undecided(demands.status());
  const Credential credential = credentials_.Read(fields);
  switch (credential.kind) {
    case Credential::Kind::kMissing:
      return Challenged(kUnauthorized, {});
    case Credential::Kind::kUnusable:
      return Challenged(kBadRequest, kInvalidRequest);
    case Credential::Kind::kToken:
      break;
  }
  ValidationRequest request;
  request.presented = credential.token;
  if (!demands->required_scopes.scopes().empty()) {
    request.required_scopes = &demands->required_scopes;
  }
  if (demands->expected_project) {
    request.expected_project = &*demands->expected_project;
  }
  std::string token;
  ScopeSet scopes;
  absl::StatusOr<Validation> validation =
      validator_.Validate(request, [&](Verdict, const IndexSlot& slot) {
        token = slot.name().ToString();
        scopes = *slot.scopes;
      });
  if (!validation.ok()) return Undecided(validation.status());
  GatewayAnswer answer = AnswerTo(validation->verdict, token, scopes, *demands);
  answer.validation = *std::move(validation);
  answer.token = std::move(token);
  answer.scopes = std::move(scopes);
  return answer;
}

}  // namespace wemasy::tokens
