// A server of all services, without certificates, and without a database that
// answers.
#ifndef WEMASY_TESTS_UNIT_API_SERVER_FIXTURE_H_
#define WEMASY_TESTS_UNIT_API_SERVER_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/mutex.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/api/authenticator.h"
#include "server/api/ext_authz/check_handler.h"
#include "server/api/gateway/gateway_check.h"
#include "server/api/grpc/auth_service.h"
#include "server/api/grpc/health_service.h"
#include "server/api/grpc/queue_server.h"
#include "server/api/grpc/server_options.h"
#include "server/api/grpc/token_service.h"
#include "server/api/grpc/validate_reply.h"
#include "server/api/self/self_service.h"
#include "server/coherence/watch_hub.h"
#include "server/token/error.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_metadata_room.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {

// A database that is out of reach, or does not answer until it is let go.
class UnreachableStore final : public TokenStore {
 public:
  absl::StatusOr<CommitStamp> Transact(
      BootTime deadline,
      absl::FunctionRef<absl::StatusOr<Mutation>(TokenTransaction&)>) override {
    if (commits_) return CommitStamp();
    return Unreachable(deadline);
  }
  absl::StatusOr<FoundToken> Find(const TokenName&,
                                  BootTime deadline) override {
    return Unreachable(deadline);
  }
  absl::StatusOr<TokenPage> List(const TokenQuery&,
                                 BootTime deadline) override {
    return Unreachable(deadline);
  }
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery&,
                                      BootTime deadline) override {
    return Unreachable(deadline);
  }
  absl::StatusOr<Secret> SealingKey(BootTime deadline) override {
    return Unreachable(deadline);
  }

  // From now on every transaction commits, without a look at what it is.
  void Commits() { commits_ = true; }
  // From now on calls wait, until Release.
  void Hold() { held_ = true; }
  void Release() { released_.Notify(); }
  // How many calls wait.
  int waiting() const { return waiting_; }
  BootTime last_deadline() const { return last_deadline_; }
  std::atomic<bool> throws{false};

 private:
  absl::Status Unreachable(BootTime deadline) {
    last_deadline_ = deadline;
    if (throws) throw std::runtime_error("SELECT failed");
    if (held_) {
      ++waiting_;
      released_.WaitForNotification();
      --waiting_;
    }
    return MakeError(ErrorReason::kDatabaseUnavailable,
                     "the database is out of reach");
  }

  std::atomic<BootTime> last_deadline_{BootTime()};
  std::atomic<bool> commits_{false};
  std::atomic<bool> held_{false};
  std::atomic<int> waiting_{0};
  absl::Notification released_;
};

// Waits for nothing, or until its caller is gone.
class NoBarrier final : public ChangeBarrier {
 public:
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp&,
                                       const Patience& patience) override {
    if (!held_) return BarrierReceipt{};
    is_waited_for_ = true;
    while (!patience.is_cancelled()) std::this_thread::yield();
    return absl::DeadlineExceededError("given up");
  }
  void Hold() { held_ = true; }
  bool is_waited_for() const { return is_waited_for_; }

 private:
  std::atomic<bool> held_{false};
  std::atomic<bool> is_waited_for_{false};
};

// Keeps what it is told of, in the words of a log line.
class RecordingObserver final : public CallObserver {
 public:
  MethodObserver& ForMethod(absl::string_view full_name, CallKind) override {
    methods_.push_back(std::make_unique<Method>(std::string(full_name), this));
    return *methods_.back();
  }

  std::vector<std::string> lines() {
    MutexLock lock(&mutex_);
    return lines_;
  }
  std::atomic<bool> wants_detail{true};
  std::atomic<int> started{0};

 private:
  class Method final : public MethodObserver {
   public:
    Method(std::string name, RecordingObserver* observer)
        : name_(std::move(name)), observer_(*observer) {}
    void Started() noexcept override { ++observer_.started; }
    bool AdmitDetail(int) const noexcept override {
      return observer_.wants_detail;
    }
    void Finished(const CallReport& report) noexcept override {
      MutexLock lock(&observer_.mutex_);
      observer_.lines_.push_back(absl::StrCat(
          name_, " code=", report.code, " verdict=", report.verdict,
          " id=", report.request_id, " caller=", report.caller,
          " peer=", report.peer.substr(0, report.peer.rfind(':')), " token=",
          report.token, " trace=", report.trace_id, " error=", report.error));
    }

   private:
    const std::string name_;
    RecordingObserver& observer_;
  };

  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Method>> methods_;
};

