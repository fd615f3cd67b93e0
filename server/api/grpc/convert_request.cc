#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/timestamp.pb.h"
#include "server/api/grpc/convert.h"
#include "server/api/grpc/field_mask.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

static_assert(static_cast<int>(RevokeReason::kUnspecified) ==
              v1::REVOKE_REASON_UNSPECIFIED);
static_assert(static_cast<int>(RevokeReason::kUnused) ==
              v1::REVOKE_REASON_UNUSED);
static_assert(static_cast<int>(RevokeReason::kSuperseded) ==
              v1::REVOKE_REASON_SUPERSEDED);
static_assert(static_cast<int>(RevokeReason::kCompromised) ==
              v1::REVOKE_REASON_COMPROMISED);
static_assert(static_cast<int>(RevokeReason::kLeakReported) ==
              v1::REVOKE_REASON_LEAK_REPORTED);
static_assert(static_cast<int>(RevokeReason::kOffboarded) ==
              v1::REVOKE_REASON_OFFBOARDED);
static_assert(static_cast<int>(RevokeReason::kOther) ==
              v1::REVOKE_REASON_OTHER);
static_assert(v1::RevokeReason_MAX == v1::REVOKE_REASON_OTHER);

// The bounds of google.protobuf.Timestamp: the years 1 to 9999.
constexpr int64_t kMinTimestampSeconds = -62135596800;
constexpr int64_t kMaxTimestampSeconds = 253402300799;
// The bounds of google.protobuf.Duration: 10 000 years.
constexpr int64_t kMaxDurationSeconds = 315576000000;
constexpr int32_t kMaxNanos = 999'999'999;

// The time, or a violation and some time.
absl::Time ReadTime(FieldViolations& violations, absl::string_view field,
                    const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() < kMinTimestampSeconds ||
      timestamp.seconds() > kMaxTimestampSeconds) {
    violations.Add(field, absl::StrCat("has ", timestamp.seconds(),
                                       " seconds, want the years 1 to 9999"));
    return {};
  }
  if (timestamp.nanos() < 0 || timestamp.nanos() > kMaxNanos) {
    violations.Add(field, absl::StrCat("has ", timestamp.nanos(),
                                       " nanos, want 0 to ", kMaxNanos));
    return {};
  }
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

// The duration, or a violation and some duration.
absl::Duration ReadDuration(FieldViolations& violations,
                            absl::string_view field,
                            const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds < -kMaxDurationSeconds || seconds > kMaxDurationSeconds) {
    violations.Add(
        field, absl::StrCat("has ", seconds, " seconds, want -",
                            kMaxDurationSeconds, " to ", kMaxDurationSeconds));
    return {};
  }
  if (nanos < -kMaxNanos || nanos > kMaxNanos || (seconds > 0 && nanos < 0) ||
      (seconds < 0 && nanos > 0)) {
    violations.Add(field, absl::StrCat("has ", nanos, " nanos with ", seconds,
                                       " seconds, want the same sign, and -",
                                       kMaxNanos, " to ", kMaxNanos));
    return {};
  }
  return absl::Seconds(seconds) + absl::Nanoseconds(nanos);
}

std::vector<std::string> ReadTexts(
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

Metadata ReadMetadata(const v1::Token& token) {
  return {token.metadata().begin(), token.metadata().end()};
}

// What an update does to the expiry: absent in the token is never.
absl::Time ReadExpiry(FieldViolations& violations, const v1::Token& token) {
  if (!token.has_expire_time()) return absl::InfiniteFuture();
  return ReadTime(violations, "token.expire_time", token.expire_time());
}

LeakEvidence ReadEvidence(const v1::LeakedToken& leaked) {
  LeakEvidence evidence;
  switch (leaked.evidence_case()) {
    case v1::LeakedToken::kSecret:
      evidence.kind = LeakEvidence::Kind::kSecret;
      evidence.secret = Secret(leaked.secret());
      break;
    case v1::LeakedToken::kSecretSha256:
      evidence.kind = LeakEvidence::Kind::kSha256;
      evidence.sha256 = leaked.secret_sha256();
      break;
    case v1::LeakedToken::EVIDENCE_NOT_SET:
      break;
  }
  evidence.source = leaked.source();
  evidence.url = leaked.url();
  return evidence;
}

// The value, or the status of the violations, if there are any.
template <typename T>
absl::StatusOr<T> ValueUnless(const FieldViolations& violations, T value) {
  if (!violations.empty()) return violations.ToStatus();
  return value;
}

}  // namespace

