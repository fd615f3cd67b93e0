// The replies of Validate, put together from what was encoded when the token
// was learned (ADR 16).
#ifndef WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_
#define WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_

#include "absl/types/optional.h"
#include "server/api/grpc/encoded_message.h"
#include "server/api/watch_streams.h"
#include "server/token/change.h"
#include "server/validate/token_index.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {

// Encodes what replies say of a token: the TokenEncoder of an index whose
// validator answers over gRPC.
EncodedToken EncodeToken(const IndexEntry& entry);

// Makes `reply`, which is empty, the ValidateResponse of a decision. With its
// freshness if `replica` is given.
void EncodeReply(const Validation& validation,
                 const absl::optional<ReplicaIdentity>& replica,
                 EncodedMessage* reply);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_
