#include "server/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/flags.h"

namespace wemasy::tokens {

const char kExitCodesHelp[] =
    "Exit codes:\n"
    "  0  done; a server was told to stop, and has drained\n"
    "  1  another failure\n"
    "  2  the command line or the configuration is wrong\n"
    "  3  the database is not fit (version, schema, settings), refuses the\n"
    "     login, or a command cannot reach it (a server waits for it)\n"
    "  4  the database has lost history: see tokend accept-lost-history\n"
    "  5  the server could not vouch for its memory any more: restart it\n";

namespace {

struct CommandInfo {
  Command command;
  const char* name;
  const char* help;
};
constexpr std::array<CommandInfo, 5> kCommands = {{
    {Command::kServe, "serve", "Serve until SIGTERM or SIGINT."},
    {Command::kMigrate, "migrate",
     "Bring the database's schema up to date. Run it as a job, before the "
     "servers, with a role that owns the schema."},
    {Command::kAcceptLostHistory, "accept-lost-history",
     "Let the servers work again on a database that has lost history, and "
     "print what was lost. Revocations may be among it: read "
     "docs/operations.md first."},
    {Command::kHealth, "health",
     "Ask a server for its health over a new connection. Exit code 0 if it is "
     "serving, 1 if it is not."},
    {Command::kVersion, "version", "Print the version."},
}};

constexpr char kConfigHelp[] =
    "File with flags, one `name = value` a line, # for comments.";
constexpr char kPrecedence[] =
    "Every --flag can also be set as TOKEND_FLAG in the environment and as\n"
    "`flag = value` in the file that --config names. The command line goes\n"
    "before the environment, and the environment before the file.\n";

// Breaks `text` into lines that fit beside CLI11's column of names.
std::string Wrap(absl::string_view text) {
  constexpr size_t kWidth = 50;
  std::string wrapped;
  size_t column = 0;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    const bool fits = column + 1 + word.size() <= kWidth;
    if (column > 0) wrapped += fits ? ' ' : '\n';
    column = (column > 0 && fits ? column + 1 : 0) + word.size();
    absl::StrAppend(&wrapped, word);
  }
  return wrapped;
}

std::string FlagHelp(const FlagSpec& flag) {
  std::string help = absl::StrCat(flag.help, " [", flag.wanted, "]");
  if (flag.fallback != nullptr && flag.fallback[0] != '\0') {
    absl::StrAppend(&help, " Default: ", flag.fallback);
  }
  return Wrap(help);
}

// No limit on what CLI11 takes here: its errors come one at a time, while
// faults are to be reported all at once.
CLI::Option* AddOption(CLI::App* app, const std::string& name,
                       std::vector<std::string>& values,
                       const std::string& help) {
  return app->add_option(name, values, help)
      ->expected(0, 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->type_name("");
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

void ReportExtras(const std::vector<std::string>& extras, Command command,
                  std::vector<std::string>& faults) {
  for (const std::string& extra : extras) {
    const std::string text = extra.substr(0, extra.find('='));
    if (!absl::StartsWith(text, "--")) {
      faults.push_back(absl::StrCat(
          "\"", text, "\": unexpected argument, want --flag=value"));
      continue;
    }
    const std::string similar = SimilarFlag(text.substr(2), command);
    faults.push_back(absl::StrCat(
        text, ": unknown flag",
        similar.empty() ? "" : absl::StrCat(", did you mean ", similar, "?")));
  }
}

// The parser of CLI11 with the commands and flags of this program.
class Parser {
 public:
  Parser() : app_("The token service of WEMASY.", "tokend") {
    app_.allow_extras();
    app_.footer(absl::StrCat(
        "\n`tokend COMMAND --help` lists the flags of a command.\n\n",
        kPrecedence, "\n", kExitCodesHelp));
    for (size_t i = 0; i < kCommands.size(); ++i) AddCommand(i);
  }

  CommandLine Parse(std::vector<std::string> arguments,
                    std::vector<std::string>& faults) {
    CommandLine result;
    // CLI11 wants the last one first.
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      const CLI::App* const chosen = Chosen();
      result.help = chosen == nullptr ? app_.help() : chosen->help("tokend");
      return result;
    } catch (const CLI::Error& error) {
      faults.push_back(error.what());
      return result;
    }
    const CLI::App* const chosen = Chosen();
    if (chosen == nullptr) {
      ReportNoCommand(faults);
      return result;
    }
    const size_t i = IndexOf(chosen);
    result.command = kCommands[i].command;
    for (const auto& [name, option] : options_[i]) {
      // Of a flag without a value, an empty one is kept.
      if (option->count() == 0) continue;
      const std::vector<std::string> values = option->results();
      result.values[name] = values.empty() ? "" : values.back();
    }
    ReportExtras(chosen->remaining(), result.command, faults);
    return result;
  }

 private:
  void AddCommand(size_t i) {
    CLI::App* const command =
        app_.add_subcommand(kCommands[i].name, Wrap(kCommands[i].help));
    commands_[i] = command;
    command->allow_extras();
    if (kCommands[i].command == Command::kVersion) return;
    options_[i]["config"] =
        AddOption(command, "--config", values_["config"], Wrap(kConfigHelp));
    for (const FlagSpec& flag : AllFlags()) {
      if ((flag.commands & static_cast<unsigned>(kCommands[i].command)) == 0) {
        continue;
      }
      options_[i][flag.name] = AddOption(command, FlagName(flag),
                                         values_[flag.name], FlagHelp(flag));
    }
    command->footer(absl::StrCat("\n", kPrecedence, "\n", kExitCodesHelp));
  }

  const CLI::App* Chosen() const {
    const auto chosen = app_.get_subcommands();
    return chosen.empty() ? nullptr : chosen.front();
  }

  size_t IndexOf(const CLI::App* command) const {
    return static_cast<size_t>(
        std::find(commands_.begin(), commands_.end(), command) -
        commands_.begin());
  }

  void ReportNoCommand(std::vector<std::string>& faults) const {
    const std::vector<std::string> extras = app_.remaining();
    faults.push_back(absl::StrCat(
        "command: found ",
        extras.empty() ? "none" : absl::StrCat("\"", extras.front(), "\""),
        ", want serve, migrate, accept-lost-history, health or version"));
  }

  CLI::App app_;
  std::array<CLI::App*, kCommands.size()> commands_{};
  std::array<std::map<std::string, CLI::Option*>, kCommands.size()> options_;
  // CLI11 wants a place for values; they are read from the options instead.
  std::map<std::string, std::vector<std::string>> values_;
};

}  // namespace

CommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                             std::vector<std::string>& faults) {
  if (!arguments.empty() && arguments.front() == "--version") {
    CommandLine version;
    version.command = Command::kVersion;
    return version;
  }
  return Parser().Parse(arguments, faults);
}

std::string SimilarFlag(absl::string_view name, Command command) {
  // Further away it is a guess.
  size_t least = 4;
  std::string similar;
  for (const FlagSpec& flag : AllFlags()) {
    if ((flag.commands & static_cast<unsigned>(command)) == 0) continue;
    const size_t distance = EditDistance(name, flag.name);
    if (distance < least) {
      least = distance;
      similar = FlagName(flag);
    }
  }
  return similar;
}

}  // namespace wemasy::tokens
