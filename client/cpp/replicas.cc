#include "client/cpp/replicas.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace wemasy::tokens {
namespace {

// A replica that does not answer leaves time for others.
constexpr int kAttemptsPerTimeout = 2;

grpc::ChannelArguments ChannelSettings() {
  grpc::ChannelArguments settings;
  // One connection, so that answers come from the replica whose changes are
  // watched, whatever the name service advises.
  settings.SetLoadBalancingPolicyName("pick_first");
  settings.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  settings.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  settings.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  settings.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  settings.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  return settings;
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
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

Replicas::Replicas(const std::vector<std::string>& targets,
                   const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                   const BootClock* clock)
    : clock_(*clock) {
  for (const std::string& target : targets) {
    channels_.push_back(grpc::CreateCustomChannel(
        target,
        credentials == nullptr ? grpc::InsecureChannelCredentials()
                               : credentials,
        ChannelSettings()));
    stubs_.push_back(v1::AuthService::NewStub(channels_.back()));
  }
}

bool Replicas::AwaitConnection(size_t replica, absl::Duration timeout) {
  return channels_[replica]->WaitForConnected(DeadlineIn(timeout));
}

absl::StatusOr<FreshAnswer> Replicas::Validate(absl::string_view token,
                                               int64_t stream,
                                               absl::Duration timeout) {
  v1::ValidateRequest request;
  request.set_token(std::string(token));
  request.set_report_freshness(true);
  request.set_watch_stream_number(stream);
  const BootTime deadline = clock_.Now() + timeout;
  const absl::Duration attempt =
      stubs_.size() == 1 ? timeout : timeout / kAttemptsPerTimeout;
  absl::Status failure = absl::DeadlineExceededError("no server has answered");
  const size_t first = preferred_;
  for (size_t i = 0; i < stubs_.size(); ++i) {
    const BootTime asked_at = clock_.Now();
    const absl::Duration left = std::min(attempt, deadline - asked_at);
    if (left <= absl::ZeroDuration()) break;
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(left));
    v1::ValidateResponse response;
    const grpc::Status status = stub((first + i) % stubs_.size())
                                    .Validate(&context, request, &response);
    if (status.ok()) return FromResponse(response, asked_at);
    failure = FromGrpc(status);
    if (!MayAnotherAnswer(failure)) break;
  }
  return failure;
}

}  // namespace wemasy::tokens