absl::StatusOr<CreateRequest> FromProto(const v1::CreateTokenRequest& request) {
  FieldViolations violations;
  if (!request.has_token()) violations.Add("token", "is missing");
  const v1::Token& token = request.token();
  CreateRequest out;
  out.parent = request.parent();
  out.display_name = token.display_name();
  out.description = token.description();
  out.scopes = ReadTexts(token.scopes());
  out.metadata = ReadMetadata(token);
  if (token.has_expire_time()) {
    out.expire_time =
        ReadTime(violations, "token.expire_time", token.expire_time());
  }
  out.actor = request.actor();
  out.request_id = request.request_id();
  return ValueUnless(violations, std::move(out));
}

absl::StatusOr<RotateRequest> FromProto(const v1::RotateTokenRequest& request) {
  FieldViolations violations;
  RotateRequest out;
  out.name = request.name();
  out.actor = request.actor();
  out.grace_period =
      ReadDuration(violations, "grace_period", request.grace_period());
  out.request_id = request.request_id();
  return ValueUnless(violations, std::move(out));
}

absl::StatusOr<RevokeRequest> FromProto(const v1::RevokeTokenRequest& request) {
  FieldViolations violations;
  if (!v1::RevokeReason_IsValid(request.reason())) {
    violations.Add("reason",
                   absl::StrCat("is ", static_cast<int>(request.reason()),
                                ", want a RevokeReason"));
  }
  RevokeRequest out;
  out.name = request.name();
  out.actor = request.actor();
  out.reason = static_cast<RevokeReason>(request.reason());
  out.comment = request.comment();
  return ValueUnless(violations, std::move(out));
}

absl::StatusOr<AuditRequest> FromProto(
    const v1::ListAuditEventsRequest& request) {
  FieldViolations violations;
  AuditRequest out;
  out.parent = request.parent();
  out.page_size = request.page_size();
  out.page_token = request.page_token();
  if (request.has_start_time()) {
    out.start_time = ReadTime(violations, "start_time", request.start_time());
  }
  return ValueUnless(violations, std::move(out));
}

absl::StatusOr<UpdateRequest> FromProto(const v1::UpdateTokenRequest& request) {
  FieldViolations violations;
  if (!request.has_token()) violations.Add("token", "is missing");
  const v1::Token& token = request.token();
  const UpdateFields fields = ResolveUpdateMask(violations, request);
  UpdateRequest out;
  out.name = token.name();
  out.etag = token.etag();
  out.actor = request.actor();
  if (fields.display_name) out.display_name = token.display_name();
  if (fields.description) out.description = token.description();
  if (fields.scopes) out.scopes = ReadTexts(token.scopes());
  if (fields.metadata) out.metadata = ReadMetadata(token);
  if (fields.expire_time) out.expire_time = ReadExpiry(violations, token);
  return ValueUnless(violations, std::move(out));
}

ListRequest FromProto(const v1::ListTokensRequest& request) {
  ListRequest out;
  out.parent = request.parent();
  out.page_size = request.page_size();
  out.page_token = request.page_token();
  out.filter = request.filter();
  return out;
}

LeakRequest FromProto(const v1::RevokeLeakedTokensRequest& request) {
  LeakRequest out;
  out.actor = request.actor();
  out.leaked.reserve(request.leaked_tokens_size());
  for (const v1::LeakedToken& leaked : request.leaked_tokens()) {
    out.leaked.push_back(ReadEvidence(leaked));
  }
  return out;
}

}  // namespace wemasy::tokens
