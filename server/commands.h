// What tokend does besides serving. Results go to standard output, failures
// to standard error.
#ifndef WEMASY_SERVER_COMMANDS_H_
#define WEMASY_SERVER_COMMANDS_H_

#include "common/clock.h"
#include "server/config.h"
#include "server/observability/log.h"

namespace wemasy::tokens {

// Brings the schema up to date.
ExitCode RunMigrate(const Settings& settings, const BootClock& clock,
                    const Logger& logger);

// Takes away the mark that history was lost.
ExitCode RunAcceptLostHistory(const Settings& settings, const BootClock& clock,
                              const Logger& logger);

// Asks a server for its health, over a new connection: an old one says nothing
// about whether the listener still accepts.
ExitCode RunHealth(const Settings& settings);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COMMANDS_H_
