// The configuration of the process: what it was started with, checked as a
// whole.
//
// Every flag can be given on the command line, as an environment variable
// (`--lease-ttl` as TOKEND_LEASE_TTL) and in a file (`lease-ttl = 30s`); the
// first of these that has it decides. flags.cc lists them all.
#ifndef WEMASY_SERVER_CONFIG_H_
#define WEMASY_SERVER_CONFIG_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/crypto/secret.h"
#include "server/observability/log.h"

namespace wemasy::tokens {

// What the process is to do. The values are bits.
enum class Command : unsigned {
  kHelp = 0,
  kServe = 1,
  kMigrate = 2,
  kAcceptLostHistory = 4,
  kHealth = 8,
  kVersion = 16,
};

// How the process ends; a contract with supervisors.
enum class ExitCode {
  kOk = 0,
  kOther = 1,
  // The command line or the configuration.
  kUsage = 2,
  // The database's version, schema or settings; for commands also that it
  // cannot be reached. A restart alone does not help.
  kDatabaseRefused = 3,
  // History was lost: `tokend accept-lost-history`.
  kLostHistory = 4,
  // The replica could not vouch for its memory any more: a restart helps.
  kFailedClosed = 5,
};

// The values of all flags. Flags of other commands have their defaults.
struct Settings {
  // Has the password in it, maybe.
  Secret database_url;
  // Empty if the URL has it, or none is needed.
  Secret database_password;
  int database_connections = 0;
  std::string migrate_role;

  // `host:port` or `unix:PATH`.
  std::string listen;
  // Empty for none.
  std::string ops_listen;
  // Where gateways ask over HTTP; empty for nowhere.
  std::string check_listen;
  // Headers that hold a token, besides Authorization. In lower case.
  std::vector<std::string> token_headers;
  std::string roles_file;
  // The content of the roles file.
  std::string roles;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  bool insecure_listen_anywhere = false;
  // Nothing for as the address suggests; see reflection_is_on().
  absl::optional<bool> reflection;
  int max_connections = 0;
  absl::Duration max_connection_age;

  absl::Duration lease_ttl;
  absl::Duration client_lease_ttl;
  int max_watch_streams = 0;
  bool synchronous_failover = false;
  int max_active_tokens = 0;
  int max_metadata_mb = 0;
  int validate_threads = 0;

  absl::Duration lame_duck;
  absl::Duration drain_timeout;
  LogSeverity log_level = LogSeverity::kInfo;
  bool allow_core_dumps = false;

  // Of the health command.
  std::string address;
  std::string service;
  std::string tls_ca;
  std::string tls_server_name;
  absl::Duration timeout;

  bool has_tls() const { return !tls_client_ca.empty(); }
  // Whether only this machine can reach `listen`.
  bool is_local() const;
  bool reflection_is_on() const { return reflection.value_or(is_local()); }
};

// A command line, understood.
struct Invocation {
  Command command = Command::kHelp;
  Settings settings;
  // What to print, for kHelp.
  std::string help;
};

// What the process is started with.
struct Surroundings {
  // Without the program's name.
  std::vector<std::string> arguments;
  std::function<absl::optional<std::string>(const std::string& name)>
      environment;
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_file;
  int processors = 1;
};

// Returns InvalidArgument if anything is wrong: all faults, one a line, each
// naming the flag, what was found and what is wanted. What was found is not
// said of secrets.
absl::StatusOr<Invocation> ParseInvocation(const Surroundings& surroundings);

// The real surroundings.
Surroundings ProcessSurroundings(int argc, const char* const* argv);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_CONFIG_H_
