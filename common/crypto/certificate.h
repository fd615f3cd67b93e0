// What a server has to know of its certificates.
#ifndef WEMASY_COMMON_CRYPTO_CERTIFICATE_H_
#define WEMASY_COMMON_CRYPTO_CERTIFICATE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace wemasy::tokens {

// Returns the end of the first certificate of a chain (`notAfter`, RFC 5280
// section 4.1.2.5). Both texts are PEM. Returns InvalidArgument if there is no
// certificate, or if `key` is not its private key; the message has nothing of
// the texts in it.
absl::StatusOr<absl::Time> ReadCertificateExpiry(absl::string_view chain,
                                                 absl::string_view key);

// Returns InvalidArgument unless `pem` has certificates in it, and each can be
// read.
absl::Status CheckCertificates(absl::string_view pem);

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CRYPTO_CERTIFICATE_H_
