// A command line, and a configuration file after an empty line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "server/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wemasy::tokens;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits("\n\n", 1));
  Surroundings surroundings;
  surroundings.arguments = absl::StrSplit(parts.first, '\n');
  surroundings.environment =
      [](const std::string& name) -> absl::optional<std::string> {
    if (name == "TOKEND_DATABASE_URL") return "postgresql://tokend@db/tokens";
    return absl::nullopt;
  };
  surroundings.read_file =
      [&](const std::string&) -> absl::StatusOr<std::string> {
    return std::string(parts.second);
  };
  ParseInvocation(surroundings).status().IgnoreError();
  return 0;
}
