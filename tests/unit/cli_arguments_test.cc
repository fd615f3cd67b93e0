#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "client/cli/request_id.h"
#include "client/cli/session.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wemasy::tokens::cli {
namespace {

using ::testing::MatchesRegex;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time Now() { return absl::FromUnixSeconds(1'800'000'000); }

bool IsInvalid(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument;
}

TEST(ContainsSecretTest, FindsWholeAndEmbeddedSecrets) {
  const std::string secret = "wmsy_" + std::string(36, 'a');
  EXPECT_TRUE(ContainsSecret(secret));
  EXPECT_TRUE(ContainsSecret("--secret=" + secret));
  EXPECT_TRUE(ContainsSecret("wmsy_ " + secret));
  EXPECT_TRUE(ContainsSecret(secret.substr(0, 30)));
}

TEST(ContainsSecretTest, LetsOtherArgumentsPass) {
  EXPECT_FALSE(ContainsSecret(""));
  EXPECT_FALSE(ContainsSecret("wmsy_"));
  EXPECT_FALSE(ContainsSecret("wmsy_deploy"));
  EXPECT_FALSE(ContainsSecret("projects/demo/tokens/t" + std::string(26, '0')));
}

TEST(ParseSpanTest, AddsUnits) {
  EXPECT_EQ(*ParseSpan("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseSpan("90d"), 90 * kDay);
  EXPECT_EQ(*ParseSpan("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseSpan("2w1d5s"), 15 * kDay + absl::Seconds(5));
  EXPECT_EQ(*ParseSpan("1y"), 365 * kDay);
}

TEST(ParseSpanTest, RefusesAnythingElse) {
  for (const std::string text :
       {"", "d", "5", "-5d", "+5d", "1.5d", "5 d", "5D", "5days", "1h30",
        "99999999999999999999d", "2001y", "2147483647y", "\xFF"}) {
    EXPECT_TRUE(IsInvalid(ParseSpan(text).status())) << text;
  }
}

TEST(ParseExpiryTest, TakesSpansTimesAndNever) {
  EXPECT_EQ(*ParseExpiry("90d", Now()), Now() + 90 * kDay);
  EXPECT_EQ(*ParseExpiry("2027-01-15T08:00:00Z", Now()),
            absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(*ParseExpiry("2027-01-15T09:00:00.5+01:00", Now()),
            Now() + absl::Milliseconds(500));
  EXPECT_EQ(*ParseExpiry("never", Now()), absl::nullopt);
  EXPECT_TRUE(IsInvalid(ParseExpiry("tomorrow", Now()).status()));
  EXPECT_TRUE(IsInvalid(ParseExpiry("", Now()).status()));
}

TEST(ParseTimeAgoTest, SubtractsSpans) {
  EXPECT_EQ(*ParseTimeAgo("24h", Now()), Now() - kDay);
}

TEST(TimestampTest, SurvivesTheRoundTrip) {
  for (const absl::Time time :
       {Now(), Now() + absl::Nanoseconds(1), Now() - absl::Nanoseconds(1),
        absl::FromUnixSeconds(-1) + absl::Milliseconds(1)}) {
    const auto proto = ToProto(time);
    EXPECT_EQ(FromProto(proto), time);
    EXPECT_GE(proto.nanos(), 0);
  }
}

TEST(ProjectNameTest, TakesBothForms) {
  EXPECT_EQ(*ProjectName("demo"), "projects/demo");
  EXPECT_EQ(*ProjectName("projects/demo"), "projects/demo");
  EXPECT_TRUE(IsInvalid(ProjectName("").status()));
  EXPECT_TRUE(IsInvalid(ProjectName("projects/").status()));
}

TEST(TokenNameTest, TakesNamesAndIds) {
  EXPECT_EQ(*TokenName("projects/a/tokens/b", "ignored"),
            "projects/a/tokens/b");
  EXPECT_EQ(*TokenName("b", "a"), "projects/a/tokens/b");
  EXPECT_EQ(*TokenName("b", "projects/a"), "projects/a/tokens/b");
  EXPECT_TRUE(IsInvalid(TokenName("b", "").status()));
}

TEST(ParseMetadataTest, SplitsAtTheFirstEqualsSign) {
  const auto metadata = ParseMetadata({"a=1", "b=x=y", "c="});
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_THAT(*metadata, ::testing::ElementsAre(::testing::Pair("a", "1"),
                                                ::testing::Pair("b", "x=y"),
                                                ::testing::Pair("c", "")));
  EXPECT_TRUE(IsInvalid(ParseMetadata({"a"}).status()));
  EXPECT_TRUE(IsInvalid(ParseMetadata({"=1"}).status()));
  EXPECT_TRUE(IsInvalid(ParseMetadata({"a=1", "a=2"}).status()));
}

TEST(ParseRevokeReasonTest, TakesEveryNameInAnyCase) {
  EXPECT_THAT(RevokeReasonNames(), ::testing::SizeIs(6));
  for (const std::string& name : RevokeReasonNames()) {
    EXPECT_TRUE(ParseRevokeReason(name).ok()) << name;
  }
  EXPECT_EQ(*ParseRevokeReason("leak-reported"),
            v1::REVOKE_REASON_LEAK_REPORTED);
  EXPECT_TRUE(IsInvalid(ParseRevokeReason("UNSPECIFIED").status()));
  EXPECT_TRUE(IsInvalid(ParseRevokeReason("bored").status()));
}

TEST(ToExpressionTest, JoinsTermsAndQuotesValues) {
  EXPECT_EQ(ToExpression({}), "");
  ListFilter filter;
  filter.state = "active";
  filter.creator = "a \"b\" \\";
  filter.unused_since = Now();
  filter.expires_before = Now() + absl::Milliseconds(500);
  filter.expression = "state = ACTIVE";
  EXPECT_EQ(ToExpression(filter),
            "state = ACTIVE AND creator = \"a \\\"b\\\" \\\\\" AND "
            "last_used_time < \"2027-01-15T08:00:00Z\" AND "
            "expire_time < \"2027-01-15T08:00:00.5Z\" AND state = ACTIVE");
}

TEST(NewRequestIdTest, IsAFreshVersion4Uuid) {
  SystemRandom random;
  const std::string id = NewRequestId(random);
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                               "[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(id, NewRequestId(random));
}

TEST(IsLocalTest, OnlyWhatStaysOnTheMachine) {
  for (const std::string server :
       {"127.0.0.1:7443", "127.1.2.3:1", "localhost:7443", "[::1]:7443",
        "unix:/run/tokend.sock", "unix:tokend.sock", "dns:///localhost:7443",
        "ipv4:127.0.0.1:7443"}) {
    EXPECT_TRUE(IsLocal(server)) << server;
  }
  for (const std::string server :
       {"", "10.0.0.1:7443", "127.evil.example:7443", "localhost.example:7443",
        "[::2]:7443", "tokens:7443", "0.0.0.0:7443"}) {
    EXPECT_FALSE(IsLocal(server)) << server;
  }
}

}  // namespace
}  // namespace wemasy::tokens::cli
