// Building blocks of the life cycle's transactions, shared by its rules.
#ifndef WEMASY_SERVER_LIFECYCLE_MUTATIONS_H_
#define WEMASY_SERVER_LIFECYCLE_MUTATIONS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/lifecycle/metadata_room.h"
#include "server/lifecycle/requests.h"
#include "server/lifecycle/token_store.h"

namespace wemasy::tokens {

// Errors about one token.
absl::Status TokenNotFound(const TokenName& name);
absl::Status TokenNotActive(const TokenName& name, TokenState state);

// PostgreSQL keeps microseconds; what is answered must be what is kept.
absl::Time ToMicros(absl::Time time);

// Returns an error of kMetadataLimit if there is no room to give a token
// `metadata`. Tokens without any always have room.
absl::Status CheckMetadataRoom(const MetadataRoom& room,
                               const Metadata& metadata);

// Ends a live secret of a token, in the database and in every index.
void KillSecret(Mutation& mutation, const TokenRecord& record,
                const SecretRecord& secret, absl::Time now);

// The same for a secret that another one takes the place of.
void ReplaceSecret(Mutation& mutation, const TokenRecord& record,
                   SecretRecord secret, absl::Time now);

// Says in every index what is now true of a live secret.
void PutSecret(Mutation& mutation, const TokenRecord& record,
               const SecretRecord& secret);

// Adds a new current secret to a token.
void AddSecret(Mutation& mutation, const TokenRecord& record,
               const TokenDigest& digest);

// Revokes a token: its record and all its live secrets.
void RevokeToken(Mutation& mutation, StoredToken& token, Revocation revocation);

// Writes down what is done.
void Audit(Mutation& mutation, const CallContext& context, AuditAction action,
           const TokenName& token, absl::string_view actor,
           std::map<std::string, std::string> details = {});

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_MUTATIONS_H_
