#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/api/roles.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;
using ::testing::TestWithParam;
using ::testing::Values;

ProjectId Project(absl::string_view id) { return *ProjectId::Parse(id); }

TEST(RoleTableTest, DeniesWhatIsNotInTheFile) {
  const auto table = RoleTable::Parse(R"({"bindings": []})");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->Find("local"), nullptr);
  EXPECT_EQ(RoleTable().Find("local"), nullptr);
}

TEST(RoleTableTest, BindsIdentitiesToRoles) {
  const auto table = RoleTable::Parse(R"({"bindings": [
      {"identity": "spiffe://wemasy.local/gateway", "roles": ["validator"]},
      {"identity": "local", "roles": ["manager", "validator", "security"],
       "projects": ["-"]},
      {"identity": "shop.wemasy.local", "roles": ["manager"],
       "projects": ["shop-1", "shop-2"]}]})");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->size(), 3u);

  const auto* gateway = table->Find("spiffe://wemasy.local/gateway");
  ASSERT_NE(gateway, nullptr);
  EXPECT_EQ(gateway->first, "spiffe://wemasy.local/gateway");
  EXPECT_TRUE(gateway->second.Has(Role::kValidator));
  EXPECT_FALSE(gateway->second.Has(Role::kManager));
  EXPECT_FALSE(gateway->second.Has(Role::kSecurity));
  EXPECT_FALSE(gateway->second.ManagesAll());
  EXPECT_FALSE(gateway->second.Manages(Project("shop-1")));

  const auto* local = table->Find("local");
  ASSERT_NE(local, nullptr);
  EXPECT_TRUE(local->second.ManagesAll());
  EXPECT_TRUE(local->second.Manages(Project("any")));

  const auto* shop = table->Find("shop.wemasy.local");
  ASSERT_NE(shop, nullptr);
  EXPECT_FALSE(shop->second.ManagesAll());
  EXPECT_TRUE(shop->second.Manages(Project("shop-2")));
  EXPECT_FALSE(shop->second.Manages(Project("shop-3")));
  EXPECT_EQ(table->Find("Shop.wemasy.local"), nullptr);
}

struct Fault {
  const char* name;
  const char* json;
  const char* want;
};

class RoleTableFaultTest : public TestWithParam<Fault> {};

TEST_P(RoleTableFaultTest, IsRefused) {
  const auto table = RoleTable::Parse(GetParam().json);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(table.status().message()),
              HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, RoleTableFaultTest,
    Values(
        Fault{"Empty", "", "is not JSON at line 1, column 1"},
        Fault{"Syntax", "{\"bindings\":\n  [}", "line 2, column 4"},
        Fault{"Trailing", R"({"bindings": []} x)", "is not JSON"},
        Fault{"NotUtf8", "{\"bindings\": [{\"identity\": \"\xff\"}]}",
              "is not JSON"},
        Fault{"NotAnObject", "[]", "$: is array, want object"},
        Fault{"NoBindings", "{}", "$.bindings: is missing"},
        Fault{"BindingsObject", R"({"bindings": {}})",
              "$.bindings: is object, want array"},
        Fault{"UnknownKey", R"({"bindings": [], "binding": 1})",
              "$.binding: is unknown"},
        Fault{"UnknownBindingKey",
              R"({"bindings": [{"identity": "a", "role": "validator"}]})",
              "$.bindings[0].role: is unknown"},
        Fault{"DuplicateKey", R"({"bindings": [], "bindings": []})",
              "key \"bindings\" is twice"},
        Fault{"BindingNumber", R"({"bindings": [1]})",
              "$.bindings[0]: is number, want object"},
        Fault{"NoIdentity", R"({"bindings": [{"roles": ["validator"]}]})",
              "$.bindings[0].identity: is missing"},
        Fault{"IdentityNumber",
              R"({"bindings": [{"identity": 7, "roles": ["validator"]}]})",
              "$.bindings[0].identity: is number"},
        Fault{"IdentityEmpty",
              R"({"bindings": [{"identity": "", "roles": ["validator"]}]})",
              "$.bindings[0].identity: is \"\""},
        Fault{"IdentitySpace",
              R"({"bindings": [{"identity": "a b", "roles": ["validator"]}]})",
              "want a URI"},
        Fault{"IdentityTwice",
              R"({"bindings": [{"identity": "a", "roles": ["validator"]},
                               {"identity": "a", "roles": ["manager"]}]})",
              "$.bindings[1].identity: is 'a' again"},
        Fault{"NoRoles", R"({"bindings": [{"identity": "a"}]})",
              "$.bindings[0].roles: is missing"},
        Fault{"RolesEmpty", R"({"bindings": [{"identity": "a", "roles": []}]})",
              "$.bindings[0].roles: is empty"},
        Fault{"RoleUnknown",
              R"({"bindings": [{"identity": "a", "roles": ["admin"]}]})",
              "$.bindings[0].roles[0]: is 'admin'"},
        Fault{"RoleNumber",
              R"({"bindings": [{"identity": "a", "roles": [1]}]})",
              "$.bindings[0].roles[0]: is number"},
        Fault{"ProjectsEmpty",
              R"({"bindings": [{"identity": "a", "roles": ["manager"],
                                "projects": []}]})",
              "$.bindings[0].projects: is empty"},
        Fault{"ProjectMalformed",
              R"({"bindings": [{"identity": "a", "roles": ["manager"],
                                "projects": ["A"]}]})",
              "$.bindings[0].projects[0]: is 'A'"},
        Fault{"AllAndMore",
              R"({"bindings": [{"identity": "a", "roles": ["manager"],
                                "projects": ["shop", "-"]}]})",
              "$.bindings[0].projects[1]: is '-', want it alone"},
        Fault{"ProjectsWithoutManager",
              R"({"bindings": [{"identity": "a", "roles": ["validator"],
                                "projects": ["shop"]}]})",
              "$.bindings[0].projects: is set"}),
    [](const auto& test) { return test.param.name; });

TEST(RoleTableTest, ReportsEveryFaultAtOnce) {
  const auto table = RoleTable::Parse(R"({"bindings": [
      {"identity": "", "roles": ["admin"], "projects": ["A"]},
      {"roles": []}], "x": 1})");
  ASSERT_FALSE(table.ok());
  for (const char* fault :
       {"$.x:", "$.bindings[0].identity:", "$.bindings[0].roles[0]:",
        "$.bindings[0].projects:", "$.bindings[0].projects[0]:",
        "$.bindings[1].identity:", "$.bindings[1].roles:"}) {
    EXPECT_THAT(std::string(table.status().message()), HasSubstr(fault));
  }
}

TEST(RoleTableTest, SurvivesDeepNesting) {
  const std::string deep(100000, '[');
  EXPECT_FALSE(RoleTable::Parse(deep).ok());
  EXPECT_FALSE(
      RoleTable::Parse(absl::StrCat(deep, std::string(100000, ']'))).ok());
}

}  // namespace
}  // namespace wemasy::tokens
