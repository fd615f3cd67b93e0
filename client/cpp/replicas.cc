#include "client/cpp/replicas.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"

namespace wemasy::tokens {
namespace {

// A replica that does not answer leaves time for others.
constexpr int kAttemptsPerTimeout = 2;
// The longest pause before gRPC connects again, and the shortest before a
// connection that works is made anew.
constexpr absl::Duration kLongestBackoff = absl::Seconds(2);

// What deploy/service-config.json has for Validate; and as nothing else is
// asked with it, only replicas that are healthy.
constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "wemasy.tokens.v1.AuthService"},
  "methodConfig": [{
    "name": [{"service": "wemasy.tokens.v1.AuthService"}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.01s",
      "maxBackoff": "0.1s",
      "backoffMultiplier": 3,
      "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]
    }
  }],
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 1.0}
})";

grpc::ChannelArguments CommonSettings() {
  grpc::ChannelArguments settings;
  settings.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  settings.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  settings.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                  static_cast<int>(kLongestBackoff / absl::Milliseconds(1)));
  settings.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  settings.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  return settings;
}

// One connection, so that answers come from the replica whose changes are
// watched, whatever the name service advises.
grpc::ChannelArguments ToOneReplica() {
  grpc::ChannelArguments settings = CommonSettings();
  settings.SetLoadBalancingPolicyName("pick_first");
  return settings;
}

grpc::ChannelArguments ToAnyReplica() {
  grpc::ChannelArguments settings = CommonSettings();
  settings.SetServiceConfigJSON(kServiceConfig);
  return settings;
}

// Each address of a list of them.
std::vector<std::string> Split(const std::string& target) {
  for (const absl::string_view scheme : {"ipv4:", "ipv6:"}) {
    absl::string_view list = target;
    if (!absl::ConsumePrefix(&list, scheme)) continue;
    std::vector<std::string> addresses = absl::StrSplit(list, ',');
    for (std::string& address : addresses) {
      address = absl::StrCat(scheme, address);
    }
    return addresses;
  }
  return {target};
}

absl::StatusOr<FreshAnswer> FromResponse(const v1::ValidateResponse& response,
                                         BootTime asked_at) {
  FreshAnswer fresh;
  fresh.origin.incarnation = response.freshness().incarnation();
  fresh.origin.seq = response.freshness().change_number();
  fresh.origin.stream = response.freshness().watch_stream_number();
  fresh.answer.verdict = response.verdict();
  if (response.token().empty()) {
    if (response.verdict() != v1::VERDICT_VALID) return fresh;
    return absl::InternalError("the server says VALID, and not of which token");
  }
  auto identity = std::make_shared<TokenIdentity>();
  identity->name = response.token();
  identity->project = response.project();
  identity->creator = response.creator();
  identity->scopes = {response.scopes().begin(), response.scopes().end()};
  identity->metadata = {response.metadata().begin(), response.metadata().end()};
  if (response.has_expire_time()) {
    identity->expire_time =
        absl::FromUnixSeconds(response.expire_time().seconds()) +
        absl::Nanoseconds(response.expire_time().nanos());
  }
  if (response.freshness().has_time_left()) {
    const auto& left = response.freshness().time_left();
    const absl::Duration time_left =
        absl::Seconds(left.seconds()) + absl::Nanoseconds(left.nanos());
    fresh.answer.end = asked_at + (time_left - time_left / kClockDriftDivisor);
  }
  fresh.answer.identity = std::move(identity);
  return fresh;
}

std::chrono::system_clock::time_point DeadlineIn(absl::Duration timeout) {
  return std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout);
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

bool MayAnotherAnswer(const absl::Status& status) {
  // A server that shuts down may say CANCELLED: docs/adr/0010.
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status);
}

}  // namespace

Replicas::Replicas(const std::vector<std::string>& targets,
                   std::shared_ptr<grpc::ChannelCredentials> credentials,
                   const BootClock* clock)
    : clock_(*clock),
      credentials_(credentials == nullptr ? grpc::InsecureChannelCredentials()
                                          : std::move(credentials)) {
  for (const std::string& target : targets) {
    for (std::string& each : Split(target)) {
      targets_.push_back(std::move(each));
    }
  }
  if (size() == 1) any_ = Connect(targets_.front(), ToAnyReplica());
  absl::BitGen random;
  MutexLock lock(&mutex_);
  for (const std::string& target : targets_) {
    connections_.push_back(Connect(target, ToOneReplica()));
  }
  answering_ = absl::Uniform<size_t>(random, 0, size());
}

Replicas::Connection Replicas::Connect(
    const std::string& target, const grpc::ChannelArguments& settings) const {
  Connection connection;
  connection.channel =
      grpc::CreateCustomChannel(target, credentials_, settings);
  connection.stub = v1::AuthService::NewStub(connection.channel);
  connection.made_at = clock_.Now();
  return connection;
}

std::shared_ptr<v1::AuthService::Stub> Replicas::stub(size_t replica) {
  MutexLock lock(&mutex_);
  return connections_[replica].stub;
}

bool Replicas::AwaitConnection(size_t replica, absl::Duration timeout) {
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(&mutex_);
    channel = connections_[replica].channel;
  }
  return channel->WaitForConnected(DeadlineIn(timeout));
}

void Replicas::Renew(size_t replica) {
  MutexLock lock(&mutex_);
  Connection& connection = connections_[replica];
  // One that is broken gRPC makes anew.
  if (connection.channel->GetState(/*try_to_connect=*/false) !=
      GRPC_CHANNEL_READY) {
    return;
  }
  if (clock_.Now() < connection.made_at + kLongestBackoff) return;
  connection = Connect(targets_[replica], ToOneReplica());
}

void Replicas::Prefer(absl::optional<size_t> replica) {
  MutexLock lock(&mutex_);
  preferred_ = replica;
  answering_ = replica.value_or(answering_);
}

size_t Replicas::First() {
  MutexLock lock(&mutex_);
  return preferred_.value_or(answering_);
}

void Replicas::RememberAnswer(size_t first, size_t replica) {
  MutexLock lock(&mutex_);
  if (answering_ == first) answering_ = replica;
}

absl::StatusOr<FreshAnswer> Replicas::Validate(absl::string_view token,
                                               int64_t stream,
                                               absl::Duration timeout) {
  v1::ValidateRequest request;
  request.set_token(std::string(token));
  request.set_report_freshness(true);
  request.set_watch_stream_number(stream);
  const BootTime deadline = clock_.Now() + timeout;
  absl::Status failure = absl::DeadlineExceededError("no server has answered");
  const size_t first = First();
  // A single target is asked twice: it may lead to another replica.
  const size_t attempts = size() + (size() == 1 ? 1 : 0);
  for (size_t i = 0; i < attempts; ++i) {
    const BootTime asked_at = clock_.Now();
    const absl::Duration left =
        std::min(timeout / kAttemptsPerTimeout, deadline - asked_at);
    if (left <= absl::ZeroDuration()) break;
    const size_t replica = (first + i) % size();
    const std::shared_ptr<v1::AuthService::Stub> asked =
        i < size() ? stub(replica) : any_.stub;
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(left));
    v1::ValidateResponse response;
    const grpc::Status status = asked->Validate(&context, request, &response);
    if (status.ok()) {
      if (replica != first) RememberAnswer(first, replica);
      return FromResponse(response, asked_at);
    }
    failure = FromGrpc(status);
    if (!MayAnotherAnswer(failure)) break;
  }
  return failure;
}

}  // namespace wemasy::tokens
