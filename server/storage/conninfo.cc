#include "server/storage/conninfo.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace wemasy::tokens {
namespace {

using Settings = std::vector<std::pair<absl::string_view, std::string>>;

// A peer that vanished is noticed within some 15 s even without traffic.
Settings Defaults(const PostgresOptions& options) {
  const int64_t connect =
      std::max<int64_t>(2, absl::ToInt64Seconds(options.connect_timeout));
  return {{"application_name", "tokend"},
          {"connect_timeout", absl::StrCat(connect)},
          {"keepalives_idle", "5"},
          {"keepalives_interval", "3"},
          {"keepalives_count", "3"},
          {"tcp_user_timeout", "10000"}};
}

// The log and commits must never be a standby's.
constexpr absl::string_view kWritable = "target_session_attrs=read-write";

}  // namespace

Secret BuildConninfo(const PostgresOptions& options) {
  const absl::string_view given = options.conninfo.Reveal();
  const bool is_uri = absl::StartsWith(given, "postgresql://") ||
                      absl::StartsWith(given, "postgres://");
  // Enough room from the start, so that no copy is left behind in freed
  // memory.
  std::string text;
  text.reserve(given.size() + 512);
  // In both forms, of two settings of one name the later is taken.
  if (is_uri) {
    absl::StrAppend(&text, given, absl::StrContains(given, '?') ? "&" : "?");
    for (const auto& [name, value] : Defaults(options)) {
      if (absl::StrContains(given, absl::StrCat(name, "="))) continue;
      absl::StrAppend(&text, name, "=", value, "&");
    }
  } else {
    for (const auto& [name, value] : Defaults(options)) {
      absl::StrAppend(&text, name, "=", value, " ");
    }
    absl::StrAppend(&text, given, " ");
  }
  absl::StrAppend(&text, kWritable);
  Secret conninfo(text);
  WipeMemory(&text[0], text.size());
  return conninfo;
}

}  // namespace wemasy::tokens
