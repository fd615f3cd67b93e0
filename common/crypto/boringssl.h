// Makes sure that what is compiled against is BoringSSL: OpenSSL's headers
// have the same names, and its symbols live in the same process.
#ifndef WEMASY_COMMON_CRYPTO_BORINGSSL_H_
#define WEMASY_COMMON_CRYPTO_BORINGSSL_H_

#include <openssl/base.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "common/crypto must be compiled against BoringSSL, not OpenSSL"
#endif

#endif  // WEMASY_COMMON_CRYPTO_BORINGSSL_H_
