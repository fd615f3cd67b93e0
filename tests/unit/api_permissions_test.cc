#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/api/permissions.h"
#include "server/api/roles.h"
#include "server/token/error.h"
#include "wemasy/tokens/v1/auth_service.pb.h"
#include "wemasy/tokens/v1/token_service.pb.h"

namespace wemasy::tokens {
namespace {

constexpr char kRoles[] = R"({"bindings": [
    {"identity": "gateway", "roles": ["validator"]},
    {"identity": "manager", "roles": ["manager"]},
    {"identity": "shop", "roles": ["manager"], "projects": ["shop"]},
    {"identity": "security", "roles": ["security"]},
    {"identity": "all", "roles": ["validator", "manager", "security"]}]})";

constexpr char kShop[] = "projects/shop";
constexpr char kOther[] = "projects/other";
constexpr char kAll[] = "projects/-";
constexpr char kMalformed[] = "shop";

constexpr Rpc kManagerOnProject[] = {Rpc::kCreateToken, Rpc::kListTokens};
constexpr Rpc kManagerOnToken[] = {Rpc::kGetToken, Rpc::kUpdateToken,
                                   Rpc::kRevokeToken, Rpc::kRotateToken};

class PermissionsTest : public ::testing::Test {
 protected:
  bool IsAllowed(Rpc rpc, absl::string_view identity,
                 absl::string_view resource) {
    const RoleTable::Binding* binding = roles_.Find(identity);
    const absl::Status status = Authorize(
        rpc, binding == nullptr ? nullptr : &binding->second, resource);
    if (status.ok()) return true;
    const auto detail = GetErrorDetail(status);
    EXPECT_TRUE(detail.has_value());
    EXPECT_EQ(detail->reason, ErrorReason::kRoleMissing);
    EXPECT_EQ(detail->metadata.count("role"), 1u);
    return false;
  }

  // Who of `identities` may call `rpc` about `resource`.
  std::string Allowed(Rpc rpc, absl::string_view resource) {
    std::string allowed;
    for (const absl::string_view identity :
         {"nobody", "gateway", "manager", "shop", "security", "all"}) {
      if (IsAllowed(rpc, identity, resource)) {
        absl::StrAppend(&allowed, allowed.empty() ? "" : " ", identity);
      }
    }
    return allowed;
  }

  const RoleTable roles_ = *RoleTable::Parse(kRoles);
};

TEST_F(PermissionsTest, ValidateNeedsValidator) {
  EXPECT_EQ(Allowed(Rpc::kValidate, ""), "gateway all");
}

TEST_F(PermissionsTest, TokenServiceNeedsManagerOfTheProject) {
  for (const Rpc rpc : kManagerOnProject) {
    SCOPED_TRACE(InfoOf(rpc).full_name);
    EXPECT_EQ(Allowed(rpc, kShop), "manager shop all");
    EXPECT_EQ(Allowed(rpc, kOther), "manager all");
    EXPECT_EQ(Allowed(rpc, kAll), "manager all");
    EXPECT_EQ(Allowed(rpc, kMalformed), "manager all");
    EXPECT_EQ(Allowed(rpc, ""), "manager all");
  }
  const std::string token = TokenId().ToString();
  for (const Rpc rpc : kManagerOnToken) {
    SCOPED_TRACE(InfoOf(rpc).full_name);
    EXPECT_EQ(Allowed(rpc, absl::StrCat(kShop, "/tokens/", token)),
              "manager shop all");
    EXPECT_EQ(Allowed(rpc, absl::StrCat(kOther, "/tokens/", token)),
              "manager all");
    EXPECT_EQ(Allowed(rpc, absl::StrCat(kAll, "/tokens/", token)),
              "manager all");
    EXPECT_EQ(Allowed(rpc, absl::StrCat(kShop, "/tokens/x")), "manager all");
    EXPECT_EQ(Allowed(rpc, absl::StrCat(kShop, "/../other/tokens/", token)),
              "manager all");
  }
}

TEST_F(PermissionsTest, LeaksNeedSecurity) {
  EXPECT_EQ(Allowed(Rpc::kRevokeLeakedTokens, ""), "security all");
}

TEST_F(PermissionsTest, AuditNeedsSecurityOrManagerOfTheProject) {
  EXPECT_EQ(Allowed(Rpc::kListAuditEvents, kShop), "manager shop security all");
  EXPECT_EQ(Allowed(Rpc::kListAuditEvents, kOther), "manager security all");
  EXPECT_EQ(Allowed(Rpc::kListAuditEvents, kAll), "security all");
  EXPECT_EQ(Allowed(Rpc::kListAuditEvents, kMalformed), "manager security all");
}

TEST_F(PermissionsTest, NamesTheMissingRole) {
  const auto role_of = [](Rpc rpc, absl::string_view resource) {
    return GetErrorDetail(Authorize(rpc, nullptr, resource))->metadata["role"];
  };
  EXPECT_EQ(role_of(Rpc::kValidate, ""), "validator");
  EXPECT_EQ(role_of(Rpc::kGetToken, kShop), "manager");
  EXPECT_EQ(role_of(Rpc::kRevokeLeakedTokens, ""), "security");
  EXPECT_EQ(role_of(Rpc::kListAuditEvents, kShop), "manager");
  EXPECT_EQ(role_of(Rpc::kListAuditEvents, kAll), "security");
}

// A method added to the contract must be added to the table.
TEST_F(PermissionsTest, TheTableHasEveryMethodOfTheContract) {
  std::set<std::string> in_contract;
  for (const auto* file : {v1::ValidateRequest::descriptor()->file(),
                           v1::GetTokenRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) {
        in_contract.insert(absl::StrCat(service->full_name(), "/",
                                        service->method(j)->name()));
      }
    }
  }
  std::set<std::string> in_table;
  for (int i = 0; i < kRpcCount; ++i) {
    in_table.emplace(InfoOf(static_cast<Rpc>(i)).full_name);
  }
  EXPECT_EQ(in_table, in_contract);
}

}  // namespace
}  // namespace wemasy::tokens
