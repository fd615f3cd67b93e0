#include <iostream>

#include "absl/status/status.h"
#include "server/commands.h"
#include "server/database_options.h"
#include "server/storage/migrator.h"

namespace wemasy::tokens {
namespace {

ExitCode Report(const absl::Status& status) {
  std::cerr << "tokend: " << status.message() << "\n";
  return absl::IsFailedPrecondition(status) || absl::IsUnavailable(status)
             ? ExitCode::kDatabaseRefused
             : ExitCode::kOther;
}

}  // namespace

ExitCode RunMigrate(const Settings& settings, const BootClock& clock,
                    const Logger& logger) {
  const PostgresOptions options = MakePostgresOptions(settings, logger);
  const absl::StatusOr<MigrationReport> report =
      Migrator(&options, &clock).Migrate(settings.migrate_role);
  if (!report.ok()) return Report(report.status());
  if (report->version > report->known) {
    std::cout << "nothing done: schema version " << report->version
              << " is newer than this binary's " << report->known
              << ", and compatible with it\n";
    return ExitCode::kOk;
  }
  for (const std::string& name : report->applied) {
    std::cout << "applied " << name << "\n";
  }
  std::cout << "schema version " << report->version << "\n";
  return ExitCode::kOk;
}

ExitCode RunAcceptLostHistory(const Settings& settings, const BootClock& clock,
                              const Logger& logger) {
  const PostgresOptions options = MakePostgresOptions(settings, logger);
  const absl::StatusOr<absl::optional<std::string>> said =
      Migrator(&options, &clock).AcceptLostHistory();
  if (!said.ok()) return Report(said.status());
  if (said->has_value()) {
    std::cout << "accepted the loss: " << **said << "\n";
  } else {
    std::cout << "no history was marked as lost\n";
  }
  return ExitCode::kOk;
}

}  // namespace wemasy::tokens