// The reason in a status's ErrorInfo.
inline std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  if (!rich.ParseFromString(status.error_details()) || rich.details().empty() ||
      !rich.details(0).UnpackTo(&info)) {
    return "none";
  }
  return info.reason();
}

class ApiServerTest : public ::testing::Test {
 protected:
  void Serve(const char* roles, const BlockingCallOptions& token_options = {},
             const QueueServerOptions& queue_options = {},
             const ServerOptions& server_options = {}) {
    authenticator_ = std::make_unique<Authenticator>(*RoleTable::Parse(roles),
                                                     PlaintextCallers::kLocal);
    const ApiEnvironment environment = {authenticator_.get(), &observer_,
                                        &clock_, &random_};
    tokens_ = std::make_unique<TokenServiceImpl>(&lifecycle_, environment,
                                                 token_options);
    self_ = std::make_unique<SelfServiceImpl>(&gateway_check_, &lifecycle_,
                                              environment, token_options);
    auth_handler_ =
        std::make_unique<AuthHandler>(&validator_, &hub_, environment);
    check_handler_ =
        std::make_unique<CheckHandler>(&gateway_check_, environment);
    queues_ = std::make_unique<QueueServer>(queue_options);
    queues_->Add(auth_handler_.get());
    queues_->AddStreams(auth_handler_.get());
    queues_->Add(check_handler_.get());
    queues_->Add(&health_);
    queues_->AddStreams(&health_);
    grpc::ServerBuilder builder;
    ApplyServerOptions(server_options, &builder);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(tokens_.get());
    builder.RegisterService(self_.get());
    queues_->Register(&builder);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    queues_->Start();
    target_ = absl::StrCat("127.0.0.1:", port_);
    const auto channel =
        grpc::CreateChannel(target_, grpc::InsecureChannelCredentials());
    token_stub_ = v1::TokenService::NewStub(channel);
    self_stub_ = v1::SelfService::NewStub(channel);
    auth_stub_ = v1::AuthService::NewStub(channel);
    check_stub_ = envoy::service::auth::v3::Authorization::NewStub(channel);
    health_stub_ = grpc::health::v1::Health::NewStub(channel);
  }

  void TearDown() override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::chrono::seconds(10));
    queues_->Join();
  }

  // Lets the validator vouch for its index.
  void HoldLease() {
    lease_.SetDatabaseTime(clock_.Now(), absl::Now(), clock_.Now());
    lease_.Extend(clock_.Now() + absl::Seconds(30));
  }

  grpc::Status Validate(const v1::ValidateRequest& request,
                        v1::ValidateResponse* response) {
    grpc::ClientContext context;
    return auth_stub_->Validate(&context, request, response);
  }
  grpc::Status ValidateToken(absl::string_view token,
                             v1::ValidateResponse* response) {
    v1::ValidateRequest request;
    request.set_token(std::string(token));
    return Validate(request, response);
  }
  grpc::Status Get(const std::string& name, grpc::ClientContext* context) {
    v1::GetTokenRequest request;
    request.set_name(name);
    v1::GetTokenResponse response;
    return token_stub_->GetToken(context, request, &response);
  }
  grpc::Status Get(const std::string& name) {
    grpc::ClientContext context;
    return Get(name, &context);
  }

  FakeBootClock clock_;
  FakeRandom random_;
  const TestToken token_ = MakeTestToken(random_, "shop");
  const std::string name_ = token_.entry.name.ToString();
  UnreachableStore store_;
  NoBarrier barrier_;
  FakeMetadataRoom metadata_room_;
  TokenLifecycle lifecycle_{&store_, &barrier_, &metadata_room_,
                            &clock_, &random_,  {}};
  TokenIndex index_{EncodeMetadata};
  Lease lease_;
  const Validator validator_{&index_, &lease_, &clock_};
  const GatewayCheck gateway_check_{&validator_,
                                    CredentialReader({"x-api-key"})};
  WatchHub hub_{WatchOptions{}, &lease_, &clock_};
  RecordingObserver observer_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<TokenServiceImpl> tokens_;
  std::unique_ptr<SelfServiceImpl> self_;
  std::unique_ptr<AuthHandler> auth_handler_;
  std::unique_ptr<CheckHandler> check_handler_;
  HealthService health_;
  std::unique_ptr<QueueServer> queues_;
  int port_ = 0;
  std::string target_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::TokenService::Stub> token_stub_;
  std::unique_ptr<v1::SelfService::Stub> self_stub_;
  std::unique_ptr<v1::AuthService::Stub> auth_stub_;
  std::unique_ptr<envoy::service::auth::v3::Authorization::Stub> check_stub_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_stub_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_UNIT_API_SERVER_FIXTURE_H_
