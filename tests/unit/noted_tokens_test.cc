#include "server/coherence/noted_tokens.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/crypto/random.h"

namespace wemasy::tokens {
namespace {

TEST(NotedTokensTest, HasWhatWasAddedAndLittleElse) {
  SystemRandom random;
  NotedTokens filter;
  std::vector<TokenId> added;
  for (int i = 0; i < 10'000; ++i) {
    added.push_back(TokenId::Generate(random));
    EXPECT_FALSE(NotedTokens().MayHave(added.back()));
    filter.Add(added.back());
  }
  for (const TokenId& token : added) ASSERT_TRUE(filter.MayHave(token));
  int mistaken = 0;
  for (int i = 0; i < 10'000; ++i) {
    mistaken += filter.MayHave(TokenId::Generate(random)) ? 1 : 0;
  }
  // About 200; the documentation says one in 50.
  EXPECT_GT(mistaken, 100);
  EXPECT_LT(mistaken, 300);
}

}  // namespace
}  // namespace wemasy::tokens
