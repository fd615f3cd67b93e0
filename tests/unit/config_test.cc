#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/command_line.h"
#include "server/flags.h"

namespace wemasy::tokens {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kUrl[] = "postgresql://tokend:hunter2@db/tokens";
constexpr char kUrlFlag[] =
    "--database-url=postgresql://tokend:hunter2@db/tokens";

// Parses command lines in surroundings of its own.
class ConfigTest : public testing::Test {
 protected:
  absl::StatusOr<Invocation> Parse(std::vector<std::string> arguments) {
    Surroundings surroundings;
    surroundings.arguments = std::move(arguments);
    surroundings.environment =
        [this](const std::string& name) -> absl::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return absl::nullopt;
      return found->second;
    };
    surroundings.read_file =
        [this](const std::string& path) -> absl::StatusOr<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return absl::NotFoundError("not there");
      return found->second;
    };
    surroundings.processors = 6;
    return ParseInvocation(surroundings);
  }

  // The settings of a `serve` that must be right.
  Settings Serve(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"serve", kUrlFlag});
    absl::StatusOr<Invocation> invocation = Parse(std::move(flags));
    EXPECT_TRUE(invocation.ok()) << invocation.status();
    if (!invocation.ok()) return Settings();
    EXPECT_EQ(invocation->command, Command::kServe);
    return std::move(invocation->settings);
  }

  // The faults of a command line.
  std::vector<std::string> Faults(std::vector<std::string> arguments) {
    const absl::StatusOr<Invocation> invocation = Parse(std::move(arguments));
    if (invocation.ok()) return {};
    EXPECT_EQ(invocation.status().code(), absl::StatusCode::kInvalidArgument);
    return absl::StrSplit(invocation.status().message(), '\n');
  }

  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> files_;
};

TEST_F(ConfigTest, DefaultsAreForThisMachineOnly) {
  const Settings s = Serve({});
  EXPECT_EQ(s.listen, "127.0.0.1:7443");
  EXPECT_EQ(s.ops_listen, "127.0.0.1:7480");
  EXPECT_TRUE(s.is_local());
  EXPECT_TRUE(s.reflection_is_on());
  EXPECT_FALSE(s.has_tls());
  EXPECT_EQ(s.lease_ttl, absl::Seconds(30));
  EXPECT_EQ(s.max_active_tokens, 1000);
  EXPECT_EQ(s.max_metadata_mb, 256);
  EXPECT_EQ(s.validate_threads, 6);
  EXPECT_EQ(s.lame_duck, absl::Seconds(5));
  EXPECT_EQ(s.log_level, LogSeverity::kInfo);
  EXPECT_FALSE(s.allow_core_dumps);
  EXPECT_EQ(s.database_url.Reveal(), kUrl);
}

TEST_F(ConfigTest, FlagGoesBeforeEnvironmentBeforeFile) {
  files_["/etc/tokend.conf"] =
      "# a comment\n\nlease-ttl = 10s\nlog-level = \"debug\"\n"
      "max-active-tokens=7\n";
  environment_["TOKEND_CONFIG"] = "/etc/tokend.conf";
  environment_["TOKEND_LEASE_TTL"] = "20s";
  environment_["TOKEND_MAX_ACTIVE_TOKENS"] = "8";
  const Settings s = Serve({"--lease-ttl=25s"});
  EXPECT_EQ(s.lease_ttl, absl::Seconds(25));
  EXPECT_EQ(s.max_active_tokens, 8);
  EXPECT_EQ(s.log_level, LogSeverity::kDebug);
}

TEST_F(ConfigTest, EveryFlagIsAlsoAVariableAndALineOfTheFile) {
  for (const FlagSpec& flag : AllFlags()) {
    if ((flag.commands & static_cast<unsigned>(Command::kServe)) == 0) continue;
    environment_ = {{EnvironmentName(flag), "\x01"}};
    files_["f"] = "";
    const auto by_variable = Faults({"serve"});
    environment_.clear();
    files_["f"] = absl::StrCat(flag.name, " = \x01\n");
    const auto by_file = Faults({"serve", "--config=f"});
    // Free texts fail later or not at all; all others fail here.
    if (flag.fallback == nullptr) continue;
    EXPECT_THAT(absl::StrJoin(by_variable, "\n"),
                HasSubstr(absl::StrCat("in ", EnvironmentName(flag))));
    EXPECT_THAT(absl::StrJoin(by_file, "\n"), HasSubstr("in f:1")) << flag.name;
  }
}

