// One run of tokenctl against one server: flags, channel, calls.
#ifndef WEMASY_CLIENT_CLI_SESSION_H_
#define WEMASY_CLIENT_CLI_SESSION_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/exit_code.h"
#include "common/crypto/secret.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens::cli {

// The flags of all subcommands.
struct Flags {
  std::string server = "127.0.0.1:7443";
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_server_name;
  bool insecure = false;
  double timeout_seconds = 40;
  std::string project;
  std::string actor;
  bool json = false;
  bool timing = false;
};

// When a failed call is worth one more attempt.
enum class Repeat {
  // UNAVAILABLE, and CANCELLED, which a server that leaves may answer. Of the
  // calls without a request_id each may be made twice.
  kIfAway,
  // Also DEADLINE_EXCEEDED and a commit in doubt: the request has a
  // request_id, so that the service knows it again.
  kAlways,
};

// Calls the service and reports what goes wrong on standard error.
// Thread-compatible.
class Session {
 public:
  // Opens a channel, without connecting. Returns InvalidArgument if a
  // certificate or key cannot be read, if only one of them is given, or if
  // secrets would travel in plain text to another machine.
  static absl::StatusOr<Session> Open(const Flags& flags);

  const Flags& flags() const { return flags_; }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  v1::TokenService::Stub& tokens() const { return *tokens_; }
  v1::AuthService::Stub& auth() const { return *auth_; }

  // Makes a unary call, and once more as `repeat` says. Describes a failure
  // of `command` on standard error.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(absl::string_view command, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                 const Request&, Response*),
                    const Request& request, Response* response,
                    Repeat repeat = Repeat::kIfAway) const {
    return CallAndReport(command, repeat, [&](grpc::ClientContext* context) {
      response->Clear();
      return (stub.*method)(context, request, response);
    });
  }

  // One attempt of a call: its deadline is set, its status returned.
  using Attempt = absl::FunctionRef<grpc::Status(grpc::ClientContext*)>;
  grpc::Status CallAndReport(absl::string_view command, Repeat repeat,
                             Attempt attempt) const;

  // The platform's user id for the audit trail.
  const std::string& actor() const { return flags_.actor; }

 private:
  Session(Flags flags, std::shared_ptr<grpc::Channel> channel);

  Flags flags_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::TokenService::Stub> tokens_;
  std::unique_ptr<v1::AuthService::Stub> auth_;
};

// Whether `server` cannot be heard by another machine: a loopback address or
// a Unix socket.
bool IsLocal(absl::string_view server);

// Describes wrong usage on standard error; kUsage.
ExitCode UsageError(const absl::Status& status);

}  // namespace wemasy::tokens::cli

#endif  // WEMASY_CLIENT_CLI_SESSION_H_
