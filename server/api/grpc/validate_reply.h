// The replies of Validate, written as they are sent (ADR 16).
#ifndef WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_
#define WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/api/grpc/encoded_message.h"
#include "server/api/watch_streams.h"
#include "server/token/record.h"
#include "server/validate/token_index.h"
#include "server/validate/validator.h"

namespace wemasy::tokens {

// The MetadataEncoder of an index whose validator answers over gRPC.
std::string EncodeMetadata(const Metadata& metadata);

// Encodes what a ValidateResponse says of a known token for that verdict, all
// but its end, into `reply`, which is empty. `token` is of an index with
// EncodeMetadata.
void EncodeToken(Verdict verdict, const IndexSlot& token,
                 EncodedMessage* reply);

// The token's resource name in a reply; empty if there is none. Valid as long
// as `reply` is not changed.
absl::string_view NameIn(const EncodedMessage& reply);

// What a caching client has to know of where an answer comes from.
struct Freshness {
  ReplicaIdentity replica;
  // The stream that tells of changes to the token; 0 for none.
  WatchStreams::StreamId stream = 0;
};

// Adds to `reply` the decision. With its freshness if that is given.
void EncodeDecision(const Validation& validation,
                    const absl::optional<Freshness>& freshness,
                    EncodedMessage* reply);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_VALIDATE_REPLY_H_
