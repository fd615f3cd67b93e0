// What fields must look like.
#include "server/lifecycle/field_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/lifecycle/utf8.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Rule = void (*)(FieldViolations&, absl::string_view, absl::string_view);

std::string Complaint(Rule rule, absl::string_view value) {
  FieldViolations violations;
  rule(violations, "field", value);
  return std::string(violations.ToStatus().message());
}

struct TextCase {
  std::string name;
  Rule rule;
  std::string value;
  // Empty if the value is good.
  std::string complaint;
};

class TextRuleTest : public ::testing::TestWithParam<TextCase> {};

TEST_P(TextRuleTest, SaysWhatIsWrongAndNeverTheValue) {
  const std::string complaint = Complaint(GetParam().rule, GetParam().value);
  if (GetParam().complaint.empty()) {
    EXPECT_EQ(complaint, "");
    return;
  }
  EXPECT_THAT(complaint, HasSubstr(GetParam().complaint));
  if (GetParam().value.size() > 3) {
    EXPECT_THAT(complaint, Not(HasSubstr(GetParam().value)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, TextRuleTest,
    ::testing::ValuesIn(std::vector<TextCase>{
        {"Name", CheckDisplayName, "CI deploy", ""},
        {"NameEmpty", CheckDisplayName, "", "is empty"},
        {"NameLongest", CheckDisplayName, std::string(100, 'a'), ""},
        {"NameTooLong", CheckDisplayName, std::string(101, 'a'),
         "has 101 characters, want at most 100"},
        {"NameOfHundredEmoji", CheckDisplayName,
         [] {
           std::string text;
           for (int i = 0; i < 100; ++i) text += "\xF0\x9F\x98\x80";
           return text;
         }(),
         ""},
        {"NameMarkup", CheckDisplayName, "<img onerror=x>", ""},
        {"NameNotUtf8", CheckDisplayName, "caf\xE9 bar", "valid UTF-8"},
        {"NameOverlong", CheckDisplayName, "x\xC0\xAFyz", "valid UTF-8"},
        {"NameSurrogate", CheckDisplayName, "x\xED\xA0\x80y", "valid UTF-8"},
        {"NameTruncated", CheckDisplayName, "abc\xE2\x82", "valid UTF-8"},
        {"NameControl", CheckDisplayName, "a\tb c", "control character"},
        {"NameC1Control", CheckDisplayName, "a\xC2\x85 bc",
         "control character"},
        {"NameLineFeed", CheckDisplayName, "ab\ncd", "control character"},
        {"NameSpaceBefore", CheckDisplayName, " name", "white space"},
        {"NameSpaceAfter", CheckDisplayName, "name ", "white space"},
        {"DescriptionEmpty", CheckDescription, "", ""},
        {"DescriptionLines", CheckDescription, "two\nlines", ""},
        {"DescriptionTooLong", CheckDescription, std::string(1001, 'a'),
         "1001"},
        {"CommentTooLong", CheckComment, std::string(501, 'a'), "501"},
        {"Actor", CheckActor, "user-17", ""},
        {"ActorEmpty", CheckActor, "", "is empty"},
        {"ActorTooLong", CheckActor, std::string(129, 'a'), "129"},
        {"ActorNotAscii", CheckActor, "us\xC3\xA9r", "printable ASCII"},
        {"RequestIdAbsent", CheckRequestId, "", ""},
        {"RequestId", CheckRequestId, "0b3fe2b5-7ab1-4c3e-8f2a-0123456789aB",
         ""},
        {"RequestIdShort", CheckRequestId, "0b3fe2b5-7ab1", "no random UUID"},
        {"RequestIdOfTime", CheckRequestId,
         "0b3fe2b5-7ab1-1c3e-8f2a-0123456789ab", "no random UUID"},
        {"RequestIdOfNoVariant", CheckRequestId,
         "0b3fe2b5-7ab1-4c3e-cf2a-0123456789ab", "no random UUID"},
        {"RequestIdNoHex", CheckRequestId,
         "0b3fe2b5-7ab1-4c3e-8f2a-0123456789xy", "no random UUID"},
    }),
    [](const auto& info) { return info.param.name; });

TEST(FieldRulesTest, ScopesAreBoundedAndWellFormed) {
  FieldViolations none;
  CheckScopes(none, "token.scopes", std::vector<std::string>(64, "a:b"));
  EXPECT_OK(none.ToStatus());
  FieldViolations many;
  CheckScopes(many, "token.scopes", std::vector<std::string>(65, "a:b"));
  EXPECT_THAT(many.ToStatus(), HasViolation("token.scopes"));
  FieldViolations malformed;
  CheckScopes(malformed, "token.scopes", {"fine", "Not Fine"});
  EXPECT_THAT(malformed.ToStatus(), HasViolation("token.scopes[1]"));
}

TEST(FieldRulesTest, MetadataIsBounded) {
  FieldViolations violations;
  CheckMetadata(violations, "m",
                {{"Bad Key", "x"}, {"k", std::string(257, 'v')}, {"ok", ""}});
  EXPECT_THAT(violations.ToStatus(), HasViolation("m"));
  EXPECT_THAT(violations.ToStatus(), HasViolation("m[k]"));
  Metadata many;
  for (int i = 0; i < 17; ++i) many[absl::StrCat("k", i)] = "v";
  FieldViolations too_many;
  CheckMetadata(too_many, "m", many);
  EXPECT_THAT(too_many.ToStatus(), HasViolation("m"));
}

TEST(FieldRulesTest, ExpiryIsAheadButNotFar) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto complaint = [now](absl::Time value) {
    FieldViolations violations;
    CheckExpireTime(violations, "t", value, now);
    return std::string(violations.ToStatus().message());
  };
  EXPECT_EQ(complaint(now + absl::Microseconds(1)), "");
  EXPECT_EQ(complaint(now + kMaxTokenLifetime), "");
  EXPECT_THAT(complaint(now), HasSubstr("future"));
  EXPECT_THAT(complaint(absl::InfinitePast()), HasSubstr("future"));
  EXPECT_THAT(complaint(now + kMaxTokenLifetime + absl::Seconds(1)),
              HasSubstr("ten years"));
}

TEST(FieldRulesTest, GracePeriodIsUpToAWeek) {
  for (const auto& [grace, good] : std::vector<std::pair<absl::Duration, bool>>{
           {absl::ZeroDuration(), true},
           {absl::Hours(168), true},
           {absl::Hours(168) + absl::Nanoseconds(1), false},
           {-absl::Nanoseconds(1), false},
           {absl::InfiniteDuration(), false}}) {
    FieldViolations violations;
    CheckGracePeriod(violations, "grace_period", grace);
    EXPECT_EQ(violations.empty(), good) << grace;
  }
}

TEST(FieldRulesTest, PageSizesHaveADefaultAndAMost) {
  FieldViolations violations;
  EXPECT_EQ(ParsePageSize(violations, "page_size", 0), 50);
  EXPECT_EQ(ParsePageSize(violations, "page_size", 7), 7);
  EXPECT_EQ(ParsePageSize(violations, "page_size", 1001), 1000);
  EXPECT_OK(violations.ToStatus());
  ParsePageSize(violations, "page_size", -1);
  EXPECT_THAT(violations.ToStatus(), HasViolation("page_size"));
}

TEST(FieldRulesTest, ParentsMayMeanAllProjects) {
  FieldViolations violations;
  EXPECT_FALSE(ParseProjectOrAll(violations, "parent", "projects/-"));
  EXPECT_EQ(ParseProjectOrAll(violations, "parent", "projects/a")->text(), "a");
  EXPECT_OK(violations.ToStatus());
  ParseProject(violations, "parent", "projects/-");
  ParseTokenName(violations, "name", "projects/a/tokens/b");
  EXPECT_THAT(violations.ToStatus(),
              AllOf(HasViolation("parent"), HasViolation("name")));
}

TEST(Utf8Test, DecodesTheEndsOfEachLength) {
  const auto decoded = DecodeUtf8(
      absl::string_view("\0\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"
                        "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                        20));
  ASSERT_TRUE(decoded);
  EXPECT_THAT(*decoded, ::testing::ElementsAre(0, 0x7F, 0x80, 0x7FF, 0x800,
                                               0xFFFF, 0x10000, 0x10FFFF));
  EXPECT_FALSE(DecodeUtf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(DecodeUtf8("\xF8\x88\x80\x80\x80"));
  EXPECT_FALSE(DecodeUtf8("\x80"));
}

}  // namespace
}  // namespace wemasy::tokens
