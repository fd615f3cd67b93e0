#include "server/database_options.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace wemasy::tokens {
namespace {

// Percent-encodes all but letters and digits (RFC 3986).
void AppendEncoded(absl::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void AppendQuoted(absl::string_view text, std::string& out) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  out += '\'';
}

LogSeverity SeverityOf(StorageSeverity severity) {
  switch (severity) {
    case StorageSeverity::kInfo:
      return LogSeverity::kInfo;
    case StorageSeverity::kWarning:
      return LogSeverity::kWarning;
    case StorageSeverity::kError:
      return LogSeverity::kError;
  }
  return LogSeverity::kError;
}

}  // namespace

Secret AddPassword(absl::string_view url, absl::string_view password) {
  if (password.empty()) return Secret(url);
  std::string joined;
  // Enough to never move, which would leave a copy behind.
  joined.reserve(url.size() + 3 * password.size() + 16);
  absl::StrAppend(&joined, url);
  if (absl::StartsWith(url, "postgresql://") ||
      absl::StartsWith(url, "postgres://")) {
    absl::StrAppend(&joined, absl::StrContains(url, '?') ? "&" : "?",
                    "password=");
    AppendEncoded(password, joined);
  } else {
    absl::StrAppend(&joined, " password=");
    AppendQuoted(password, joined);
  }
  Secret secret(joined);
  WipeMemory(&joined[0], joined.size());
  return secret;
}

PostgresOptions MakePostgresOptions(const Settings& settings,
                                    const Logger& logger) {
  PostgresOptions options;
  options.conninfo = AddPassword(settings.database_url.Reveal(),
                                 settings.database_password.Reveal());
  options.pool_size = settings.database_connections;
  options.log = [&logger](StorageSeverity severity, absl::string_view message) {
    const LogField field("detail", message);
    logger.Log(SeverityOf(severity), "database", {&field, 1});
  };
  return options;
}

bool IsLastingRefusal(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) return true;
  // Of a failed login, libpq tells no SQLSTATE but only the server's words.
  if (!absl::IsUnavailable(status)) return false;
  for (const absl::string_view words :
       {"authentication failed", "no pg_hba.conf entry", "\" does not exist",
        "is not permitted to log in", "permission denied for database",
        "no password supplied"}) {
    if (absl::StrContains(status.message(), words)) return true;
  }
  return false;
}

}  // namespace wemasy::tokens
