// What a gateway does with a request: the contract that all transports share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/api/gateway/credential.h"
#include "server/api/gateway/gateway_check.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Kind = Credential::Kind;

struct CredentialCase {
  std::string name;
  std::vector<HeaderField> fields;
  Kind kind;
  std::string token;
};

class CredentialTest : public ::testing::TestWithParam<CredentialCase> {};

TEST_P(CredentialTest, IsReadAsRfc6750Has) {
  const CredentialReader reader({"x-api-key"});
  const Credential credential = reader.Read(GetParam().fields);
  EXPECT_EQ(credential.kind, GetParam().kind);
  EXPECT_EQ(credential.token, GetParam().token);
}

INSTANTIATE_TEST_SUITE_P(
    All, CredentialTest,
    ::testing::ValuesIn(std::vector<CredentialCase>{
        {"none", {}, Kind::kMissing, ""},
        {"others", {{"cookie", "a=b"}, {"host", "h"}}, Kind::kMissing, ""},
        {"bearer", {{"authorization", "Bearer abc"}}, Kind::kToken, "abc"},
        {"any_case", {{"AuthoriZation", "bEARER abc"}}, Kind::kToken, "abc"},
        {"run_of_spaces",
         {{"authorization", "Bearer   abc"}},
         Kind::kToken,
         "abc"},
        {"key", {{"X-Api-Key", "abc"}}, Kind::kToken, "abc"},
        {"another_scheme",
         {{"authorization", "Basic abc"}},
         Kind::kMissing,
         ""},
        {"another_scheme_and_a_key",
         {{"authorization", "Basic abc"}, {"x-api-key", "k"}},
         Kind::kToken,
         "k"},
        {"a_longer_scheme",
         {{"authorization", "Bearers abc"}},
         Kind::kMissing,
         ""},
        {"no_token", {{"authorization", "Bearer"}}, Kind::kUnusable, ""},
        {"empty_token", {{"authorization", "Bearer "}}, Kind::kUnusable, ""},
        {"empty_key", {{"x-api-key", ""}}, Kind::kUnusable, ""},
        {"trailing_space",
         {{"authorization", "Bearer abc "}},
         Kind::kUnusable,
         ""},
        {"tab", {{"authorization", "Bearer a\tb"}}, Kind::kUnusable, ""},
        {"joined",
         {{"authorization", "Bearer a,Bearer b"}},
         Kind::kUnusable,
         ""},
        {"joined_with_another_scheme",
         {{"authorization", "Basic a, Bearer b"}},
         Kind::kUnusable,
         ""},
        {"apart",
         {{"authorization", "Bearer a"}, {"Authorization", "Bearer a"}},
         Kind::kUnusable,
         ""},
        {"joined_keys", {{"x-api-key", "a,b"}}, Kind::kUnusable, ""},
        {"both",
         {{"authorization", "Bearer a"}, {"x-api-key", "a"}},
         Kind::kUnusable,
         ""},
    }),
    [](const auto& info) { return info.param.name; });

class GatewayCheckTest : public ::testing::Test {
 protected:
  GatewayCheckTest() {
    lease_.SetDatabaseTime(clock_.Now(), absl::FromUnixSeconds(1'800'000'000),
                           clock_.Now());
    lease_.Extend(clock_.Now() + absl::Seconds(30));
    index_.Put(token_.entry);
  }

  GatewayAnswer Check(absl::string_view authorization,
                      const std::vector<RouteSetting>& settings = {}) {
    return check_.Check({{"authorization", authorization}}, settings);
  }
  std::string Bearer() {
    return "Bearer " + std::string(token_.secret.Reveal());
  }

  FakeBootClock clock_;
  FakeRandom random_;
  TestToken token_ = MakeTestToken(random_);
  TokenIndex index_;
  Lease lease_;
  Validator validator_{&index_, &lease_, &clock_};
  GatewayCheck check_{&validator_, CredentialReader({})};
};

std::string ChallengeOf(const GatewayAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (name == "www-authenticate") return value;
  }
  return "";
}

TEST_F(GatewayCheckTest, AValidTokenPassesWithItsIdentity) {
  const GatewayAnswer answer = Check(Bearer());
  EXPECT_TRUE(answer.is_allowed());
  EXPECT_THAT(answer.headers,
              ElementsAre(Pair("x-wemasy-project", "projects/demo"),
                          Pair("x-wemasy-token", token_.entry.name.ToString()),
                          Pair("x-wemasy-scopes", "pages:read pages:write")));
  EXPECT_EQ(answer.token, token_.entry.name.ToString());
  EXPECT_EQ(answer.validation->verdict, Verdict::kValid);
}

TEST_F(GatewayCheckTest, ATokenWithoutScopesHasTheirHeaderEmpty) {
  token_.entry.scopes = ScopeSet();
  index_.Put(token_.entry);
  EXPECT_THAT(Check(Bearer()).headers[2], Pair("x-wemasy-scopes", IsEmpty()));
}

TEST_F(GatewayCheckTest, WithoutACredentialThereIsABareChallenge) {
  const GatewayAnswer answer = check_.Check({}, {});
  EXPECT_EQ(answer.http_status, 401);
  EXPECT_EQ(ChallengeOf(answer), "Bearer realm=\"wemasy\"");
}

