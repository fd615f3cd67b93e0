// Who calls: from the names in the caller's certificate to an identity.
#ifndef WEMASY_SERVER_API_AUTHENTICATOR_H_
#define WEMASY_SERVER_API_AUTHENTICATOR_H_

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/api/roles.h"

namespace wemasy::tokens {

// What a transport says of its peer. Its texts belong to the transport.
struct PeerNames {
  // Whether the connection is TLS; if so, the certificate was verified.
  bool is_tls = false;
  // The certificate's SPIFFE id, its form checked; empty if none.
  absl::string_view spiffe_id;
  // The certificate's other alternative names. The common name is not among
  // them: no authority vouches for its form.
  absl::InlinedVector<absl::string_view, 2> dns_names;
  absl::InlinedVector<absl::string_view, 2> uris;
};

// Who may call without TLS.
enum class PlaintextCallers {
  // Nobody.
  kRefused,
  // Whoever reaches the listener has the identity `local`. For loopback
  // addresses and Unix sockets.
  kLocal,
  // Whoever reaches the listener has the identity `plaintext`. For networks
  // that the operator trusts entirely.
  kAnyone,
};

// A caller that is known. Valid as long as the peer's names and the
// Authenticator.
struct Caller {
  absl::string_view identity;
  // What it may do; null for nothing.
  const Grants* grants = nullptr;
};

// Tells who calls. Immutable, thus thread-safe.
class Authenticator {
 public:
  Authenticator(RoleTable roles, PlaintextCallers plaintext);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // The identity is the certificate's SPIFFE id; if it has none, one of its
  // DNS names; if it has none of these either, one of its URIs. Of several,
  // the first that the roles file knows, otherwise the first.
  //
  // Returns kCallerUnauthenticated for a certificate without a usable name,
  // and for plaintext if it is refused.
  absl::StatusOr<Caller> Authenticate(const PeerNames& peer) const;

  // The caller that every peer is, whatever its names, as there is no TLS; null
  // if plaintext is refused.
  const Caller* everyone() const {
    return plaintext_.identity.empty() ? nullptr : &plaintext_;
  }

 private:
  const RoleTable roles_;
  // Empty if plaintext is refused.
  Caller plaintext_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_AUTHENTICATOR_H_
