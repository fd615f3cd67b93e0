// What gRPC and protobuf have to say.
#ifndef WEMASY_SERVER_LIBRARY_LOG_H_
#define WEMASY_SERVER_LIBRARY_LOG_H_

#include "common/clock.h"
#include "server/observability/log.h"

namespace wemasy::tokens {

// Sends it to `logger`, a bounded number of lines a second, instead of standard
// error. `logger` and `clock` must live as long as the process.
void LogLibraryMessagesTo(const Logger& logger, const BootClock& clock);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIBRARY_LOG_H_