TEST_F(ConfigTest, EmptyVariableIsNotSet) {
  environment_["TOKEND_LEASE_TTL"] = "";
  EXPECT_EQ(Serve({}).lease_ttl, absl::Seconds(30));
}

TEST_F(ConfigTest, ForeignVariablesDoNotMatter) {
  environment_["TOKEND_SERVICE_HOST"] = "10.0.0.1";
  environment_["TOKEND_PORT"] = "tcp://10.0.0.1:7443";
  Serve({});
}

TEST_F(ConfigTest, AllFaultsAreReportedAtOnce) {
  environment_["TOKEND_VALIDATE_THREADS"] = "many";
  files_["f"] = "lame-duck = soon\nno-such-flag = 1\nwords\n";
  EXPECT_THAT(
      Faults({"serve", "--config", "f", "--lease-ttl=1s", "--listn=x", "rest",
              "--listen=nowhere", "--log-level", "--roles-file=absent"}),
      testing::UnorderedElementsAre(
          "--listn: unknown flag, did you mean --listen?",
          "\"rest\": unexpected argument, want --flag=value",
          "f:2: unknown flag \"no-such-flag\"", "f:3: want name = value",
          "--listen: found \"nowhere\", want host:port or unix:PATH",
          "--lease-ttl: found \"1s\", want 2s to 10m",
          "--validate-threads: found \"many\" in TOKEND_VALIDATE_THREADS, "
          "want 1 to 256",
          "--lame-duck: found \"soon\" in f:1, want 0s to 10m",
          "--log-level: found nothing, want debug, info, warning or error",
          "--database-url: found nothing, want postgresql://... or "
          "name=value pairs of libpq",
          "--roles-file: found \"absent\", want a readable file: not there"));
}

TEST_F(ConfigTest, SecretsAreNotShown) {
  const std::string faults = absl::StrJoin(
      Faults({"serve", "--database-url", "mysql://u:hunter2@db"}), "\n");
  EXPECT_THAT(faults, HasSubstr("--database-url: found something else"));
  EXPECT_THAT(faults, Not(HasSubstr("hunter2")));
  files_["f"] = "database_password hunter2\n";
  EXPECT_THAT(absl::StrJoin(Faults({"serve", kUrlFlag, "--config=f"}), "\n"),
              Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, PasswordComesFromAFileWithoutItsNewline) {
  files_["pw"] = "se cret\n";
  EXPECT_EQ(Serve({"--database-password-file=pw"}).database_password.Reveal(),
            "se cret");
  files_["pw"] = "\n";
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--database-password-file=pw"}),
              ElementsAre("--database-password-file: found \"pw\" empty, want "
                          "a password in it"));
}

// A Secret made of a file by an editor, or by echo.
TEST_F(ConfigTest, VariablesAreReadWithoutTheirNewline) {
  environment_["TOKEND_DATABASE_URL"] = absl::StrCat(kUrl, "\n");
  environment_["TOKEND_LEASE_TTL"] = "20s\r\n";
  const absl::StatusOr<Invocation> serve = Parse({"serve"});
  ASSERT_TRUE(serve.ok()) << serve.status();
  EXPECT_EQ(serve->settings.database_url.Reveal(), kUrl);
  EXPECT_EQ(serve->settings.lease_ttl, absl::Seconds(20));
  environment_["TOKEND_DATABASE_URL"] = "\n";
  EXPECT_THAT(Faults({"serve"}),
              ElementsAre(HasSubstr("--database-url: found nothing")));
}

