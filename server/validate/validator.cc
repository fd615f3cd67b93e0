#include "server/validate/validator.h"

#include "common/crypto/digest.h"
#include "common/token_format.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

constexpr int64_t kNanosPerMinute = int64_t{60} * 1'000'000'000;

// The checks after the look-up, in the published order.
Verdict Decide(const IndexSlot& slot, const ValidationRequest& request,
               int64_t now_nanos) {
  if (slot.dead_nanos != IndexSlot::kNever) return Verdict::kRevoked;
  if (now_nanos >= slot.expire_nanos) return Verdict::kExpired;
  if (request.expected_project != nullptr &&
      *slot.project != *request.expected_project) {
    return Verdict::kWrongProject;
  }
  if (request.required_scopes != nullptr &&
      !slot.scopes->ContainsAll(*request.required_scopes)) {
    return Verdict::kInsufficientScope;
  }
  return Verdict::kValid;
}

Validation Malformed() {
  Validation validation;
  validation.verdict = Verdict::kMalformed;
  return validation;
}

}  // namespace

absl::StatusOr<Validation> Validator::Validate(const ValidationRequest& request,
                                               Describe describe) const {
  // Nothing of another length is worth a digest.
  if (request.presented.size() != kTokenLength) return Malformed();
  Validation validation;
  const TokenDigest digest = TokenDigest::Of(request.presented);

  // Capture, look up, read the clock, and answer only under what was captured:
  // in this order, and the lease never twice. A pause anywhere in between can
  // only make the answer come too late to be given.
  const CapturedLease lease = lease_.Capture();
  validation.applied = lease.applied;
  const CapturedDatabaseTime database_time = lease_.CaptureDatabaseTime();
  BootTime now;
  const bool found = index_.Visit(digest, [&](IndexSlot& slot) {
    now = clock_.Now();
    if (now >= lease.end) return;
    const int64_t now_nanos = database_time.NanosAt(now);
    validation.verdict = Decide(slot, request, now_nanos);
    if (slot.expire_nanos != IndexSlot::kNever) {
      validation.expire_time = absl::FromUnixNanos(slot.expire_nanos);
      validation.decide_time = absl::FromUnixNanos(now_nanos);
    }
    if (validation.verdict == Verdict::kValid) {
      slot.used_minute = static_cast<uint32_t>(now_nanos / kNanosPerMinute);
    }
    describe(validation.verdict, slot);
  });
  // Whatever is in the index is well-formed, and need not be looked at again.
  if (!found && !IsTokenWellFormed(request.presented)) return Malformed();
  if (!found) now = clock_.Now();
  if (now >= lease.end) {
    return MakeError(ErrorReason::kLeaseNotHeld,
                     "this replica cannot vouch for any answer now; try "
                     "another one, and do not let the request pass");
  }
  return validation;
}

}  // namespace wemasy::tokens
