// Ids, resource names, scopes and errors: the values of server/token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/token/change.h"
#include "server/token/error.h"
#include "server/token/record.h"
#include "server/token/resource_name.h"
#include "server/token/scope_set.h"
#include "server/token/token_id.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;

TEST(TokenIdTest, TextAndBytesRoundTrip) {
  FakeRandom random;
  for (int i = 0; i < 1000; ++i) {
    const TokenId id = TokenId::Generate(random);
    const std::string text = id.ToString();
    ASSERT_EQ(text.size(), TokenId::kTextLength);
    EXPECT_EQ(TokenId::Parse(text), id);
    EXPECT_EQ(TokenId::FromBytes(id.bytes()), id);
  }
}

TEST(TokenIdTest, EveryIdHasOneText) {
  EXPECT_EQ(TokenId().ToString(), "t00000000000000000000000000");
  // The last character holds two bits that an id has not.
  EXPECT_FALSE(TokenId::Parse("t00000000000000000000000001"));
  EXPECT_TRUE(TokenId::Parse("t00000000000000000000000004"));
}

TEST(TokenIdTest, RefusesWhatIsNoId) {
  EXPECT_FALSE(TokenId::Parse(""));
  EXPECT_FALSE(TokenId::Parse("x00000000000000000000000000"));
  EXPECT_FALSE(TokenId::Parse("t0000000000000000000000000"));
  EXPECT_FALSE(TokenId::Parse("t000000000000000000000000000"));
  EXPECT_FALSE(TokenId::Parse("t0000000000000000000000000w"));
  EXPECT_FALSE(TokenId::Parse("t0000000000000000000000000V"));
  EXPECT_FALSE(TokenId::FromBytes("fifteen bytes.."));
}

TEST(ResourceNameTest, RoundTrips) {
  const std::string text = "projects/shop-7/tokens/tv000000000000000000000000s";
  const auto name = TokenName::Parse(text);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->project.text(), "shop-7");
  EXPECT_EQ(name->project.Name(), "projects/shop-7");
  EXPECT_EQ(name->ToString(), text);
}

TEST(ResourceNameTest, RefusesMalformedProjects) {
  for (absl::string_view bad :
       {"", "-", "-a", "a-", "A", "a_b", "a/b", "a b", "a\n", "\xC3\xA4"}) {
    EXPECT_FALSE(ProjectId::Parse(bad)) << bad;
  }
  EXPECT_TRUE(ProjectId::Parse(std::string(63, 'a')));
  EXPECT_FALSE(ProjectId::Parse(std::string(64, 'a')));
}

TEST(ResourceNameTest, RefusesMalformedNames) {
  const std::string id = "t00000000000000000000000000";
  for (const std::string& bad : std::vector<std::string>{
           "", "projects/demo", "tokens/" + id, "/projects/demo/tokens/" + id,
           "projects/demo/tokens/" + id + "/", "projects/-/tokens/" + id,
           "projects//tokens/" + id, "projects/demo/tokens/",
           "projects/demo/tokens/-", "projects/demo/keys/" + id,
           "projects/a/tokens/b/tokens/" + id}) {
    EXPECT_FALSE(TokenName::Parse(bad)) << bad;
  }
}

TEST(ScopeSetTest, IsSortedAndWithoutRepetition) {
  const ScopeSet set({"b", "a", "b"});
  EXPECT_THAT(set.scopes(), ElementsAre("a", "b"));
}

TEST(ScopeSetTest, ContainsAllOfASubset) {
  const ScopeSet set({"a", "b", "c"});
  EXPECT_TRUE(set.ContainsAll(ScopeSet()));
  EXPECT_TRUE(set.ContainsAll(ScopeSet({"c", "a"})));
  EXPECT_FALSE(set.ContainsAll(ScopeSet({"a", "d"})));
  EXPECT_FALSE(ScopeSet().ContainsAll(ScopeSet({"a"})));
}

TEST(ScopeSetTest, KnowsWellFormedScopes) {
  for (absl::string_view good : {"a", "pages:read", "a1_b.c:d/e-f"}) {
    EXPECT_TRUE(IsScopeWellFormed(good)) << good;
  }
  for (absl::string_view bad :
       {"", "A", "1a", ":a", "a b", "a,b", "a*", "a\"", "\xC3\xA4"}) {
    EXPECT_FALSE(IsScopeWellFormed(bad)) << bad;
  }
  EXPECT_TRUE(IsScopeWellFormed(std::string(kMaxScopeLength, 'a')));
  EXPECT_FALSE(IsScopeWellFormed(std::string(kMaxScopeLength + 1, 'a')));
}

TEST(StateTest, RevokedWinsOverExpired) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  TokenRecord record;
  EXPECT_EQ(StateAt(record, now), TokenState::kActive);
  record.expire_time = now + absl::Nanoseconds(1);
  EXPECT_EQ(StateAt(record, now), TokenState::kActive);
  record.expire_time = now;
  EXPECT_EQ(StateAt(record, now), TokenState::kExpired);
  record.revocation = Revocation{now, "user-1", RevokeReason::kUnused, ""};
  EXPECT_EQ(StateAt(record, now), TokenState::kRevoked);
}

TEST(IndexEntryTest, EndsWithItsTokenOrBefore) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  TokenRecord record;
  record.expire_time = now + absl::Hours(2);
  SecretRecord secret;
  EXPECT_EQ(MakeIndexEntry(record, secret).expire_time, record.expire_time);
  secret.is_current = false;
  secret.ends_at = now + absl::Hours(1);
  EXPECT_EQ(MakeIndexEntry(record, secret).expire_time, secret.ends_at);
  EXPECT_TRUE(MakeIndexEntry(record, secret).is_old);
  EXPECT_FALSE(MakeIndexEntry(record, secret).dead_at);
  record.revocation = Revocation{now, "user-1", RevokeReason::kUnused, ""};
  EXPECT_EQ(MakeIndexEntry(record, secret).dead_at, now);
}

TEST(ErrorTest, DetailSurvivesTheStatus) {
  const absl::Status status =
      MakeError(ErrorReason::kTokenNotFound, "projects/a/tokens/b does not",
                {{"name", "3:x"}, {"empty", ""}});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  const auto detail = GetErrorDetail(status);
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->reason, ErrorReason::kTokenNotFound);
  EXPECT_THAT(
      detail->metadata,
      ElementsAre(std::pair<const std::string, std::string>("empty", ""),
                  std::pair<const std::string, std::string>("name", "3:x")));
  EXPECT_FALSE(GetErrorDetail(absl::InternalError("plain")));
}

TEST(ErrorTest, ViolationsAreReportedTogether) {
  FieldViolations violations;
  EXPECT_OK(violations.ToStatus());
  violations.Add("actor", "is empty, want a user");
  violations.Add("parent", "has 3 bytes; want more");
  const absl::Status status = violations.ToStatus();
  EXPECT_THAT(status, HasReason(ErrorReason::kFieldInvalid));
  EXPECT_THAT(status, HasViolation("actor"));
  EXPECT_THAT(status, HasViolation("parent"));
  EXPECT_EQ(status.message(),
            "actor is empty, want a user; parent has 3 bytes; want more");
}

}  // namespace
}  // namespace wemasy::tokens
