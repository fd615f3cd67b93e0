#include "client/cli/session.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/cli/failure.h"
#include "common/status_macros.h"

namespace wemasy::tokens::cli {
namespace {

// Long enough for a server that restarts behind a proxy or a service name.
constexpr absl::Duration kPauseBeforeRepeat = absl::Milliseconds(250);

absl::StatusOr<std::string> ReadFile(absl::string_view what,
                                     const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file || content.str().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", what, " ", path, ": ",
                     errno == 0 ? "it is empty" : std::strerror(errno)));
  }
  return content.str();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const Flags& flags) {
  if (flags.tls_cert.empty() != flags.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "--tls-cert and --tls-key go together, only one is given");
  }
  if (flags.tls_ca.empty()) {
    if (!flags.tls_cert.empty()) {
      return absl::InvalidArgumentError(
          "--tls-cert is given without --tls-ca, want the server's CA too");
    }
    if (!IsLocal(flags.server) && !flags.insecure) {
      return absl::InvalidArgumentError(absl::StrCat(
          "secrets would travel to ", flags.server,
          " in plain text, want --tls-ca (or, at your own risk, --insecure)"));
    }
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions options;
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadFile("--tls-ca", flags.tls_ca));
  if (!flags.tls_cert.empty()) {
    ASSIGN_OR_RETURN(options.pem_cert_chain,
                     ReadFile("--tls-cert", flags.tls_cert));
    ASSIGN_OR_RETURN(options.pem_private_key,
                     ReadFile("--tls-key", flags.tls_key));
  }
  return grpc::SslCredentials(options);
}

bool IsWorthRepeating(const grpc::Status& status, Repeat repeat) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
      status.error_code() == grpc::StatusCode::CANCELLED) {
    return true;
  }
  if (repeat != Repeat::kAlways) return false;
  return status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         ReasonOf(status) == "COMMIT_IN_DOUBT";
}

}  // namespace

Session::Session(Flags flags, std::shared_ptr<grpc::Channel> channel)
    : flags_(std::move(flags)),
      channel_(std::move(channel)),
      tokens_(v1::TokenService::NewStub(channel_)),
      auth_(v1::AuthService::NewStub(channel_)) {}

absl::StatusOr<Session> Session::Open(const Flags& flags) {
  ASSIGN_OR_RETURN(auto credentials, Credentials(flags));
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("tokenctl");
  // A page of a thousand tokens may be over the default of 4 MiB.
  arguments.SetMaxReceiveMessageSize(64 << 20);
  // Whoever was not there is looked for again before the call is repeated.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Plain text is for this machine, and a proxy is not on it.
  if (flags.tls_ca.empty()) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!flags.tls_server_name.empty()) {
    arguments.SetSslTargetNameOverride(flags.tls_server_name);
  }
  return Session(
      flags, grpc::CreateCustomChannel(flags.server, credentials, arguments));
}

grpc::Status Session::CallAndReport(absl::string_view command, Repeat repeat,
                                    Attempt attempt) const {
  grpc::Status status;
  for (int number = 1;; ++number) {
    grpc::ClientContext context;
    const absl::Time deadline =
        absl::Now() + absl::Seconds(flags_.timeout_seconds);
    context.set_deadline(absl::ToChronoTime(deadline));
    // What a connection costs, which other clients keep, is told apart.
    const absl::Time connecting = absl::Now();
    if (flags_.timing) {
      channel_->WaitForConnected(absl::ToChronoTime(deadline));
    }
    const absl::Time start = absl::Now();
    status = attempt(&context);
    if (flags_.timing) {
      absl::FPrintF(stderr, "tokenctl: %s took %.2f ms, connecting %.2f ms\n",
                    command, absl::ToDoubleMilliseconds(absl::Now() - start),
                    absl::ToDoubleMilliseconds(start - connecting));
    }
    if (status.ok()) return status;
    if (number == 2 || !IsWorthRepeating(status, repeat)) break;
    absl::SleepFor(kPauseBeforeRepeat);
  }
  std::fputs(DescribeFailure(command, status).c_str(), stderr);
  return status;
}

bool IsLocal(absl::string_view server) {
  if (absl::StartsWith(server, "unix:") ||
      absl::StartsWith(server, "unix-abstract:")) {
    return true;
  }
  for (absl::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&server, scheme)) break;
  }
  const absl::string_view host = server.substr(0, server.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  // All of 127.0.0.0/8, and no name that only begins like it.
  return absl::StartsWith(host, "127.") &&
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

ExitCode UsageError(const absl::Status& status) {
  std::fputs(absl::StrCat("tokenctl: ", status.message(), "\n").c_str(),
             stderr);
  return ExitCode::kUsage;
}

}  // namespace wemasy::tokens::cli
