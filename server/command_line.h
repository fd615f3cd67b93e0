// The command line, taken apart.
#ifndef WEMASY_SERVER_COMMAND_LINE_H_
#define WEMASY_SERVER_COMMAND_LINE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/config.h"

namespace wemasy::tokens {

// What `--help` says about them.
extern const char kExitCodesHelp[];

// What is on a command line. Values are not looked at yet.
struct CommandLine {
  Command command = Command::kHelp;
  // By the flag's name without dashes. The last one counts.
  std::map<std::string, std::string> values;
  // Set with kHelp.
  std::string help;
};

// Takes `arguments` apart. Adds to `faults` what is not understood.
CommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                             std::vector<std::string>& faults);

// The flag that is meant by `name`, maybe; empty if there is none like it.
std::string SimilarFlag(absl::string_view name, Command command);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COMMAND_LINE_H_
