// The program: parse, build, wait for a signal, drain.
#ifndef WEMASY_SERVER_TOKEND_H_
#define WEMASY_SERVER_TOKEND_H_

#include "server/program.h"

namespace wemasy::tokens {

// Runs the command that the arguments name, and returns the exit code.
int RunTokend(int argc, const char* const* argv, Program program);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEND_H_
