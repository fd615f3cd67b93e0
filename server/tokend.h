// The program: parse, build, wait for a signal, drain.
#ifndef WEMASY_SERVER_TOKEND_H_
#define WEMASY_SERVER_TOKEND_H_

#include "server/grpc_front.h"

namespace wemasy::tokens {

// Runs the command that the arguments name, and returns the exit code.
// `version` is what --version says; `more_rpcs`, if there is any, are for
// benchmarks.
int RunTokend(int argc, const char* const* argv, const char* version,
              AddRpcs more_rpcs = nullptr);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEND_H_
