#include "server/api/ext_authz/check_handler.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {
namespace {

using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::AttributeContext;

// Envoy sends either all headers of one name as one, or each by itself and as
// it came (encode_raw_headers).
std::vector<HeaderField> HeadersOf(const AttributeContext::HttpRequest& http) {
  std::vector<HeaderField> fields;
  fields.reserve(http.headers().size() + http.header_map().headers().size());
  for (const auto& [name, value] : http.headers()) {
    fields.push_back({name, value});
  }
  for (const auto& header : http.header_map().headers()) {
    fields.push_back({header.key(), header.raw_value().empty()
                                        ? header.value()
                                        : header.raw_value()});
  }
  return fields;
}

std::vector<RouteSetting> SettingsOf(const AttributeContext& attributes) {
  std::vector<RouteSetting> settings;
  for (const auto& [key, value] : attributes.context_extensions()) {
    settings.push_back({key, value});
  }
  return settings;
}

int32_t CodeOf(int http_status) {
  switch (http_status) {
    case 200:
      return grpc::StatusCode::OK;
    case 400:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case 401:
      return grpc::StatusCode::UNAUTHENTICATED;
    case 403:
      return grpc::StatusCode::PERMISSION_DENIED;
    case 503:
      return grpc::StatusCode::UNAVAILABLE;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

// Envoy ignores what would only be appended to a refusal.
void Set(absl::string_view name, absl::string_view value,
         HeaderValueOption* header) {
  header->mutable_header()->set_key(name.data(), name.size());
  header->mutable_header()->set_value(value.data(), value.size());
  header->set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
}

void Allow(const GatewayAnswer& answer, const GatewayCheck& check,
           const std::vector<HeaderField>& fields,
           envoy::service::auth::v3::OkHttpResponse* ok) {
  const auto is_set = [&answer](absl::string_view name) {
    for (const auto& header : answer.headers) {
      if (header.first == name) return !header.second.empty();
    }
    return false;
  };
  for (const auto& [name, value] : answer.headers) {
    if (value.empty()) {
      ok->add_headers_to_remove(std::string(name));
    } else {
      Set(name, value, ok->add_headers());
    }
  }
  // Envoy removes after it has set, so not what is set.
  for (const HeaderField& field : fields) {
    if (check.IsToBeRemoved(field.name) && !is_set(field.name)) {
      ok->add_headers_to_remove(std::string(field.name));
    }
  }
}

void Deny(const GatewayAnswer& answer,
          envoy::service::auth::v3::DeniedHttpResponse* denied) {
  denied->mutable_status()->set_code(
      static_cast<envoy::type::v3::StatusCode>(answer.http_status));
  for (const auto& [name, value] : answer.headers) {
    Set(name, value, denied->add_headers());
  }
  denied->set_body(std::string(answer.body));
}

// For access logs and rate limits.
void Describe(const GatewayAnswer& answer, google::protobuf::Struct* metadata) {
  if (!answer.validation) return;
  const Validation& validation = *answer.validation;
  auto& fields = *metadata->mutable_fields();
  constexpr absl::string_view kVerdictPrefix = "VERDICT_";
  fields["verdict"].set_string_value(
      v1::Verdict_Name(static_cast<v1::Verdict>(validation.verdict))
          .substr(kVerdictPrefix.size()));
  if (validation.attributes == nullptr) return;
  fields["token"].set_string_value(answer.token);
  fields["project"].set_string_value(validation.attributes->project.Name());
  auto* const scopes = fields["scopes"].mutable_list_value();
  for (const std::string& scope : validation.attributes->scopes.scopes()) {
    scopes->add_values()->set_string_value(scope);
  }
}

}  // namespace

CheckHandler::CheckHandler(const GatewayCheck* check,
                           const ApiEnvironment& environment)
    : check_(*check),
      environment_(environment),
      observer_(environment.observer->ForMethod(InfoOf(Rpc::kCheck).full_name,
                                                CallKind::kUnary)) {}

grpc::Status CheckHandler::Handle(grpc::ServerContext& context,
                                  const Request& request, Response* response) {
  GatewayAnswer answer;
  ServedCall call(Rpc::kCheck, environment_, &observer_, &context);
  const std::vector<HeaderField> fields =
      HeadersOf(request.attributes().request().http());
  const absl::Status status = ServedCall::Guard([&] {
    RETURN_IF_ERROR(call.Admit(/*resource=*/{}));
    answer = check_.Check(fields, SettingsOf(request.attributes()));
    return answer.status;
  });
  if (answer.validation) {
    call.set_verdict(static_cast<int>(answer.validation->verdict));
    call.set_token(answer.token);
  }
  call.Finish(status);

  if (!status.ok()) answer = Undecided(status);
  response->mutable_status()->set_code(CodeOf(answer.http_status));
  if (answer.is_allowed()) {
    Allow(answer, check_, fields, response->mutable_ok_response());
  } else {
    Deny(answer, response->mutable_denied_response());
  }
  Describe(answer, response->mutable_dynamic_metadata());
  return grpc::Status::OK;
}

}  // namespace wemasy::tokens
