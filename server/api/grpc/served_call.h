// What all calls have in common: who calls, may they, how did it end.
#ifndef WEMASY_SERVER_API_GRPC_SERVED_CALL_H_
#define WEMASY_SERVER_API_GRPC_SERVED_CALL_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "grpcpp/server_context.h"
#include "server/api/authenticator.h"
#include "server/api/permissions.h"
#include "server/observability/call_observer.h"

namespace wemasy::tokens {

// What the services need to serve calls. All must outlive the services.
struct ApiEnvironment {
  const Authenticator* authenticator;
  CallObserver* observer;
  const BootClock* clock;
  // For the ids of calls.
  RandomSource* random;
};

// One call that is being served, from its arrival to its report. Used by one
// thread at a time.
class ServedCall {
 public:
  // `observer` is the rpc's. All must outlive this object.
  ServedCall(Rpc rpc, const ApiEnvironment& environment,
             MethodObserver* observer, grpc::ServerContextBase* context);
  ServedCall(const ServedCall&) = delete;
  ServedCall& operator=(const ServedCall&) = delete;

  // Finds out who calls, then whether they may. To be called first, before
  // anything is made of the request.
  absl::Status Admit(absl::string_view resource);

  // Runs `body`, and turns what it throws into a status.
  static absl::Status Guard(absl::FunctionRef<absl::Status()> body);

  // Returns what the caller gets for `status`.
  grpc::Status Reply(const absl::Status& status);
  // Reports how the call ended, with `error` for the log. To be called last.
  void Report(grpc::StatusCode code, absl::string_view error);
  // Both of them.
  grpc::Status Finish(const absl::Status& status);

  // When the call arrived.
  BootTime start() const { return start_; }
  // Who calls, once admitted.
  absl::string_view caller() const { return caller_.identity; }
  // The call's id in the log, and in the trailing metadata of the reply: what
  // was set here, or what the caller's metadata has, or a new one.
  const std::string& request_id();
  // `id` is well-formed or empty, and must outlive this object.
  void set_request_id(absl::string_view id) { given_request_id_ = id; }

  // For the report: the verdict, and the token's well-formed resource name,
  // which must outlive this object.
  void set_verdict(int verdict) { verdict_ = verdict; }
  void set_token(absl::string_view name) { token_ = name; }

 private:
  const Rpc rpc_;
  const ApiEnvironment& environment_;
  MethodObserver& observer_;
  grpc::ServerContextBase& context_;
  const BootTime start_;
  // Owns the texts of `caller_`.
  std::shared_ptr<const grpc::AuthContext> auth_context_;
  Caller caller_;
  absl::string_view given_request_id_;
  // Empty until it is asked for.
  std::string request_id_;
  absl::string_view token_;
  int verdict_ = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_SERVED_CALL_H_
