#include "server/api/grpc/peer_names.h"

#include "absl/strings/string_view.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/support/string_ref.h"

namespace wemasy::tokens {
namespace {

absl::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

}  // namespace

// One pass over the properties, as each look-up by name would allocate.
PeerNames ReadPeerNames(const grpc::AuthContext& context) {
  PeerNames peer;
  const grpc::AuthPropertyIterator end = context.end();
  for (grpc::AuthPropertyIterator it = context.begin(); it != end; ++it) {
    const grpc::AuthProperty property = *it;
    const absl::string_view name = View(property.first);
    const absl::string_view value = View(property.second);
    if (name == GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME) {
      peer.is_tls = value == GRPC_TLS_TRANSPORT_SECURITY_TYPE ||
                    value == GRPC_SSL_TRANSPORT_SECURITY_TYPE;
    } else if (name == GRPC_PEER_SPIFFE_ID_PROPERTY_NAME) {
      peer.spiffe_id = value;
    } else if (name == GRPC_PEER_DNS_PROPERTY_NAME) {
      peer.dns_names.push_back(value);
    } else if (name == GRPC_PEER_URI_PROPERTY_NAME) {
      peer.uris.push_back(value);
    }
  }
  return peer;
}

}  // namespace wemasy::tokens
