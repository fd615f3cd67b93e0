#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/api/grpc/field_mask.h"

namespace wemasy::tokens {
namespace {

struct MaskRow {
  const char* name;
  std::vector<std::string> paths;
  // One letter a field, in the order of UpdateFields.
  std::string want;
  bool want_violation = false;
};

std::string Letters(const UpdateFields& fields) {
  std::string letters;
  if (fields.display_name) letters += 'n';
  if (fields.description) letters += 'd';
  if (fields.scopes) letters += 's';
  if (fields.metadata) letters += 'm';
  if (fields.expire_time) letters += 'e';
  return letters;
}

class FieldMaskTest : public ::testing::TestWithParam<MaskRow> {};

TEST_P(FieldMaskTest, Resolves) {
  v1::UpdateTokenRequest request;
  // Set, so that it would show if the mask were not heeded.
  request.mutable_token()->set_display_name("name");
  for (const std::string& path : GetParam().paths) {
    request.mutable_update_mask()->add_paths(path);
  }
  FieldViolations violations;
  const UpdateFields fields = ResolveUpdateMask(violations, request);
  EXPECT_EQ(violations.empty(), !GetParam().want_violation);
  if (!GetParam().want_violation) {
    EXPECT_EQ(Letters(fields), GetParam().want);
  } else {
    EXPECT_EQ(GetErrorDetail(violations.ToStatus())->violations[0].field,
              "update_mask");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Masks, FieldMaskTest,
    ::testing::Values(
        MaskRow{"EmptyIsWhatIsSet", {}, "n"},
        MaskRow{"One", {"description"}, "d"},
        MaskRow{"Several", {"expire_time", "scopes", "metadata"}, "sme"},
        MaskRow{"Twice", {"scopes", "scopes"}, "s"},
        MaskRow{"Star", {"*"}, "ndsme"},
        MaskRow{"OutputOnlyIsIgnored",
                {"state", "hint", "create_time", "creator", "scopes"},
                "s"},
        MaskRow{"NameAndEtagAreIgnored", {"name", "etag"}, ""},
        MaskRow{"StarAmongOthers", {"*", "scopes"}, "", true},
        MaskRow{"Unknown", {"scopes", "colour"}, "", true},
        MaskRow{"Nested", {"expire_time.seconds"}, "", true},
        MaskRow{"MapKey", {"metadata.team"}, "", true},
        MaskRow{"WithPrefix", {"token.scopes"}, "", true},
        MaskRow{"CamelCase", {"displayName"}, "", true},
        MaskRow{"EmptyPath", {""}, "", true}),
    [](const auto& test) { return test.param.name; });

TEST(FieldMaskPopulatedTest, EmptyMaskTakesEveryFieldThatIsSet) {
  v1::UpdateTokenRequest request;
  FieldViolations violations;
  EXPECT_EQ(Letters(ResolveUpdateMask(violations, request)), "");
  request.mutable_token()->set_description("d");
  request.mutable_token()->add_scopes("read");
  (*request.mutable_token()->mutable_metadata())["k"] = "v";
  request.mutable_token()->mutable_expire_time();
  EXPECT_EQ(Letters(ResolveUpdateMask(violations, request)), "dsme");
  EXPECT_TRUE(violations.empty());
}

}  // namespace
}  // namespace wemasy::tokens
