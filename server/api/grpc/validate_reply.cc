#include "server/api/grpc/validate_reply.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "server/api/grpc/convert.h"
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

// Protocol Buffers Encoding: a field's number and wire type, then its value. A
// number below 128 is a byte, and so is the length of a text as short as a
// name.
constexpr char kVerdictTag = v1::ValidateResponse::kVerdictFieldNumber << 3;
constexpr uint8_t kNameAt = 2;

}  // namespace

EncodedToken EncodeToken(const IndexEntry& entry) {
  EncodedToken encoded;
  v1::ValidateResponse named;
  named.set_token(entry.name.ToString());
  named.AppendToString(&encoded.bytes);
  encoded.named = static_cast<uint8_t>(encoded.bytes.size());
  encoded.name_at = kNameAt;

  v1::ValidateResponse identity;
  identity.set_project(entry.name.project.Name());
  identity.set_creator(entry.creator);
  for (const std::string& scope : entry.scopes.scopes()) {
    identity.add_scopes(scope);
  }
  identity.mutable_metadata()->insert(entry.metadata.begin(),
                                      entry.metadata.end());
  identity.AppendToString(&encoded.bytes);
  encoded.bytes.shrink_to_fit();
  return encoded;
}

// Messages that are encoded one after the other are one message with all their
// fields.
void EncodeReply(const Validation& validation,
                 const absl::optional<ReplicaIdentity>& replica,
                 EncodedMessage* reply) {
  std::string& bytes = reply->bytes;
  bytes.push_back(kVerdictTag);
  bytes.push_back(static_cast<char>(validation.verdict));
  const bool is_valid = validation.verdict == Verdict::kValid;
  if (validation.attributes != nullptr) {
    const EncodedToken& token = validation.attributes->encoded;
    bytes.append(token.bytes, 0, is_valid ? token.bytes.size() : token.named);
  }
  const bool has_end =
      is_valid && validation.expire_time != absl::InfiniteFuture();
  const bool has_freshness =
      replica && validation.verdict != Verdict::kMalformed;
  if (!has_end && !has_freshness) return;

  v1::ValidateResponse rest;
  if (has_end) ToProto(validation.expire_time, rest.mutable_expire_time());
  if (has_freshness) {
    v1::AnswerFreshness* const freshness = rest.mutable_freshness();
    freshness->set_incarnation(replica->incarnation);
    freshness->set_timeline(replica->timeline);
    freshness->set_change_number(validation.applied);
    if (has_end) {
      ToProto(validation.expire_time - validation.decide_time,
              freshness->mutable_time_left());
    }
  }
  rest.AppendToString(&bytes);
}

}  // namespace wemasy::tokens
