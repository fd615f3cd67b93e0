// Page tokens: opaque, bound to what they page through, impossible to forge.
#ifndef WEMASY_SERVER_LIFECYCLE_PAGE_TOKENS_H_
#define WEMASY_SERVER_LIFECYCLE_PAGE_TOKENS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sealer.h"
#include "server/lifecycle/token_store.h"

namespace wemasy::tokens {

// Makes and reads page tokens. `listing` says what is paged through (method,
// parent, filter): a token is refused in any other listing. Thread-safe.
class PageTokens {
 public:
  explicit PageTokens(Sealer sealer) : sealer_(std::move(sealer)) {}

  std::string Make(const TokenPageKey& key, absl::string_view listing) const;
  std::string Make(const AuditPageKey& key, absl::string_view listing) const;

  // Return an error of kPageTokenInvalid if `page_token` was not made for
  // `listing`.
  absl::StatusOr<TokenPageKey> ReadTokenKey(absl::string_view page_token,
                                            absl::string_view listing) const;
  absl::StatusOr<AuditPageKey> ReadAuditKey(absl::string_view page_token,
                                            absl::string_view listing) const;

 private:
  Sealer sealer_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_PAGE_TOKENS_H_
