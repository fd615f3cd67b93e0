#include "server/flags.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace wemasy::tokens {
namespace {

constexpr unsigned kServe = static_cast<unsigned>(Command::kServe);
constexpr unsigned kMigrate = static_cast<unsigned>(Command::kMigrate);
constexpr unsigned kAccept = static_cast<unsigned>(Command::kAcceptLostHistory);
constexpr unsigned kHealth = static_cast<unsigned>(Command::kHealth);
constexpr unsigned kWithDatabase = kServe | kMigrate | kAccept;

bool SetText(absl::string_view value, std::string& out) {
  out = std::string(value);
  return !value.empty();
}

bool SetBool(absl::string_view value, bool& out) {
  if (value != "true" && value != "false") return false;
  out = value == "true";
  return true;
}

bool SetInt(absl::string_view value, int low, int high, int& out) {
  int parsed = 0;
  if (!absl::SimpleAtoi(value, &parsed) || parsed < low || parsed > high) {
    return false;
  }
  out = parsed;
  return true;
}

bool SetDuration(absl::string_view value, absl::Duration low,
                 absl::Duration high, absl::Duration& out) {
  absl::Duration parsed;
  if (!absl::ParseDuration(value, &parsed) || parsed < low || parsed > high) {
    return false;
  }
  out = parsed;
  return true;
}

bool HasPort(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  int port = 0;
  return SetInt(address.substr(colon + 1), 0, 65535, port);
}

bool IsAddress(absl::string_view value) {
  if (absl::StartsWith(value, "unix:")) return value.size() > 5;
  return !absl::StrContains(value, '/') && HasPort(value);
}

bool SetDatabaseUrl(absl::string_view value, Settings& s) {
  s.database_url = Secret(value);
  return absl::StartsWith(value, "postgresql://") ||
         absl::StartsWith(value, "postgres://") ||
         absl::StrContains(value, '=');
}

bool SetListen(absl::string_view value, Settings& s) {
  return IsAddress(value) && SetText(value, s.listen);
}

bool SetOpsListen(absl::string_view value, Settings& s) {
  if (value == "off") return true;
  return HasPort(value) && SetText(value, s.ops_listen);
}

bool SetCheckListen(absl::string_view value, Settings& s) {
  if (value == "off") return true;
  return HasPort(value) && SetText(value, s.check_listen);
}

bool SetTokenHeaders(absl::string_view value, Settings& s) {
  const std::vector<std::string> names = absl::StrSplit(value, ',');
  for (const std::string& name : names) {
    const bool is_name =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
          return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
        });
    if (!is_name || name == "authorization") return false;
  }
  s.token_headers = names;
  return true;
}

bool SetReflection(absl::string_view value, Settings& s) {
  bool is_on = false;
  if (!SetBool(value, is_on)) return false;
  s.reflection = is_on;
  return true;
}

bool SetLogLevel(absl::string_view value, Settings& s) {
  const absl::optional<LogSeverity> severity = ParseLogSeverity(value);
  if (severity.has_value()) s.log_level = *severity;
  return severity.has_value();
}

bool SetService(absl::string_view value, Settings& s) {
  s.service = std::string(value);
  return true;
}

// Flags whose whole handling is one of the functions above.
#define WEMASY_TEXT(member) \
  [](absl::string_view v, Settings& s) { return SetText(v, s.member); }
#define WEMASY_BOOL(member) \
  [](absl::string_view v, Settings& s) { return SetBool(v, s.member); }
#define WEMASY_INT(member, low, high)      \
  [](absl::string_view v, Settings& s) {   \
    return SetInt(v, low, high, s.member); \
  }
#define WEMASY_DURATION(member, low, high)      \
  [](absl::string_view v, Settings& s) {        \
    return SetDuration(v, low, high, s.member); \
  }

