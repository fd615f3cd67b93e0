// Tokens for tests: names, secrets and index entries.
#ifndef WEMASY_TESTS_SUPPORT_ENTRIES_H_
#define WEMASY_TESTS_SUPPORT_ENTRIES_H_

#include <string>

#include "common/crypto/random.h"
#include "common/crypto/secret.h"
#include "common/token_format.h"
#include "server/token/change.h"

namespace wemasy::tokens {

// A secret and what an index knows of it.
struct TestToken {
  Secret secret;
  IndexEntry entry;
};

// A live token of `project`, with the scopes `pages:read` and `pages:write`.
inline TestToken MakeTestToken(RandomSource& random,
                               absl::string_view project = "demo") {
  TestToken token;
  token.secret = GenerateToken(random);
  token.entry.digest = TokenDigest::Of(token.secret.Reveal());
  token.entry.name = {*ProjectId::Parse(project), TokenId::Generate(random)};
  token.entry.creator = "user-1";
  token.entry.scopes = ScopeSet({"pages:read", "pages:write"});
  token.entry.metadata = {{"tier", "gold"}};
  return token;
}

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_ENTRIES_H_
