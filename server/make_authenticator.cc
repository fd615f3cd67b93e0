#include "server/make_authenticator.h"

#include <utility>

#include "common/status_macros.h"
#include "server/api/roles.h"

namespace wemasy::tokens {

absl::StatusOr<std::unique_ptr<Authenticator>> MakeAuthenticator(
    const Settings& settings) {
  RoleTable roles;
  if (!settings.roles.empty()) {
    ASSIGN_OR_RETURN(roles, RoleTable::Parse(settings.roles));
  }
  PlaintextCallers plaintext = PlaintextCallers::kAnyone;
  if (settings.has_tls()) {
    plaintext = PlaintextCallers::kRefused;
  } else if (settings.is_local()) {
    plaintext = PlaintextCallers::kLocal;
  }
  return std::make_unique<Authenticator>(std::move(roles), plaintext);
}

}  // namespace wemasy::tokens
