#include "server/api/permissions.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "server/token/error.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {
namespace {

// In the order of Rpc.
constexpr RpcInfo kRpcs[] = {
    {Rpc::kValidate, "wemasy.tokens.v1.AuthService/Validate",
     Access::kValidator, false},
    {Rpc::kWatch, "wemasy.tokens.v1.AuthService/Watch", Access::kValidator,
     false},
    {Rpc::kCheck, "envoy.service.auth.v3.Authorization/Check",
     Access::kValidator, false},
    {Rpc::kGetSelf, "wemasy.tokens.v1.SelfService/GetSelf", Access::kValidator,
     false},
    {Rpc::kRevokeSelf, "wemasy.tokens.v1.SelfService/RevokeSelf",
     Access::kValidator, true},
    {Rpc::kCreateToken, "wemasy.tokens.v1.TokenService/CreateToken",
     Access::kManager, true},
    {Rpc::kGetToken, "wemasy.tokens.v1.TokenService/GetToken", Access::kManager,
     false},
    {Rpc::kListTokens, "wemasy.tokens.v1.TokenService/ListTokens",
     Access::kManager, false},
    {Rpc::kUpdateToken, "wemasy.tokens.v1.TokenService/UpdateToken",
     Access::kManager, true},
    {Rpc::kRevokeToken, "wemasy.tokens.v1.TokenService/RevokeToken",
     Access::kManager, true},
    {Rpc::kRotateToken, "wemasy.tokens.v1.TokenService/RotateToken",
     Access::kManager, true},
    {Rpc::kRevokeLeakedTokens,
     "wemasy.tokens.v1.TokenService/RevokeLeakedTokens", Access::kSecurity,
     true},
    {Rpc::kListAuditEvents, "wemasy.tokens.v1.TokenService/ListAuditEvents",
     Access::kSecurityOrManager, false},
};

constexpr bool IsInOrder() {
  for (size_t i = 0; i < kRpcCount; ++i) {
    if (static_cast<size_t>(kRpcs[i].rpc) != i) return false;
  }
  return true;
}
static_assert(sizeof(kRpcs) / sizeof(kRpcs[0]) == kRpcCount);
static_assert(IsInOrder());

constexpr absl::string_view kAllProjects = "projects/-";

// The project of a parent or of a token's name; nothing if malformed, or if
// it is all projects.
absl::optional<ProjectId> ProjectOf(absl::string_view resource) {
  if (auto project = ProjectId::ParseName(resource)) return project;
  if (auto name = TokenName::Parse(resource)) return name->project;
  return absl::nullopt;
}

bool IsManagerOf(const Grants& grants, absl::string_view resource) {
  if (grants.ManagesAll()) return true;
  if (!grants.Has(Role::kManager)) return false;
  const absl::optional<ProjectId> project = ProjectOf(resource);
  return project.has_value() && grants.Manages(*project);
}

bool IsLetIn(Access access, const Grants& grants, absl::string_view resource) {
  switch (access) {
    case Access::kValidator:
      return grants.Has(Role::kValidator);
    case Access::kManager:
      return IsManagerOf(grants, resource);
    case Access::kSecurity:
      return grants.Has(Role::kSecurity);
    case Access::kSecurityOrManager:
      return grants.Has(Role::kSecurity) ||
             (resource != kAllProjects && IsManagerOf(grants, resource));
  }
  return false;
}

// The role that a caller who is not let in would need.
Role MissingRole(Access access, absl::string_view resource) {
  switch (access) {
    case Access::kValidator:
      return Role::kValidator;
    case Access::kManager:
      return Role::kManager;
    case Access::kSecurity:
      return Role::kSecurity;
    case Access::kSecurityOrManager:
      return resource == kAllProjects ? Role::kSecurity : Role::kManager;
  }
  return Role::kManager;
}

}  // namespace

const RpcInfo& InfoOf(Rpc rpc) { return kRpcs[static_cast<size_t>(rpc)]; }

absl::Status Authorize(Rpc rpc, const Grants* grants,
                       absl::string_view resource) {
  const Access access = InfoOf(rpc).access;
  if (grants != nullptr && IsLetIn(access, *grants, resource)) {
    return absl::OkStatus();
  }
  const std::string role(RoleName(MissingRole(access, resource)));
  return MakeError(ErrorReason::kRoleMissing,
                   absl::StrCat("this call needs the role ", role,
                                resource.empty() ? "" : " for its project"),
                   {{"role", role}});
}

}  // namespace wemasy::tokens
