#include "server/tokend.h"

#include <iostream>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/api/http/check_endpoint.h"
#include "server/commands.h"
#include "server/config.h"
#include "server/database_options.h"
#include "server/library_log.h"
#include "server/process.h"
#include "server/server.h"
#include "server/storage/migrator.h"

namespace wemasy::tokens {
namespace {

ExitCode Fail(const absl::Status& status, ExitCode code) {
  std::cerr << "tokend: " << status.message() << "\n";
  return code;
}

// What must be so before anything else is.
absl::Status PrepareProcess(const Settings& settings) {
  // Debian builds Abseil with this check, which costs a Validate 6 to 8 %.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (!settings.allow_core_dumps) {
    const absl::Status forbidden = ForbidCoreDumps();
    if (!forbidden.ok()) return forbidden;
  }
  int connections = settings.max_connections;
  if (!settings.check_listen.empty()) {
    connections += CheckEndpointOptions().max_connections;
  }
  return RaiseDescriptorLimit(connections);
}

ExitCode RunServe(Settings settings, const BootClock& clock,
                  const Logger& logger, Program program) {
  const absl::Status prepared = PrepareProcess(settings);
  if (!prepared.ok()) return Fail(prepared, ExitCode::kUsage);
  StopRequests stop;
  SystemRandom random;
  // A database that is not fit is refused before anybody connects; one that is
  // away may come.
  const PostgresOptions options = MakePostgresOptions(settings, logger);
  const absl::Status fit = CheckDatabase(options, clock);
  if (IsLastingRefusal(fit)) {
    logger.Error("the database refuses, or is not fit",
                 {{"error", fit.message()}});
    return ExitCode::kDatabaseRefused;
  }
  if (!fit.ok()) {
    logger.Warning("the database is away; waiting for it",
                   {{"error", fit.message()}});
  }
  Server server(std::move(settings), std::move(program), clock, random, logger,
                stop);
  const absl::StatusOr<ExitCode> code = server.Serve();
  if (code.ok()) return *code;
  return Fail(code.status(), ExitCode::kUsage);
}

ExitCode Run(Invocation invocation, Program program) {
  static const SystemBootClock* const clock = new SystemBootClock;
  static StderrLogSink* const sink = new StderrLogSink;
  static const Logger* const logger =
      new Logger(invocation.settings.log_level, absl::Now, *sink);
  switch (invocation.command) {
    case Command::kHelp:
      std::cout << invocation.help;
      return ExitCode::kOk;
    case Command::kVersion:
      std::cout << "tokend " << program.version << "\n";
      return ExitCode::kOk;
    case Command::kServe:
      // The libraries' threads may have something to say to the very end.
      LogLibraryMessagesTo(*logger, *clock);
      return RunServe(std::move(invocation.settings), *clock, *logger,
                      std::move(program));
    case Command::kMigrate:
      return RunMigrate(invocation.settings, *clock, *logger);
    case Command::kAcceptLostHistory:
      return RunAcceptLostHistory(invocation.settings, *clock, *logger);
    case Command::kHealth:
      return RunHealth(invocation.settings);
  }
  return ExitCode::kOther;
}

}  // namespace

int RunTokend(int argc, const char* const* argv, Program program) {
  absl::StatusOr<Invocation> invocation =
      ParseInvocation(ProcessSurroundings(argc, argv));
  if (!invocation.ok()) {
    std::cerr << "tokend: the configuration is wrong:\n"
              << invocation.status().message()
              << "\nTry tokend --help, or tokend COMMAND --help.\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(Run(*std::move(invocation), std::move(program)));
}

}  // namespace wemasy::tokens
