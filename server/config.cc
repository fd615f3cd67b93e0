#include "server/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/api/grpc/listen_address.h"
#include "server/api/roles.h"
#include "server/command_line.h"
#include "server/flags.h"

namespace wemasy::tokens {
namespace {

using Faults = std::vector<std::string>;

// A value that was found, and where.
struct FoundValue {
  std::string value;
  // Empty for the command line.
  std::string source;
};

const FlagSpec* FindFlag(absl::string_view name) {
  for (const FlagSpec& flag : AllFlags()) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// Editors end a file with a newline, and so do Secrets that are made of one. No
// value ends with one.
absl::string_view WithoutFinalNewline(absl::string_view text) {
  while (absl::EndsWith(text, "\n") || absl::EndsWith(text, "\r")) {
    text.remove_suffix(1);
  }
  return text;
}

std::string Unquote(absl::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

// Parses the text of a configuration file. Flags of any command may be in it,
// so that one file can serve all.
std::map<std::string, FoundValue> ParseFile(const std::string& path,
                                            absl::string_view text,
                                            Faults& faults) {
  std::map<std::string, FoundValue> values;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const std::string place = absl::StrCat(path, ":", number);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const std::string name(absl::StripTrailingAsciiWhitespace(parts.first));
    // The line is not shown: it may be part of a secret.
    if (!absl::StrContains(line, '=')) {
      faults.push_back(absl::StrCat(place, ": want name = value"));
    } else if (FindFlag(name) == nullptr) {
      faults.push_back(absl::StrCat(place, ": unknown flag \"", name, "\""));
    } else if (values.count(name) != 0) {
      faults.push_back(absl::StrCat(place, ": ", name, " is set twice"));
    } else {
      values[name] = {Unquote(absl::StripAsciiWhitespace(parts.second)),
                      absl::StrCat("in ", place)};
    }
  }
  return values;
}

std::string Found(const FlagSpec& flag, const FoundValue& found) {
  const std::string from =
      found.source.empty() ? "" : absl::StrCat(" ", found.source);
  if (found.value.empty()) return absl::StrCat("found nothing", from);
  if (flag.is_secret) return absl::StrCat("found something else", from);
  return absl::StrCat("found \"", found.value, "\"", from);
}

// Gathers a configuration, and what is wrong with it.
class Resolver {
 public:
  Resolver(const Surroundings& surroundings, Faults& faults)
      : surroundings_(surroundings), faults_(faults) {}

  Settings Resolve(const CommandLine& line) {
    ReadConfigFile(line);
    for (const FlagSpec& flag : AllFlags()) {
      const bool has_flag =
          (flag.commands & static_cast<unsigned>(line.command)) != 0;
      if (has_flag) {
        ResolveFlag(flag, line);
      } else if (flag.fallback != nullptr) {
        flag.apply(flag.fallback, settings_);
      }
    }
    if (settings_.validate_threads == 0) {
      settings_.validate_threads = surroundings_.processors;
    }
    if ((static_cast<unsigned>(line.command) &
         FindFlag("database-url")->commands) != 0) {
      CheckDatabase();
    }
    if (line.command == Command::kServe) CheckServe();
    if (line.command == Command::kHealth) CheckHealth();
    return std::move(settings_);
  }

 private:
  void ReadConfigFile(const CommandLine& line) {
    std::string path;
    const auto given = line.values.find("config");
    if (given != line.values.end()) {
      path = given->second;
      if (path.empty()) faults_.push_back("--config: found nothing, want FILE");
    } else {
      path = surroundings_.environment("TOKEND_CONFIG").value_or("");
    }
    if (path.empty()) return;
    const std::string text = ReadFile("--config", path);
    file_values_ = ParseFile(path, text, faults_);
  }

  // The flag's value by precedence, if it is anywhere.
  absl::optional<FoundValue> Find(const FlagSpec& flag,
                                  const CommandLine& line) const {
    const auto given = line.values.find(flag.name);
    if (given != line.values.end()) return FoundValue{given->second, ""};
    const std::string variable = EnvironmentName(flag);
    const std::string set = surroundings_.environment(variable).value_or("");
    const absl::string_view value = WithoutFinalNewline(set);
    // Composition files pass on variables that are not set as empty ones.
    if (!value.empty()) {
      return FoundValue{std::string(value), absl::StrCat("in ", variable)};
    }
    const auto in_file = file_values_.find(flag.name);
    if (in_file != file_values_.end()) return in_file->second;
    return absl::nullopt;
  }

  void ResolveFlag(const FlagSpec& flag, const CommandLine& line) {
    absl::optional<FoundValue> found = Find(flag, line);
    if (!found.has_value()) {
      if (flag.fallback != nullptr) flag.apply(flag.fallback, settings_);
      return;
    }
    if (flag.is_switch && found->value.empty()) found->value = "true";
    if (!flag.apply(found->value, settings_)) {
      faults_.push_back(absl::StrCat(FlagName(flag), ": ", Found(flag, *found),
                                     ", want ", flag.wanted));
    } else {
      found_[flag.name] = *std::move(found);
    }
  }

  std::string ReadFile(absl::string_view flag, const std::string& path) {
    absl::StatusOr<std::string> text = surroundings_.read_file(path);
    if (text.ok()) return *std::move(text);
    faults_.push_back(
        absl::StrCat(flag, ": found \"", path, "\", want ",
                     "a readable file: ", text.status().message()));
    return "";
  }

  void CheckDatabase() {
    if (settings_.database_url.empty()) {
      faults_.push_back(absl::StrCat("--database-url: found nothing, want ",
                                     FindFlag("database-url")->wanted));
    }
    const auto file = found_.find("database-password-file");
    if (file == found_.end()) return;
    const size_t faults_before = faults_.size();
    std::string text = ReadFile("--database-password-file", file->second.value);
    const absl::string_view password = WithoutFinalNewline(text);
    if (password.empty() && faults_.size() == faults_before) {
      faults_.push_back(absl::StrCat("--database-password-file: found \"",
                                     file->second.value,
                                     "\" empty, want a password in it"));
    }
    settings_.database_password = Secret(password);
    WipeMemory(&text[0], text.size());
  }

  void CheckServe() {
    CheckRoles();
    CheckTls("--tls-client-ca", settings_.tls_client_ca);
    CheckReach();
  }

  // Plaintext stays on this machine.
  void CheckReach() {
    if (!settings_.check_listen.empty() &&
        !IsLoopbackAddress(settings_.check_listen) &&
        !settings_.insecure_listen_anywhere) {
      faults_.push_back(absl::StrCat(
          "--check-listen: found \"", settings_.check_listen,
          "\", which other machines can reach, and it has no TLS: want a ",
          "loopback address (or, with tokens in the clear on the network, ",
          "--insecure-listen-anywhere)"));
    }
    if (settings_.listen.empty() || settings_.is_local() ||
        settings_.has_tls() || settings_.insecure_listen_anywhere) {
      return;
    }
    faults_.push_back(absl::StrCat(
        "--listen: found \"", settings_.listen, "\", which other machines can ",
        "reach, without TLS: want --tls-cert, --tls-key and --tls-client-ca, ",
        "or a loopback address, or a unix: socket (or, with anybody on the ",
        "network as a caller, --insecure-listen-anywhere)"));
  }

  void CheckRoles() {
    if (settings_.roles_file.empty()) return;
    const size_t faults_before = faults_.size();
    settings_.roles = ReadFile("--roles-file", settings_.roles_file);
    if (faults_.size() != faults_before) return;
    const absl::StatusOr<RoleTable> roles = RoleTable::Parse(settings_.roles);
    if (roles.ok()) return;
    for (const absl::string_view fault :
         absl::StrSplit(roles.status().message(), '\n')) {
      faults_.push_back(
          absl::StrCat("--roles-file: in ", settings_.roles_file, ": ", fault));
    }
  }

  // Certificate, key and authorities come together, and can be read.
  void CheckTls(absl::string_view ca_flag, const std::string& ca) {
    const std::pair<absl::string_view, std::string> files[] = {
        {"--tls-cert", settings_.tls_cert},
        {"--tls-key", settings_.tls_key},
        {ca_flag, ca}};
    std::vector<absl::string_view> absent;
    for (const auto& [flag, path] : files) {
      if (path.empty()) {
        absent.push_back(flag);
        continue;
      }
      std::string text = ReadFile(flag, path);
      WipeMemory(&text[0], text.size());
    }
    if (!absent.empty() && absent.size() != std::size(files)) {
      faults_.push_back(absl::StrCat(
          absl::StrJoin(absent, " and "), ": found nothing, want --tls-cert, ",
          "--tls-key and ", ca_flag, ", or none of them"));
    }
  }

  // A server's certificate is checked without one of the client's own, too.
  void CheckHealth() {
    if (settings_.tls_ca.empty() || !settings_.tls_cert.empty() ||
        !settings_.tls_key.empty()) {
      CheckTls("--tls-ca", settings_.tls_ca);
    } else {
      ReadFile("--tls-ca", settings_.tls_ca);
    }
  }

  const Surroundings& surroundings_;
  Faults& faults_;
  std::map<std::string, FoundValue> file_values_;
  // The values that were as wanted.
  std::map<std::string, FoundValue> found_;
  Settings settings_;
};

}  // namespace

bool Settings::is_local() const { return IsLoopbackAddress(listen); }

absl::StatusOr<Invocation> ParseInvocation(const Surroundings& surroundings) {
  Faults faults;
  CommandLine line = ParseCommandLine(surroundings.arguments, faults);
  Invocation invocation;
  invocation.command = line.command;
  invocation.help = std::move(line.help);
  const bool has_settings =
      line.command != Command::kHelp && line.command != Command::kVersion;
  if (has_settings) {
    invocation.settings = Resolver(surroundings, faults).Resolve(line);
  }
  if (!faults.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  }
  return invocation;
}

Surroundings ProcessSurroundings(int argc, const char* const* argv) {
  Surroundings surroundings;
  surroundings.arguments.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
  surroundings.environment =
      [](const std::string& name) -> absl::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return absl::nullopt;
    return std::string(value);
  };
  surroundings.read_file =
      [](const std::string& path) -> absl::StatusOr<std::string> {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    // A directory opens, and then cannot be read.
    if (!file || file.bad()) {
      return absl::NotFoundError("it is not there, or may not be read");
    }
    return text.str();
  };
  surroundings.processors =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return surroundings;
}

}  // namespace wemasy::tokens
