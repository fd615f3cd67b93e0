// The decision on presented tokens: the whole hot path.
#ifndef WEMASY_SERVER_VALIDATE_VALIDATOR_H_
#define WEMASY_SERVER_VALIDATE_VALIDATOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "server/token/verdict.h"
#include "server/validate/lease.h"
#include "server/validate/token_index.h"

namespace wemasy::tokens {

// What is asked about a presented token.
struct ValidationRequest {
  // Any bytes, of any length.
  absl::string_view presented;
  // Scopes the token must all have; none if null.
  const ScopeSet* required_scopes = nullptr;
  // The project the token must be of; any if null.
  const ProjectId* expected_project = nullptr;
};

// What is answered.
struct Validation {
  Verdict verdict = Verdict::kUnknown;
  // When the secret will end; InfiniteFuture for never.
  absl::Time expire_time = absl::InfiniteFuture();
  // The last change that was in the index before the look-up.
  int64_t applied = 0;
  // The database's time at which it was decided. Set if the secret will end.
  absl::Time decide_time;
};

// Decides whether a presented token may be used now. A function of memory, the
// clock and the lease: it does no I/O and waits for nobody.
//
// Thread-safe.
class Validator {
 public:
  // All must outlive this object.
  Validator(TokenIndex* index, const Lease* lease, const BootClock* clock)
      : index_(*index), lease_(*lease), clock_(*clock) {}

  // Extracts from a known token what the reply needs for this verdict. Called
  // during the look-up, so it must be short and not validate; what the slot
  // refers to is gone afterwards.
  using Describe = absl::FunctionRef<void(Verdict, const IndexSlot&)>;

  // Returns the verdict; a refusal is one too. Returns an error of
  // kLeaseNotHeld if this replica cannot vouch for any verdict that depends on
  // what it knows: an UNKNOWN without a lease could deny a token created
  // elsewhere, as a VALID could follow a revocation. Of a token for which there
  // is an answer, and not kUnknown, `describe` is called once.
  absl::StatusOr<Validation> Validate(const ValidationRequest& request,
                                      Describe describe) const;
  absl::StatusOr<Validation> Validate(const ValidationRequest& request) const {
    return Validate(request, [](Verdict, const IndexSlot&) {});
  }

 private:
  TokenIndex& index_;
  const Lease& lease_;
  const BootClock& clock_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_VALIDATOR_H_