TEST_F(ConfigTest, BoundsHoldOnBothSides) {
  EXPECT_EQ(Serve({"--lease-ttl=2s"}).lease_ttl, absl::Seconds(2));
  EXPECT_EQ(Serve({"--lease-ttl=10m"}).lease_ttl, absl::Minutes(10));
  for (const char* flag :
       {"--lease-ttl=1.999s", "--lease-ttl=601s", "--lease-ttl=-5s",
        "--lease-ttl=inf", "--max-active-tokens=0", "--max-active-tokens=1e3",
        "--validate-threads=0", "--validate-threads=257", "--lame-duck=-1s",
        "--max-connections=0", "--reflection=yes", "--listen=:7443",
        "--listen=host:65536", "--listen=unix:", "--ops-listen=unix:/x",
        "--check-listen=unix:/x", "--token-headers=X-Api-Key",
        "--token-headers=a,", "--token-headers=authorization"}) {
    EXPECT_EQ(Faults({"serve", kUrlFlag, flag}).size(), 1U) << flag;
  }
}

TEST_F(ConfigTest, MetadataTakesAMegabyteTo64Gigabytes) {
  EXPECT_EQ(Serve({"--max-metadata-mb=1"}).max_metadata_mb, 1);
  EXPECT_EQ(Serve({"--max-metadata-mb=65536"}).max_metadata_mb, 65'536);
  for (const char* value : {"0", "65537", "-1", "256MB"}) {
    EXPECT_THAT(
        Faults({"serve", kUrlFlag, absl::StrCat("--max-metadata-mb=", value)}),
        ElementsAre(absl::StrCat("--max-metadata-mb: found \"", value,
                                 "\", want 1 to 65536")));
  }
}

TEST_F(ConfigTest, SwitchesNeedNoValue) {
  EXPECT_TRUE(Serve({"--allow-core-dumps"}).allow_core_dumps);
  EXPECT_FALSE(Serve({"--allow-core-dumps=false"}).allow_core_dumps);
  EXPECT_FALSE(Serve({"--reflection=false"}).reflection_is_on());
  const Settings s = Serve({"--reflection", "--lease-ttl", "3s"});
  EXPECT_TRUE(s.reflection_is_on());
  EXPECT_EQ(s.lease_ttl, absl::Seconds(3));
}

TEST_F(ConfigTest, PlaintextStaysOnThisMachineUnlessToldOtherwise) {
  for (const char* address :
       {"0.0.0.0:7443", "[::]:7443", "10.0.0.1:7443", "tokend.example:7443",
        "127.0.0.evil.example:7443", "127.1.evil.example:7443"}) {
    EXPECT_THAT(Faults({"serve", kUrlFlag, "--listen", address}),
                ElementsAre(HasSubstr("--insecure-listen-anywhere")))
        << address;
    const Settings s =
        Serve({"--listen", address, "--insecure-listen-anywhere"});
    EXPECT_FALSE(s.is_local());
    EXPECT_FALSE(s.reflection_is_on());
  }
  for (const char* address : {"localhost:1", "127.0.0.1:0", "127.3.2.1:7443",
                              "[::1]:7443", "unix:/run/tokend.sock"}) {
    EXPECT_TRUE(Serve({"--listen", address}).is_local()) << address;
  }
}

TEST_F(ConfigTest, GatewaysAskOverPlainHttpOnThisMachineOnly) {
  EXPECT_EQ(Serve({}).check_listen, "");
  EXPECT_EQ(Serve({"--check-listen=127.0.0.1:1"}).check_listen, "127.0.0.1:1");
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--check-listen=0.0.0.0:1"}),
              ElementsAre(HasSubstr("--insecure-listen-anywhere")));
  EXPECT_EQ(Serve({"--check-listen=0.0.0.0:1", "--insecure-listen-anywhere"})
                .check_listen,
            "0.0.0.0:1");
}

TEST_F(ConfigTest, SeveralHeadersMayHoldAToken) {
  EXPECT_THAT(Serve({}).token_headers, IsEmpty());
  EXPECT_THAT(Serve({"--token-headers=x-api-key,x-token"}).token_headers,
              ElementsAre("x-api-key", "x-token"));
}

