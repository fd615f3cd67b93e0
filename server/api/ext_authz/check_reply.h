// The replies of Check, written as they are sent (ADR 17).
#ifndef WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REPLY_H_
#define WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REPLY_H_

#include "absl/types/span.h"
#include "server/api/gateway/credential.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/encoded_message.h"

namespace wemasy::tokens {

// Makes `reply`, which is empty, the CheckResponse of what `check` answered to
// a request with the headers `fields`.
void EncodeReply(const GatewayAnswer& answer, const GatewayCheck& check,
                 absl::Span<const HeaderField> fields, EncodedMessage* reply);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REPLY_H_
