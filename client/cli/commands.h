// The subcommands. Each adds its options to the app; parsing the command line
// then sets `action` to what the chosen one does.
#ifndef WEMASY_CLIENT_CLI_COMMANDS_H_
#define WEMASY_CLIENT_CLI_COMMANDS_H_

#include <functional>

#include "CLI/CLI.hpp"
#include "client/cli/exit_code.h"
#include "client/cli/session.h"

namespace wemasy::tokens::cli {

using Action = std::function<ExitCode(const Session&)>;

void AddCreate(CLI::App& app, Action& action);
void AddRotate(CLI::App& app, Action& action);
void AddList(CLI::App& app, Action& action);
void AddGet(CLI::App& app, Action& action);
void AddUpdate(CLI::App& app, Action& action);
void AddRevoke(CLI::App& app, Action& action);
void AddRevokeLeaked(CLI::App& app, Action& action);
void AddValidate(CLI::App& app, Action& action);
void AddAudit(CLI::App& app, Action& action);
void AddHealth(CLI::App& app, Action& action);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_COMMANDS_H_
