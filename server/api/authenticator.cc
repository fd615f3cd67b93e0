#include "server/api/authenticator.h"

#include <utility>

#include "absl/strings/match.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

absl::string_view PlaintextIdentity(PlaintextCallers plaintext) {
  switch (plaintext) {
    case PlaintextCallers::kRefused:
      return {};
    case PlaintextCallers::kLocal:
      return kLocalIdentity;
    case PlaintextCallers::kAnyone:
      return kPlaintextIdentity;
  }
  return {};
}

// gRPC hands on a SPIFFE id apart from the URIs if it is well-formed and the
// only URI, as SPIFFE wants; one that is only among the URIs is to be trusted
// by nobody.
bool IsUsableUri(absl::string_view uri) {
  return IsUriIdentity(uri) && !absl::StartsWithIgnoreCase(uri, "spiffe:");
}

// Chooses among names of one kind. No identity if none is usable.
template <typename Names>
Caller Choose(const RoleTable& roles, const Names& names,
              bool (*is_usable)(absl::string_view)) {
  Caller first;
  for (const absl::string_view name : names) {
    if (!is_usable(name)) continue;
    if (const RoleTable::Binding* binding = roles.Find(name)) {
      return Caller{binding->first, &binding->second};
    }
    if (first.identity.empty()) first.identity = name;
  }
  return first;
}

}  // namespace

Authenticator::Authenticator(RoleTable roles, PlaintextCallers plaintext)
    : roles_(std::move(roles)) {
  plaintext_.identity = PlaintextIdentity(plaintext);
  if (const RoleTable::Binding* binding = roles_.Find(plaintext_.identity)) {
    plaintext_.grants = &binding->second;
  }
}

absl::StatusOr<Caller> Authenticator::Authenticate(
    const PeerNames& peer) const {
  if (!peer.is_tls) {
    if (everyone() != nullptr) return plaintext_;
    return MakeError(ErrorReason::kCallerUnauthenticated,
                     "the connection has no TLS");
  }
  Caller caller;
  if (!peer.spiffe_id.empty()) {
    caller.identity = peer.spiffe_id;
    if (const RoleTable::Binding* binding = roles_.Find(peer.spiffe_id)) {
      caller.grants = &binding->second;
    }
    return caller;
  }
  caller = Choose(roles_, peer.dns_names, IsDnsIdentity);
  if (!caller.identity.empty()) return caller;
  caller = Choose(roles_, peer.uris, IsUsableUri);
  if (!caller.identity.empty()) return caller;
  return MakeError(ErrorReason::kCallerUnauthenticated,
                   "the client certificate has no SPIFFE URI or DNS name");
}

}  // namespace wemasy::tokens