// clang-format off
constexpr FlagSpec kFlags[] = {
    {"database-url", kWithDatabase, nullptr,
     "postgresql://... or name=value pairs of libpq",
     "PostgreSQL to keep the tokens in. Required.",
     SetDatabaseUrl, false, true},
    {"database-password-file", kWithDatabase, nullptr,
     "a file with the password in it",
     "Password for the database, instead of one in the URL.",
     // Read later, with the other files.
     [](absl::string_view v, Settings&) { return !v.empty(); }},
    {"database-connections", kServe, "4", "1 to 64",
     "Connections for calls and jobs; a replica has two more of its own.",
     WEMASY_INT(database_connections, 1, 64)},
    {"migrate-role", kMigrate, nullptr, "the name of a role",
     "Role of the running server, which is granted what it needs and no more.",
     WEMASY_TEXT(migrate_role)},

    {"listen", kServe, "127.0.0.1:7443", "host:port or unix:PATH",
     "Address of the gRPC services.", SetListen},
    {"ops-listen", kServe, "127.0.0.1:7480", "host:port or off",
     "Address of Prometheus' /metrics, over plain HTTP.", SetOpsListen},
    {"check-listen", kServe, "off", "host:port or off",
     "Address of GET /check, over plain HTTP, for gateways without gRPC.",
     SetCheckListen},
    {"token-headers", kServe, nullptr, "lower-case names, a comma between",
     "Headers of gateways' requests that hold a token, like x-api-key; "
     "Authorization does in any case.",
     SetTokenHeaders},
    {"roles-file", kServe, nullptr, "a roles file",
     "Which callers may do what. Without it nobody may do anything.",
     WEMASY_TEXT(roles_file)},
    {"tls-cert", kServe | kHealth, nullptr, "a PEM file",
     "Certificate chain of this side. Read again when it changes.",
     WEMASY_TEXT(tls_cert)},
    {"tls-key", kServe | kHealth, nullptr, "a PEM file",
     "Private key of --tls-cert.", WEMASY_TEXT(tls_key)},
    {"tls-client-ca", kServe, nullptr, "a PEM file",
     "Authorities of the callers' certificates, which are then required.",
     WEMASY_TEXT(tls_client_ca)},
    {"insecure-listen-anywhere", kServe, "false", "true or false",
     "DANGEROUS: without TLS, serve on addresses that other "
     "machines can reach. Whoever reaches the port is then a caller, tokens "
     "cross the network in the clear, and four connections can stop the "
     "service.",
     WEMASY_BOOL(insecure_listen_anywhere), true},
    {"reflection", kServe, nullptr, "true or false",
     "gRPC reflection. On by default if only this machine can connect.",
     SetReflection, true},
    {"max-connections", kServe, "10000", "1 to 1000000",
     "Connections to have file descriptors for.",
     WEMASY_INT(max_connections, 1, 1'000'000)},
    {"max-connection-age", kServe, "15m", "10s to 24h",
     "Clients are asked to connect anew after that long.",
     WEMASY_DURATION(max_connection_age, absl::Seconds(10), absl::Hours(24))},

    {"lease-ttl", kServe, "30s", "2s to 10m",
     "How long this server may answer without news of the database. Validate "
     "survives an outage of 0.8 of it.",
     WEMASY_DURATION(lease_ttl, absl::Seconds(2), absl::Minutes(10))},
    {"client-lease-ttl", kServe, "2s", "100ms to 1m",
     "How long a client that keeps answers may do so without news of this "
     "server. One that is stopped or cut off delays a Revoke by that.",
     WEMASY_DURATION(client_lease_ttl, absl::Milliseconds(100),
                     absl::Minutes(1))},
    {"max-watch-streams", kServe, "1024", "0 to 100000",
     "Clients that may keep answers of this server at once.",
     WEMASY_INT(max_watch_streams, 0, 100'000)},
    {"synchronous-failover", kServe, "false", "true or false",
     "Declares that no failover of the database loses a commit, so that a "
     "Revoke soon after one need not wait for the longest lease.",
     WEMASY_BOOL(synchronous_failover), true},
    {"max-active-tokens", kServe, "1000", "1 to 1000000",
     "Active tokens that a project may have.",
     WEMASY_INT(max_active_tokens, 1, 1'000'000)},
    {"max-metadata-mb", kServe, "256", "1 to 65536",
     "Megabytes of memory that different metadata of all tokens may take "
     "before tokens with new metadata are refused.",
     WEMASY_INT(max_metadata_mb, 1, 65'536)},
    {"validate-threads", kServe, nullptr, "1 to 256",
     "Threads that answer Validate, Watch, Envoy's Check and health, and as "
     "many for GET /check. One for each processor by default.",
     WEMASY_INT(validate_threads, 1, 256)},

    {"lame-duck", kServe, "5s", "0s to 10m",
     "How long to go on serving after SIGTERM, while health says NOT_SERVING.",
     WEMASY_DURATION(lame_duck, absl::ZeroDuration(), absl::Minutes(10))},
    {"drain-timeout", kServe, "10s", "0s to 10m",
     "How long calls may go on after that before they are cancelled.",
     WEMASY_DURATION(drain_timeout, absl::ZeroDuration(), absl::Minutes(10))},
    {"log-level", kWithDatabase, "info", "debug, info, warning or error",
     "Least severity of the lines on standard error.", SetLogLevel},
    {"allow-core-dumps", kServe, "false", "true or false",
     "Core dumps have the digests of all tokens in them, and may have secrets.",
     WEMASY_BOOL(allow_core_dumps), true},

    {"address", kHealth, "127.0.0.1:7443", "host:port or unix:PATH",
     "Server to ask, over a new connection.",
     [](absl::string_view v, Settings& s) {
       return IsAddress(v) && SetText(v, s.address);
     }},
    {"service", kHealth, "", "the full name of a service, or liveness",
     "What to ask for: whether the server as a whole is ready by default; "
     "liveness is so as long as somebody answers.",
     SetService},
    {"tls-ca", kHealth, nullptr, "a PEM file",
     "Authorities of the server's certificate. Without it, plaintext.",
     WEMASY_TEXT(tls_ca)},
    {"tls-server-name", kHealth, nullptr, "a host name",
     "Name in the server's certificate, if it is not that of --address.",
     WEMASY_TEXT(tls_server_name)},
    {"timeout", kHealth, "3s", "100ms to 1m", "How long to wait.",
     WEMASY_DURATION(timeout, absl::Milliseconds(100), absl::Minutes(1))},
};
// clang-format on

#undef WEMASY_TEXT
#undef WEMASY_BOOL
#undef WEMASY_INT
#undef WEMASY_DURATION

}  // namespace

absl::Span<const FlagSpec> AllFlags() { return kFlags; }

std::string FlagName(const FlagSpec& flag) {
  return absl::StrCat("--", flag.name);
}

std::string EnvironmentName(const FlagSpec& flag) {
  return absl::StrCat("TOKEND_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                     flag.name, {{"-", "_"}})));
}

}  // namespace wemasy::tokens
