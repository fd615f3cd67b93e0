// Between the messages of the contract and the values of the domain.
//
// From a message nothing is checked but what only the message can get wrong:
// a time without meaning, an enum value nobody knows, a field mask. All
// else is for the life cycle to check.
#ifndef WEMASY_SERVER_API_GRPC_CONVERT_H_
#define WEMASY_SERVER_API_GRPC_CONVERT_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/lifecycle/requests.h"
#include "server/token/audit_record.h"
#include "server/token/record.h"
#include "wemasy/tokens/v1/audit.pb.h"
#include "wemasy/tokens/v1/token.pb.h"
#include "wemasy/tokens/v1/token_service.pb.h"

namespace wemasy::tokens {

// From messages. Each returns kFieldInvalid, naming every field at fault.
absl::StatusOr<CreateRequest> FromProto(const v1::CreateTokenRequest& request);
absl::StatusOr<RotateRequest> FromProto(const v1::RotateTokenRequest& request);
absl::StatusOr<RevokeRequest> FromProto(const v1::RevokeTokenRequest& request);
absl::StatusOr<AuditRequest> FromProto(
    const v1::ListAuditEventsRequest& request);
// Resolves the field mask (AIP-134): empty is what is set in `token`, `*` is
// every field that can be changed.
absl::StatusOr<UpdateRequest> FromProto(const v1::UpdateTokenRequest& request);
ListRequest FromProto(const v1::ListTokensRequest& request);
LeakRequest FromProto(const v1::RevokeLeakedTokensRequest& request);

// To messages, which must be empty.
void ToProto(const TokenView& view, v1::Token* token);
void ToProto(const Receipt& receipt, v1::RevocationReceipt* message);
void ToProto(const AuditRecord& record, v1::AuditEvent* event);
void ToProto(const LeakResult& result,
             v1::RevokeLeakedTokensResponse* response);
void ToProto(absl::Time time, google::protobuf::Timestamp* timestamp);
void ToProto(absl::Duration duration, google::protobuf::Duration* message);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_CONVERT_H_
