// What was done to a token, by whom.
#ifndef WEMASY_SERVER_TOKEN_AUDIT_RECORD_H_
#define WEMASY_SERVER_TOKEN_AUDIT_RECORD_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

// What was done. The numbers are stored, and are the contract's.
enum class AuditAction {
  kCreated = 1,
  kReissued = 2,
  kUpdated = 3,
  kRotated = 4,
  kRevoked = 5,
  kLeakRevoked = 6,
};

// One row of the audit trail. Never has a secret or a digest in it.
struct AuditRecord {
  // The number of the last change of the transaction that did it, and the
  // record's place among those of that transaction. Set by the store.
  int64_t seq = 0;
  int ordinal = 0;
  // By the database's clock. Set by the store.
  absl::Time time;
  AuditAction action = AuditAction::kCreated;
  TokenName token;
  // The user on whose behalf, as the caller said.
  std::string actor;
  // The authenticated caller.
  std::string caller;
  // The call's id in the log.
  std::string request_id;
  std::map<std::string, std::string> details;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_AUDIT_RECORD_H_
