#include "server/api/ext_authz/check_reply.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "envoy/service/auth/v3/external_auth.pb.h"
#include "google/protobuf/struct.pb.h"
#include "grpcpp/support/status_code_enum.h"
#include "server/api/grpc/wire_format.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {
namespace {

using envoy::config::core::v3::HeaderValue;
using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::CheckResponse;
using envoy::service::auth::v3::DeniedHttpResponse;
using envoy::service::auth::v3::OkHttpResponse;
using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

int CodeOf(int http_status) {
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

// A message that has a code only.
std::string MessageOfCode(int number, int code) {
  std::string message;
  WriteNumber(number, code, Extend(SizeOfNumber(code), &message));
  return message;
}

// Of an append_action.
constexpr size_t kActionSize = 2;

// What a HeaderValueOption has in it.
size_t SizeOfOption(absl::string_view name, absl::string_view value) {
  return SizeOfField(SizeOfField(name) + SizeOfField(value)) + kActionSize;
}

// Envoy ignores what would only be appended to a refusal.
uint8_t* WriteHeader(int number, absl::string_view name,
                     absl::string_view value, uint8_t* to) {
  to = WriteHead(number, SizeOfOption(name, value), to);
  to = WriteHead(HeaderValueOption::kHeaderFieldNumber,
                 SizeOfField(name) + SizeOfField(value), to);
  to = WriteText(HeaderValue::kKeyFieldNumber, name, to);
  to = WriteText(HeaderValue::kValueFieldNumber, value, to);
  return WriteNumber(HeaderValueOption::kAppendActionFieldNumber,
                     HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD, to);
}

// Envoy removes after it has set, so not what is set.
std::vector<absl::string_view> ToBeRemoved(
    const GatewayAnswer& answer, const GatewayCheck& check,
    absl::Span<const HeaderField> fields) {
  const auto is_set = [&answer](absl::string_view name) {
    for (const auto& header : answer.headers) {
      if (header.first == name) return !header.second.empty();
    }
    return false;
  };
  std::vector<absl::string_view> names;
  for (const auto& [name, value] : answer.headers) {
    if (value.empty()) names.push_back(name);
  }
  for (const HeaderField& field : fields) {
    if (check.IsToBeRemoved(field.name) && !is_set(field.name)) {
      names.push_back(field.name);
    }
  }
  return names;
}

void Allow(const GatewayAnswer& answer,
           const std::vector<absl::string_view>& removed, std::string* out) {
  size_t size = 0;
  for (const auto& [name, value] : answer.headers) {
    if (!value.empty()) size += SizeOfField(SizeOfOption(name, value));
  }
  for (const absl::string_view name : removed) size += SizeOfField(name);
  uint8_t* to = Extend(SizeOfField(size), out);
  to = WriteHead(CheckResponse::kOkResponseFieldNumber, size, to);
  for (const auto& [name, value] : answer.headers) {
    if (value.empty()) continue;
    to = WriteHeader(OkHttpResponse::kHeadersFieldNumber, name, value, to);
  }
  for (const absl::string_view name : removed) {
    to = WriteText(OkHttpResponse::kHeadersToRemoveFieldNumber, name, to);
  }
}

void Deny(const GatewayAnswer& answer, std::string* out) {
  const std::string status = MessageOfCode(
      envoy::type::v3::HttpStatus::kCodeFieldNumber, answer.http_status);
  size_t size = SizeOfField(status) + SizeOfField(answer.body);
  for (const auto& [name, value] : answer.headers) {
    size += SizeOfField(SizeOfOption(name, value));
  }
  uint8_t* to = Extend(SizeOfField(size), out);
  to = WriteHead(CheckResponse::kDeniedResponseFieldNumber, size, to);
  to = WriteText(DeniedHttpResponse::kStatusFieldNumber, status, to);
  for (const auto& [name, value] : answer.headers) {
    to = WriteHeader(DeniedHttpResponse::kHeadersFieldNumber, name, value, to);
  }
  WriteText(DeniedHttpResponse::kBodyFieldNumber, answer.body, to);
}

// A field of a Struct: of what kind its value is, and what that has in it.
struct Entry {
  absl::string_view key;
  int kind;
  absl::string_view value;
};

size_t SizeOfEntry(const Entry& entry) {
  return SizeOfField(entry.key) + SizeOfField(SizeOfField(entry.value));
}

uint8_t* WriteEntry(const Entry& entry, uint8_t* to) {
  to = WriteHead(Struct::kFieldsFieldNumber, SizeOfEntry(entry), to);
  to = WriteText(kMapKeyFieldNumber, entry.key, to);
  to = WriteHead(kMapValueFieldNumber, SizeOfField(entry.value), to);
  return WriteText(entry.kind, entry.value, to);
}

void WriteMetadata(std::initializer_list<Entry> entries, std::string* out) {
  size_t size = 0;
  for (const Entry& entry : entries) size += SizeOfField(SizeOfEntry(entry));
  uint8_t* to = Extend(SizeOfField(size), out);
  to = WriteHead(CheckResponse::kDynamicMetadataFieldNumber, size, to);
  for (const Entry& entry : entries) to = WriteEntry(entry, to);
}

// A ListValue.
std::string ListOf(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    const size_t size = SizeOfField(text);
    uint8_t* const to = Extend(SizeOfField(size), &list);
    WriteText(Value::kStringValueFieldNumber, text,
              WriteHead(ListValue::kValuesFieldNumber, size, to));
  }
  return list;
}

// For access logs and rate limits.
void Describe(const GatewayAnswer& answer, std::string* out) {
  if (!answer.validation) return WriteMetadata({}, out);
  const Validation& validation = *answer.validation;
  constexpr absl::string_view kVerdictPrefix = "VERDICT_";
  constexpr int kText = Value::kStringValueFieldNumber;
  const absl::string_view name =
      v1::Verdict_Name(static_cast<v1::Verdict>(validation.verdict));
  const Entry verdict = {"verdict", kText, name.substr(kVerdictPrefix.size())};
  if (answer.token.empty()) return WriteMetadata({verdict}, out);
  const absl::string_view project = TokenName::ProjectIn(answer.token);
  const std::string scopes = ListOf(answer.scopes.scopes());
  WriteMetadata({verdict,
                 {"token", kText, answer.token},
                 {"project", kText, project},
                 {"scopes", Value::kListValueFieldNumber, scopes}},
                out);
}

}  // namespace

void EncodeReply(const GatewayAnswer& answer, const GatewayCheck& check,
                 absl::Span<const HeaderField> fields, EncodedMessage* reply) {
  std::string* const out = &reply->bytes;
  const int code = CodeOf(answer.http_status);
  std::string status;
  if (code != grpc::StatusCode::OK) {
    status = MessageOfCode(google::rpc::Status::kCodeFieldNumber, code);
  }
  WriteText(CheckResponse::kStatusFieldNumber, status,
            Extend(SizeOfField(status), out));
  if (answer.is_allowed()) {
    Allow(answer, ToBeRemoved(answer, check, fields), out);
  } else {
    Deny(answer, out);
  }
  Describe(answer, out);
}

}  // namespace wemasy::tokens
