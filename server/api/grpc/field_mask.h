// The field mask of UpdateToken (AIP-134).
#ifndef WEMASY_SERVER_API_GRPC_FIELD_MASK_H_
#define WEMASY_SERVER_API_GRPC_FIELD_MASK_H_

#include "server/token/error.h"
#include "wemasy/tokens/v1/token_service.pb.h"

namespace wemasy::tokens {

// Which fields of a token an update changes.
struct UpdateFields {
  bool display_name = false;
  bool description = false;
  bool scopes = false;
  bool metadata = false;
  bool expire_time = false;
};

// Resolves the request's mask: empty is the fields that are set in its token,
// `*` is all that can be changed. Other fields of a token are ignored. Adds a
// violation of `update_mask` for a path that is none, and for a `*` that is
// not alone.
UpdateFields ResolveUpdateMask(FieldViolations& violations,
                               const v1::UpdateTokenRequest& request);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_FIELD_MASK_H_
