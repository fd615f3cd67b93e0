// Who callers are and what they may, by the settings.
#ifndef WEMASY_SERVER_MAKE_AUTHENTICATOR_H_
#define WEMASY_SERVER_MAKE_AUTHENTICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/api/authenticator.h"
#include "server/config.h"

namespace wemasy::tokens {

// What the roles file grants, to callers as `settings` let them in. Returns
// InvalidArgument if the roles file cannot be parsed.
absl::StatusOr<std::unique_ptr<Authenticator>> MakeAuthenticator(
    const Settings& settings);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_MAKE_AUTHENTICATOR_H_
