// That a token was used.
#ifndef WEMASY_SERVER_TOKEN_TOKEN_USE_H_
#define WEMASY_SERVER_TOKEN_TOKEN_USE_H_

#include "absl/time/time.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

// The last use of one secret of a token. A value type.
struct TokenUse {
  TokenId token;
  // Whether with the secret from before the last rotation.
  bool is_old = false;
  // The start of the minute in which it was last used.
  absl::Time minute;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_TOKEN_USE_H_