TEST_F(ConfigTest, OtherMachinesCanConnectWithCertificates) {
  files_ = {{"c", "cert"}, {"k", "key"}, {"ca", "ca"}};
  const Settings s = Serve({"--listen=0.0.0.0:1", "--tls-cert=c", "--tls-key=k",
                            "--tls-client-ca=ca"});
  EXPECT_TRUE(s.has_tls());
  EXPECT_FALSE(s.reflection_is_on());
}

TEST_F(ConfigTest, TlsFilesComeTogetherAndAreThere) {
  files_ = {{"c", "cert"}, {"ca", "ca"}};
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--tls-cert=c"}),
              ElementsAre("--tls-key and --tls-client-ca: found nothing, want "
                          "--tls-cert, --tls-key and --tls-client-ca, or none "
                          "of them"));
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--tls-cert=c", "--tls-key=gone",
                      "--tls-client-ca=ca"}),
              ElementsAre("--tls-key: found \"gone\", want a readable file: "
                          "not there"));
  EXPECT_THAT(Faults({"health", "--tls-cert=c"}),
              ElementsAre("--tls-key and --tls-ca: found nothing, want "
                          "--tls-cert, --tls-key and --tls-ca, or none of "
                          "them"));
  EXPECT_TRUE(Parse({"health", "--tls-ca=ca"}).ok());
}

TEST_F(ConfigTest, RolesFileIsCheckedWithTheRest) {
  files_["roles"] = R"({"bindings": [{"identity": "local",
                                      "roles": ["king"]}]})";
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--roles-file=roles"}),
              ElementsAre(HasSubstr("--roles-file: in roles: ")));
}

TEST_F(ConfigTest, MetricsCanBeOff) {
  EXPECT_EQ(Serve({"--ops-listen=off"}).ops_listen, "");
}

TEST_F(ConfigTest, OneFileServesAllCommands) {
  files_["f"] = absl::StrCat("database-url = ", kUrl,
                             "\nmigrate-role = tokend\nlease-ttl = 9s\n");
  const absl::StatusOr<Invocation> migrate = Parse({"migrate", "--config=f"});
  ASSERT_TRUE(migrate.ok()) << migrate.status();
  EXPECT_EQ(migrate->command, Command::kMigrate);
  EXPECT_EQ(migrate->settings.migrate_role, "tokend");
  EXPECT_EQ(Faults({"migrate", kUrlFlag, "--lease-ttl=9s"}).size(), 1U);
}

TEST_F(ConfigTest, TheFileDoesNotSetAFlagTwice) {
  files_["f"] = "lease-ttl = 9s\nlease-ttl = 10s\n";
  EXPECT_THAT(Faults({"serve", kUrlFlag, "--config=f"}),
              ElementsAre("f:2: lease-ttl is set twice"));
}

TEST_F(ConfigTest, CommandsAreNamedWhenNoneIsGiven) {
  EXPECT_THAT(Faults({}), ElementsAre(HasSubstr("found none, want serve")));
  EXPECT_THAT(Faults({"srve"}), ElementsAre(HasSubstr("found \"srve\"")));
}

TEST_F(ConfigTest, VersionAndHealthNeedNoDatabase) {
  EXPECT_EQ(Parse({"version"})->command, Command::kVersion);
  EXPECT_EQ(Parse({"--version"})->command, Command::kVersion);
  const absl::StatusOr<Invocation> health = Parse({"health"});
  ASSERT_TRUE(health.ok()) << health.status();
  EXPECT_EQ(health->settings.address, "127.0.0.1:7443");
  EXPECT_EQ(health->settings.timeout, absl::Seconds(3));
}

TEST_F(ConfigTest, HelpNamesEveryFlagAndExitCode) {
  const absl::StatusOr<Invocation> help = Parse({"serve", "--help"});
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_EQ(help->command, Command::kHelp);
  for (const FlagSpec& flag : AllFlags()) {
    if ((flag.commands & static_cast<unsigned>(Command::kServe)) == 0) continue;
    EXPECT_THAT(help->help, HasSubstr(FlagName(flag)));
  }
  EXPECT_THAT(help->help, HasSubstr(kExitCodesHelp));
  EXPECT_THAT(Parse({"--help"})->help, HasSubstr("accept-lost-history"));
}

}  // namespace
}  // namespace wemasy::tokens
