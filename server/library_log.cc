#include "server/library_log.h"

#include <cstdint>
#include <string>

#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "server/observability/rate_limit.h"

namespace wemasy::tokens {
namespace {

constexpr int64_t kLinesPerSecond = 10;

}  // namespace

void LogLibraryMessagesTo(const Logger& logger, const BootClock& clock) {
  // Both take a plain function, and call it until the process ends.
  static const Logger* library_logger = nullptr;
  static const BootClock* library_clock = nullptr;
  static RateLimit* const limit = new RateLimit(kLinesPerSecond);
  library_logger = &logger;
  library_clock = &clock;
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (!limit->Admit(library_clock->Now())) return;
    library_logger->Warning("grpc", {{"detail", args->message},
                                     {"file", args->file},
                                     {"line", args->line}});
  });
  // Of texts that are not UTF-8, which any caller can send. The message may
  // name the field; it never has the text.
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel,
                                     const char* file, int line,
                                     const std::string& message) {
    if (!limit->Admit(library_clock->Now())) return;
    library_logger->Warning(
        "protobuf", {{"detail", message}, {"file", file}, {"line", line}});
  });
}

}  // namespace wemasy::tokens
