// The ids that make a request repeatable.
#ifndef WEMASY_CLIENT_CLI_REQUEST_ID_H_
#define WEMASY_CLIENT_CLI_REQUEST_ID_H_

#include <string>

#include "common/crypto/random.h"

namespace wemasy::tokens::cli {

// A random UUID (RFC 9562, version 4), in lower case.
std::string NewRequestId(RandomSource& random);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_REQUEST_ID_H_
