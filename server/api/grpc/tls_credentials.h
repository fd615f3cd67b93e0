// Mutual TLS from files that are read again when they change.
//
// gRPC's own file watcher (grpc::experimental::TlsServerCredentials) drops the
// pair it has before it tries the next one: a key that was replaced before its
// certificate ends all new connections. Here the old pair stays until one
// comes that fits.
#ifndef WEMASY_SERVER_API_GRPC_TLS_CREDENTIALS_H_
#define WEMASY_SERVER_API_GRPC_TLS_CREDENTIALS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"

namespace wemasy::tokens {

// PEM files. Looked at when a connection comes, at most once in an interval.
struct TlsFiles {
  // The server's.
  std::string key;
  std::string certificate_chain;
  // The authorities that client certificates must come from.
  std::string client_ca;
  absl::Duration refresh_interval = absl::Seconds(30);
};

// What became of the files. Thread-safe.
class TlsReloads {
 public:
  virtual ~TlsReloads() = default;
  // When the certificate that new connections are shown ends.
  virtual absl::Time certificate_expiry() const = 0;
  // How many looks at the files found some that cannot be used.
  virtual int64_t failures() const = 0;
};

struct TlsCredentials {
  std::shared_ptr<grpc::ServerCredentials> credentials;
  // Lives until the process ends.
  const TlsReloads* reloads = nullptr;
};

// Every client must show a certificate of the authorities. Returns
// InvalidArgument if the interval is negative, if the key is not that of the
// certificate, or, naming every file at fault one a line, if one cannot be read
// or holds no PEM.
absl::StatusOr<TlsCredentials> MakeTlsCredentials(const TlsFiles& files);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_TLS_CREDENTIALS_H_
