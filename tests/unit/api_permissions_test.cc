#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "envoy/service/auth/v3/external_auth.pb.h"
#include "server/api/permissions.h"
#include "server/api/roles.h"
#include "server/token/error.h"
#include "wemasy/tokens/v1/auth_service.pb.h"
#include "wemasy/tokens/v1/self_service.pb.h"
#include "wemasy/tokens/v1/token_service.pb.h"

namespace wemasy::tokens {
namespace {

constexpr char kRoles[] = R"({"bindings": [
    {"identity": "gateway", "roles": ["validator"]},
    {"identity": "manager", "roles": ["manager"]},
    {"identity": "shop", "roles": ["manager"], "projects": ["shop"]},
    {"identity": "security", "roles": ["security"]},
    {"identity": "mixed", "roles": ["security", "manager"],
     "projects": ["shop"]},
    {"identity": "all", "roles": ["validator", "manager", "security"]}]})";

constexpr char kShop[] = "projects/shop";
constexpr char kAll[] = "projects/-";

// A token's id, in the place of the stars in the table.
std::string Resource(absl::string_view pattern) {
  return absl::StrReplaceAll(pattern, {{"*", TokenId().ToString()}});
}

struct Row {
  Rpc rpc;
  // The request's `parent` or `name`.
  absl::string_view resource;
  // Who may, of all in the roles file and "nobody", who is not in it.
  absl::string_view allowed;
};

// Every rpc, about everything that it may be asked about.
constexpr Row kTable[] = {
    {Rpc::kValidate, "", "gateway all"},
    {Rpc::kWatch, "", "gateway all"},
    {Rpc::kCheck, "", "gateway all"},
    {Rpc::kGetSelf, "", "gateway all"},
    {Rpc::kRevokeSelf, "", "gateway all"},

    {Rpc::kCreateToken, "projects/shop", "manager shop mixed all"},
    {Rpc::kCreateToken, "projects/other", "manager all"},
    {Rpc::kCreateToken, "projects/-", "manager all"},
    {Rpc::kCreateToken, "shop", "manager all"},
    {Rpc::kCreateToken, "", "manager all"},

    {Rpc::kListTokens, "projects/shop", "manager shop mixed all"},
    {Rpc::kListTokens, "projects/other", "manager all"},
    {Rpc::kListTokens, "projects/-", "manager all"},
    {Rpc::kListTokens, "shop", "manager all"},
    {Rpc::kListTokens, "", "manager all"},

    {Rpc::kGetToken, "projects/shop/tokens/*", "manager shop mixed all"},
    {Rpc::kGetToken, "projects/other/tokens/*", "manager all"},
    {Rpc::kGetToken, "projects/-/tokens/*", "manager all"},
    {Rpc::kGetToken, "projects/shop/tokens/x", "manager all"},
    {Rpc::kGetToken, "projects/shop/../other/tokens/*", "manager all"},

    {Rpc::kUpdateToken, "projects/shop/tokens/*", "manager shop mixed all"},
    {Rpc::kUpdateToken, "projects/other/tokens/*", "manager all"},
    {Rpc::kUpdateToken, "projects/-/tokens/*", "manager all"},
    {Rpc::kUpdateToken, "projects/shop/tokens/x", "manager all"},
    {Rpc::kUpdateToken, "projects/shop/../other/tokens/*", "manager all"},

    {Rpc::kRevokeToken, "projects/shop/tokens/*", "manager shop mixed all"},
    {Rpc::kRevokeToken, "projects/other/tokens/*", "manager all"},
    {Rpc::kRevokeToken, "projects/-/tokens/*", "manager all"},
    {Rpc::kRevokeToken, "projects/shop/tokens/x", "manager all"},
    {Rpc::kRevokeToken, "projects/shop/../other/tokens/*", "manager all"},

    {Rpc::kRotateToken, "projects/shop/tokens/*", "manager shop mixed all"},
    {Rpc::kRotateToken, "projects/other/tokens/*", "manager all"},
    {Rpc::kRotateToken, "projects/-/tokens/*", "manager all"},
    {Rpc::kRotateToken, "projects/shop/tokens/x", "manager all"},
    {Rpc::kRotateToken, "projects/shop/../other/tokens/*", "manager all"},

    {Rpc::kRevokeLeakedTokens, "", "security mixed all"},

    {Rpc::kListAuditEvents, "projects/shop", "manager shop security mixed all"},
    {Rpc::kListAuditEvents, "projects/other", "manager security mixed all"},
    {Rpc::kListAuditEvents, "projects/-", "security mixed all"},
    {Rpc::kListAuditEvents, "shop", "manager security mixed all"},
};

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

  const RoleTable roles_ = *RoleTable::Parse(kRoles);
};

TEST_F(PermissionsTest, EveryRpcForEveryIdentity) {
  std::set<Rpc> covered;
  for (const Row& row : kTable) {
    covered.insert(row.rpc);
    std::string allowed;
    for (const absl::string_view identity :
         {"nobody", "gateway", "manager", "shop", "security", "mixed", "all"}) {
      if (IsAllowed(row.rpc, identity, Resource(row.resource))) {
        absl::StrAppend(&allowed, allowed.empty() ? "" : " ", identity);
      }
    }
    EXPECT_EQ(allowed, row.allowed)
        << InfoOf(row.rpc).full_name << " about \"" << row.resource << "\"";
  }
  EXPECT_EQ(covered.size(), static_cast<size_t>(kRpcCount));
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
  for (const auto* file :
       {v1::ValidateRequest::descriptor()->file(),
        v1::GetTokenRequest::descriptor()->file(),
        v1::GetSelfRequest::descriptor()->file(),
        envoy::service::auth::v3::CheckRequest::descriptor()->file()}) {
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