TEST_F(GatewayCheckTest, TwoCredentialsAreABadRequest) {
  const GatewayAnswer answer = Check(Bearer() + "," + Bearer());
  EXPECT_EQ(answer.http_status, 400);
  EXPECT_EQ(ChallengeOf(answer),
            "Bearer realm=\"wemasy\", error=\"invalid_request\"");
}

TEST_F(GatewayCheckTest, EveryTokenThatDoesNotWorkIsRefusedAlike) {
  TestToken revoked = MakeTestToken(random_);
  revoked.entry.dead_at = absl::FromUnixSeconds(1'700'000'000);
  TestToken expired = MakeTestToken(random_);
  expired.entry.expire_time = absl::FromUnixSeconds(1'700'000'000);
  index_.Put(revoked.entry);
  index_.Put(expired.entry);
  const TestToken unknown = MakeTestToken(random_);
  const std::vector<std::string> presented = {
      "malformed", std::string(unknown.secret.Reveal()),
      std::string(revoked.secret.Reveal()),
      std::string(expired.secret.Reveal())};
  for (const std::string& token : presented) {
    const GatewayAnswer answer = Check("Bearer " + token);
    EXPECT_EQ(answer.http_status, 401);
    EXPECT_THAT(
        answer.headers,
        ElementsAre(Pair("content-type", "application/json"),
                    Pair("cache-control", "no-store"),
                    Pair("www-authenticate",
                         "Bearer realm=\"wemasy\", error=\"invalid_token\"")));
    EXPECT_EQ(answer.body, "{\"error\":\"a valid API token is required\"}\n");
  }
}

TEST_F(GatewayCheckTest, AMissingScopeIsForbiddenAndNamed) {
  const GatewayAnswer answer =
      Check(Bearer(), {{"required_scopes", "pages:read pages:delete"}});
  EXPECT_EQ(answer.http_status, 403);
  EXPECT_EQ(ChallengeOf(answer),
            "Bearer realm=\"wemasy\", error=\"insufficient_scope\", "
            "scope=\"pages:delete pages:read\"");
}

TEST_F(GatewayCheckTest, AnotherProjectsTokenIsForbidden) {
  const GatewayAnswer answer =
      Check(Bearer(), {{"project", "projects/another"}});
  EXPECT_EQ(answer.http_status, 403);
  EXPECT_EQ(ChallengeOf(answer),
            "Bearer realm=\"wemasy\", error=\"insufficient_scope\"");
  EXPECT_EQ(answer.token, token_.entry.name.ToString());
}

TEST_F(GatewayCheckTest, WithoutALeaseNothingPasses) {
  lease_.Close();
  const GatewayAnswer answer = Check(Bearer());
  EXPECT_EQ(answer.http_status, 503);
  EXPECT_FALSE(answer.validation);
  EXPECT_FALSE(answer.status.ok());
  EXPECT_THAT(answer.headers, Contains(Pair("retry-after", "1")));
}

TEST_F(GatewayCheckTest, ARouteThatIsNotUnderstoodIsClosed) {
  for (const std::vector<RouteSetting>& settings :
       std::vector<std::vector<RouteSetting>>{
           {{"required_scope", "pages:read"}},
           {{"required_scopes", ""}},
           {{"required_scopes", "Pages"}},
           {{"required_scopes", "a"}, {"required_scopes", "b"}},
           {{"project", "demo"}},
           {{"project", ""}},
           {{"project", "projects/demo"}, {"project", "projects/demo"}}}) {
    const GatewayAnswer answer = Check(Bearer(), settings);
    EXPECT_EQ(answer.http_status, 500);
    EXPECT_TRUE(absl::IsInvalidArgument(answer.status));
    EXPECT_THAT(answer.status.message(),
                HasSubstr(std::string(settings.front().key)));
    EXPECT_THAT(ChallengeOf(answer), IsEmpty());
  }
}

TEST(RequestIdInTest, IsThatOfTheOnlyWellFormedHeader) {
  using Fields = std::vector<HeaderField>;
  EXPECT_EQ(RequestIdIn(Fields{{"a", "b"}, {"X-Request-Id", "r-1"}}), "r-1");
  EXPECT_EQ(RequestIdIn(Fields{{"a", "b"}}), "");
  EXPECT_EQ(RequestIdIn(Fields{{"x-request-id", "a b"}}), "");
  EXPECT_EQ(
      RequestIdIn(Fields{{"x-request-id", "r-1"}, {"x-request-id", "r-2"}}),
      "");
}

TEST(RouteDemandsTest, ScopesMayBeSeparatedBySpacesOrCommas) {
  const auto demands = ParseRouteDemands(
      {{"required_scopes", "b, a,c"}, {"project", "projects/demo"}});
  ASSERT_TRUE(demands.ok());
  EXPECT_EQ(demands->required_scopes, ScopeSet({"a", "b", "c"}));
  EXPECT_EQ(demands->expected_project, *ProjectId::Parse("demo"));
}

TEST(ReservedHeaderTest, IsWhatPassesForOurs) {
  for (const char* name :
       {"x-wemasy-project", "X-WEMASY-Scopes", "x-wemasy-", "x_wemasy_project",
        "X-Wemasy_anything", "x.wemasy.project"}) {
    EXPECT_TRUE(IsReservedHeader(name)) << name;
  }
  for (const char* name :
       {"", "x-wemasy", "x-request-id", "wemasy-project", "x-wemasyproject"}) {
    EXPECT_FALSE(IsReservedHeader(name)) << name;
  }
}

}  // namespace
}  // namespace wemasy::tokens
