// tokenctl: the token service from the command line.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/session.h"

#ifndef TOKENCTL_VERSION
#define TOKENCTL_VERSION "unknown"
#endif

namespace wemasy::tokens::cli {
namespace {

std::string CurrentUser() {
  if (const char* user = std::getenv("USER"); user != nullptr && *user) {
    return user;
  }
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : "";
}

void AddFlags(CLI::App& app, Flags& flags) {
  const auto connection = "Connection";
  app.add_option("--server", flags.server, "HOST:PORT, or unix:PATH")
      ->capture_default_str()
      ->envname("TOKENCTL_SERVER")
      ->group(connection);
  app.add_option("--tls-ca", flags.tls_ca, "Certificates to trust (PEM)")
      ->envname("TOKENCTL_TLS_CA")
      ->group(connection);
  app.add_option("--tls-cert", flags.tls_cert, "Own certificate (PEM)")
      ->envname("TOKENCTL_TLS_CERT")
      ->group(connection);
  app.add_option("--tls-key", flags.tls_key, "Own private key (PEM)")
      ->envname("TOKENCTL_TLS_KEY")
      ->group(connection);
  app.add_option("--tls-server-name", flags.tls_server_name,
                 "The name to expect in the server's certificate")
      ->group(connection);
  app.add_flag("--insecure", flags.insecure,
               "Send secrets in plain text to another machine")
      ->group(connection);
  app.add_option("--timeout", flags.timeout_seconds,
                 "Seconds for each attempt of a call")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 86400.0))
      ->group(connection);
  app.add_option("--project", flags.project, "NAME or projects/NAME")
      ->envname("TOKENCTL_PROJECT");
  app.add_option("--actor", flags.actor,
                 "The user id for the audit trail; $USER if not given")
      ->envname("TOKENCTL_ACTOR");
  app.add_flag("--json", flags.json, "For programs: JSON on standard output");
  app.add_flag("--timing", flags.timing,
               "Say on standard error how long each call took");
}

int Main(int argc, char** argv) {
  // A reader that goes away is an error of a write, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  if (std::any_of(argv + 1, argv + argc, ContainsSecret)) {
    std::fputs(
        "tokenctl: a token's secret was given as an argument, where other "
        "users of this machine and the shell's history can see it; give it on "
        "standard input or by --secret-file, and rotate the token\n",
        stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  CLI::App app("Manages the API tokens of projects.", "tokenctl");
  Flags flags;
  Action action;
  AddFlags(app, flags);
  app.set_version_flag("--version", "tokenctl " TOKENCTL_VERSION);
  // None is found out below: otherwise a misspelt one would be taken for none.
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer(absl::StrCat(
      "Each command has its own --help, with examples. Secrets are read from "
      "standard\ninput or a file, never from an argument.\n\n",
      kExitCodesHelp));
  AddCreate(app, action);
  AddList(app, action);
  AddGet(app, action);
  AddUpdate(app, action);
  AddRotate(app, action);
  AddRevoke(app, action);
  AddValidate(app, action);
  AddRevokeLeaked(app, action);
  AddAudit(app, action);
  AddHealth(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Zero for --help and --version.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (!action) {
    std::fputs(app.help().c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  if (flags.actor.empty()) flags.actor = CurrentUser();
  const auto session = Session::Open(flags);
  if (!session.ok()) return static_cast<int>(UsageError(session.status()));
  const ExitCode code = action(*session);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return static_cast<int>(code);
  }
  std::fputs("tokenctl: standard output could not be written\n", stderr);
  return static_cast<int>(ExitCode::kError);
}

}  // namespace
}  // namespace wemasy::tokens::cli

int main(int argc, char** argv) {
  return wemasy::tokens::cli::Main(argc, argv);
}
