// The filter language of lists.
#include "server/lifecycle/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;

TEST(FilterTest, EmptyMeansEverything) {
  FieldViolations violations;
  const TokenFilter filter = ParseFilter(violations, "  ");
  EXPECT_OK(violations.ToStatus());
  EXPECT_FALSE(filter.state || filter.creator || filter.unused_since ||
               filter.expires_before);
}

TEST(FilterTest, AllComparisonsTogether) {
  FieldViolations violations;
  const TokenFilter filter =
      ParseFilter(violations,
                  "state=REVOKED AND creator = \"a \\\"b\\\\\" AND "
                  "last_used_time < \"2026-01-31T00:00:00Z\" AND expire_time<"
                  "\"2026-02-01T01:00:00+01:00\"");
  ASSERT_OK(violations.ToStatus());
  EXPECT_EQ(filter.state, TokenState::kRevoked);
  EXPECT_EQ(filter.creator, "a \"b\\");
  EXPECT_EQ(filter.unused_since, absl::FromUnixSeconds(1769817600));
  EXPECT_EQ(filter.expires_before, absl::FromUnixSeconds(1769904000));
}

TEST(FilterTest, KnowsTheStates) {
  const std::vector<std::pair<std::string, TokenState>> states = {
      {"ACTIVE", TokenState::kActive},
      {"EXPIRED", TokenState::kExpired},
      {"REVOKED", TokenState::kRevoked}};
  for (const auto& [name, state] : states) {
    FieldViolations violations;
    EXPECT_EQ(ParseFilter(violations, "state = " + name).state, state);
    EXPECT_OK(violations.ToStatus());
  }
}

TEST(FilterTest, SaysWhereItStoppedToUnderstand) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"color = \"red\"", "character 1, want state, creator"},
      {"state", "want the operator ="},
      {"state > ACTIVE", "character 7, want the operator ="},
      {"state = SLEEPING", "character 9, want ACTIVE"},
      {"state = ACTIVE OR state = REVOKED", "character 16, want AND"},
      {"state = ACTIVE AND", "want state, creator"},
      {"state = ACTIVE AND state = ACTIVE", "character 20, want state"},
      {"NOT state = ACTIVE", "character 1"},
      {"creator = bob", "want a text in quotes"},
      {"creator = \"bob", "want a closing quote"},
      {"creator = \"bob\\", "want a closing quote"},
      {std::string("creator = \"a\0b\"", 15), "without control characters"},
      {"creator = \"a\nb\"", "without control characters"},
      {"expire_time < \"tomorrow\"", "want a time as"},
      {"expire_time < \"infinite-future\"", "want a time as"},
      {"expire_time < \"10000-01-01T00:00:00Z\"", "want a time as"},
      {"expire_time < \"-1-01-01T00:00:00Z\"", "want a time as"},
      {"expire_time = \"2026-01-31T00:00:00Z\"", "want the operator <"},
      {std::string(1001, ' '), "want at most 1000"},
      {"(state = ACTIVE)", "character 1"},
  };
  for (const auto& [text, complaint] : cases) {
    FieldViolations violations;
    ParseFilter(violations, text);
    EXPECT_THAT(violations.ToStatus(), HasViolation("filter"));
    EXPECT_THAT(std::string(violations.ToStatus().message()),
                HasSubstr(complaint))
        << text;
  }
}

}  // namespace
}  // namespace wemasy::tokens
