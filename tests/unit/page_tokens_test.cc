// Page tokens: opaque, bound, unforgeable.
#include "server/lifecycle/page_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "server/token/error.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class PageTokensTest : public ::testing::Test {
 protected:
  PageTokens Make(char key) {
    return PageTokens(*Sealer::Create(Secret(std::string(32, key)), &random_));
  }

  FakeRandom random_;
  PageTokens page_tokens_ = Make('k');
  const TokenPageKey key_{absl::FromUnixMicros(1'800'000'000'123'456),
                          TokenId::Generate(random_)};
};

TEST_F(PageTokensTest, RoundTrip) {
  const std::string token = page_tokens_.Make(key_, "listing");
  const auto read = page_tokens_.ReadTokenKey(token, "listing");
  ASSERT_OK(read);
  EXPECT_EQ(read->create_time, key_.create_time);
  EXPECT_EQ(read->token, key_.token);
  const auto audit = page_tokens_.ReadAuditKey(
      page_tokens_.Make(AuditPageKey{17, 3}, "audit"), "audit");
  ASSERT_OK(audit);
  EXPECT_EQ(audit->seq, 17);
  EXPECT_EQ(audit->ordinal, 3);
}

TEST_F(PageTokensTest, AreUrlSafeAndOpaque) {
  const std::string token = page_tokens_.Make(key_, "listing");
  EXPECT_THAT(token, MatchesRegex("[A-Za-z0-9_-]+"));
  std::string raw;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token, &raw));
  EXPECT_THAT(raw, Not(HasSubstr(key_.token.ToString())));
  EXPECT_NE(token, page_tokens_.Make(key_, "listing"));
}

TEST_F(PageTokensTest, AreRefusedInAnotherListing) {
  const std::string token = page_tokens_.Make(key_, "tokens\nprojects/a\n");
  EXPECT_THAT(page_tokens_.ReadTokenKey(token, "tokens\nprojects/b\n"),
              HasReason(ErrorReason::kPageTokenInvalid));
}

TEST_F(PageTokensTest, ForgedOnesAreRefused) {
  std::string token = page_tokens_.Make(key_, "listing");
  EXPECT_THAT(Make('x').ReadTokenKey(token, "listing"),
              HasReason(ErrorReason::kPageTokenInvalid));
  for (const std::string& bad :
       {std::string("x"), std::string("%%%"), std::string(1000, 'A'),
        token.substr(0, token.size() - 2)}) {
    EXPECT_THAT(page_tokens_.ReadTokenKey(bad, "listing"),
                HasReason(ErrorReason::kPageTokenInvalid));
    EXPECT_THAT(page_tokens_.ReadAuditKey(bad, "listing"),
                HasReason(ErrorReason::kPageTokenInvalid));
  }
  // Every changed character is found.
  for (char& c : token) {
    const char right = c;
    c = c == 'A' ? 'B' : 'A';
    EXPECT_THAT(page_tokens_.ReadTokenKey(token, "listing"),
                HasReason(ErrorReason::kPageTokenInvalid));
    c = right;
  }
}

TEST_F(PageTokensTest, OfOneKindAreNotOfTheOther) {
  EXPECT_THAT(page_tokens_.ReadTokenKey(
                  page_tokens_.Make(AuditPageKey{17, 3}, "x"), "x"),
              HasReason(ErrorReason::kPageTokenInvalid));
}

}  // namespace
}  // namespace wemasy::tokens
