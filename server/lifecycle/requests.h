// What callers ask of the life cycle, and what they are told.
//
// Texts are as the caller gave them: TokenLifecycle checks them, and names
// fields by their paths in the contract's protos.
#ifndef WEMASY_SERVER_LIFECYCLE_REQUESTS_H_
#define WEMASY_SERVER_LIFECYCLE_REQUESTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "common/crypto/secret.h"
#include "server/token/audit_record.h"
#include "server/token/record.h"

namespace wemasy::tokens {

// Who calls, and until when an answer is of use.
struct CallContext {
  BootTime deadline;
  // The authenticated identity of the caller.
  std::string caller;
  // The call's id in the log.
  std::string request_id;
  // Whether the caller has gone away; may be empty.
  std::function<bool()> is_cancelled = nullptr;
};

// A token and its state when it was read.
struct TokenView {
  TokenRecord record;
  TokenState state = TokenState::kActive;
};

// A token and the secret just issued for it.
struct IssuedToken {
  TokenView token;
  Secret secret;
};

struct CreateRequest {
  std::string parent;
  std::string display_name;
  std::string description;
  std::vector<std::string> scopes;
  Metadata metadata;
  absl::optional<absl::Time> expire_time;
  std::string actor;
  // Empty for none.
  std::string request_id;
};

struct ListRequest {
  std::string parent;
  int page_size = 0;
  std::string page_token;
  std::string filter;
};

struct TokenViewPage {
  std::vector<TokenView> tokens;
  // Empty on the last page.
  std::string next_page_token;
};

// What is set is to be changed.
struct UpdateRequest {
  std::string name;
  // Empty for any.
  std::string etag;
  absl::optional<std::string> display_name;
  absl::optional<std::string> description;
  absl::optional<std::vector<std::string>> scopes;
  absl::optional<Metadata> metadata;
  // InfiniteFuture for never.
  absl::optional<absl::Time> expire_time;
  std::string actor;
};

struct RevokeRequest {
  std::string name;
  std::string actor;
  RevokeReason reason = RevokeReason::kUnspecified;
  std::string comment;
};

// What a revocation waited for.
struct Receipt {
  absl::Time confirm_time;
  int64_t change_number = 0;
  int acknowledged_replicas = 0;
  int gone_replicas = 0;
  int expired_replicas = 0;
};

struct RevokedToken {
  TokenView token;
  Receipt receipt;
};

struct RotateRequest {
  std::string name;
  std::string actor;
  absl::Duration grace_period;
  // Empty for none.
  std::string request_id;
};

// A secret that was found, or the SHA-256 of one.
struct LeakEvidence {
  enum class Kind { kNone, kSecret, kSha256 };
  Kind kind = Kind::kNone;
  Secret secret;
  std::string sha256;
  std::string source;
  std::string url;
};

struct LeakRequest {
  std::vector<LeakEvidence> leaked;
  std::string actor;
};

// What became of one leaked token. The numbers are the contract's.
struct LeakOutcome {
  enum class Kind {
    kRevoked = 1,
    kAlreadyRevoked = 2,
    kReplaced = 3,
    kUnknown = 4,
    kMalformed = 5,
  };
  Kind kind = Kind::kUnknown;
  // Which token it was, if it was one.
  absl::optional<TokenName> name;
};

struct LeakResult {
  // In the order of the evidence.
  std::vector<LeakOutcome> outcomes;
  // Nothing if no token was known.
  absl::optional<Receipt> receipt;
};

struct AuditRequest {
  std::string parent;
  int page_size = 0;
  std::string page_token;
  absl::optional<absl::Time> start_time;
};

struct AuditView {
  std::vector<AuditRecord> records;
  // Empty if there are no more yet.
  std::string next_page_token;
  // Where to go on later.
  std::string resume_token;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_REQUESTS_H_
