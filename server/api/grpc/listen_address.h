// Where a server listens, as gRPC writes it.
#ifndef WEMASY_SERVER_API_GRPC_LISTEN_ADDRESS_H_
#define WEMASY_SERVER_API_GRPC_LISTEN_ADDRESS_H_

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

// Whether only this machine can reach a listener on `address`: a Unix socket
// (`unix:PATH`, `unix-abstract:NAME`), or a port of `localhost`, 127.0.0.0/8
// or `[::1]`, with or without the scheme `ipv4:`, `ipv6:` or `dns:`. False for
// everything that is not surely so.
bool IsLoopbackAddress(absl::string_view address);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_LISTEN_ADDRESS_H_
