#include "server/api/grpc/validate_reply.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/api/grpc/convert.h"
#include "server/api/grpc/wire_format.h"
#include "server/token/resource_name.h"
#include "server/token/verdict.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {
namespace {

static_assert(static_cast<int>(Verdict::kMalformed) == v1::VERDICT_MALFORMED);
static_assert(static_cast<int>(Verdict::kUnknown) == v1::VERDICT_UNKNOWN);
static_assert(static_cast<int>(Verdict::kRevoked) == v1::VERDICT_REVOKED);
static_assert(static_cast<int>(Verdict::kExpired) == v1::VERDICT_EXPIRED);
static_assert(static_cast<int>(Verdict::kWrongProject) ==
              v1::VERDICT_WRONG_PROJECT);
static_assert(static_cast<int>(Verdict::kInsufficientScope) ==
              v1::VERDICT_INSUFFICIENT_SCOPE);
static_assert(static_cast<int>(Verdict::kValid) == v1::VERDICT_VALID);
static_assert(v1::Verdict_MAX == v1::VERDICT_VALID);

using v1::ValidateResponse;

// What a reply of a known token begins with: a text's tag.
constexpr char kNameTag = ValidateResponse::kTokenFieldNumber << 3 | 2;
static_assert(kProjectsPart.size() + ProjectId::kMaxLength +
                  kTokensPart.size() + TokenId::kTextLength <
              128);

size_t SizeOfEntry(absl::string_view key, absl::string_view value) {
  return SizeOfField(key) + SizeOfField(value);
}

}  // namespace

std::string EncodeMetadata(const Metadata& metadata) {
  size_t size = 0;
  for (const auto& [key, value] : metadata) {
    size += SizeOfField(SizeOfEntry(key, value));
  }
  std::string encoded;
  uint8_t* to = Extend(size, &encoded);
  for (const auto& [key, value] : metadata) {
    to = WriteHead(ValidateResponse::kMetadataFieldNumber,
                   SizeOfEntry(key, value), to);
    to = WriteText(kMapKeyFieldNumber, key, to);
    to = WriteText(kMapValueFieldNumber, value, to);
  }
  return encoded;
}

void EncodeToken(Verdict verdict, const IndexSlot& token,
                 EncodedMessage* reply) {
  const absl::string_view project = token.project->text();
  const TokenId::Text id = token.token.ToText();
  const size_t project_size = kProjectsPart.size() + project.size();
  const size_t name_size = project_size + kTokensPart.size() + id.size();
  const bool is_valid = verdict == Verdict::kValid;
  size_t size = SizeOfField(name_size);
  if (is_valid) {
    size += SizeOfField(project_size) + token.metadata->size();
    if (!token.creator->empty()) size += SizeOfField(*token.creator);
    for (const std::string& scope : token.scopes->scopes()) {
      size += SizeOfField(scope);
    }
  }
  uint8_t* to = Extend(size, &reply->bytes);
  const auto write_project = [&] {
    to = WriteBytes(kProjectsPart, to);
    to = WriteBytes(project, to);
  };
  to = WriteHead(ValidateResponse::kTokenFieldNumber, name_size, to);
  write_project();
  to = WriteBytes(kTokensPart, to);
  to = WriteBytes({id.data(), id.size()}, to);
  if (!is_valid) return;
  to = WriteHead(ValidateResponse::kProjectFieldNumber, project_size, to);
  write_project();
  if (!token.creator->empty()) {
    to = WriteText(ValidateResponse::kCreatorFieldNumber, *token.creator, to);
  }
  for (const std::string& scope : token.scopes->scopes()) {
    to = WriteText(ValidateResponse::kScopesFieldNumber, scope, to);
  }
  WriteBytes(*token.metadata, to);
}

absl::string_view NameIn(const EncodedMessage& reply) {
  const absl::string_view bytes = reply.bytes;
  // Its tag, and its length, which is a byte.
  constexpr size_t kHeadSize = 2;
  if (bytes.size() < kHeadSize || bytes[0] != kNameTag) return {};
  return bytes.substr(kHeadSize, static_cast<uint8_t>(bytes[1]));
}

// A message's fields may come in any order, and messages that are encoded one
// after the other are one message with all their fields.
void EncodeDecision(const Validation& validation,
                    const absl::optional<Freshness>& freshness,
                    EncodedMessage* reply) {
  const int verdict = static_cast<int>(validation.verdict);
  WriteNumber(ValidateResponse::kVerdictFieldNumber, verdict,
              Extend(SizeOfNumber(verdict), &reply->bytes));
  const bool is_valid = validation.verdict == Verdict::kValid;
  const bool has_end =
      is_valid && validation.expire_time != absl::InfiniteFuture();
  const bool has_freshness =
      freshness && validation.verdict != Verdict::kMalformed;
  if (!has_end && !has_freshness) return;

  v1::ValidateResponse rest;
  if (has_end) ToProto(validation.expire_time, rest.mutable_expire_time());
  if (has_freshness) {
    v1::AnswerFreshness& to = *rest.mutable_freshness();
    to.set_incarnation(freshness->replica.incarnation);
    to.set_timeline(freshness->replica.timeline);
    to.set_change_number(validation.applied);
    to.set_watch_stream_number(freshness->stream);
    if (has_end) {
      ToProto(validation.expire_time - validation.decide_time,
              to.mutable_time_left());
    }
  }
  rest.AppendToString(&reply->bytes);
}

}  // namespace wemasy::tokens
