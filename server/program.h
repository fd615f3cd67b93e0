// What a program is besides its settings.
#ifndef WEMASY_SERVER_PROGRAM_H_
#define WEMASY_SERVER_PROGRAM_H_

#include <string>

#include "server/grpc_front.h"

namespace wemasy::tokens {

struct Program {
  // As `tokend version`, the log and tokend_build_info say it.
  std::string version;
  // For benchmarks; may be empty.
  AddRpcs more_rpcs = nullptr;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_PROGRAM_H_
