// The flags of tokend: their names, defaults, meanings and bounds.
#ifndef WEMASY_SERVER_FLAGS_H_
#define WEMASY_SERVER_FLAGS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/config.h"

namespace wemasy::tokens {

// One flag.
struct FlagSpec {
  // Without dashes.
  const char* name;
  // The bits of the commands that have it.
  unsigned commands;
  // Given to `apply` if the flag is not set anywhere; null for not at all.
  const char* fallback;
  // What a value must be, for help and faults.
  const char* wanted;
  const char* help;
  // Puts a value into the settings. Returns false if it is not as wanted.
  bool (*apply)(absl::string_view value, Settings& settings);
  // May be given without a value, which then is `true`.
  bool is_switch = false;
  // Its value is not to be shown.
  bool is_secret = false;
};

// All flags, in the order of the help.
absl::Span<const FlagSpec> AllFlags();

// `--lease-ttl` of `lease-ttl`.
std::string FlagName(const FlagSpec& flag);
// `TOKEND_LEASE_TTL` of `lease-ttl`.
std::string EnvironmentName(const FlagSpec& flag);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_FLAGS_H_
