#include "server/grpc_front.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"
#include "server/api/grpc/server_options.h"

namespace wemasy::tokens {
namespace {

// Calls of the life cycle block, each on a thread. More than the calls it
// admits at once, as the refused need one, too.
constexpr int kMaxSyncThreads = 512;

// Whether a server listens on a Unix socket: gRPC would take the path away
// from it.
bool IsSocketInUse(absl::string_view listen) {
  if (!absl::ConsumePrefix(&listen, "unix:")) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (listen.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, listen.data(), listen.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool is_in_use =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0;
  ::close(fd);
  return is_in_use;
}

QueueServerOptions QueueOptions(const Settings& settings) {
  QueueServerOptions options;
  options.queues = settings.validate_threads;
  return options;
}

// Holders of tokens, who may be anybody, do not take the places of owners.
BlockingCallOptions SelfServiceOptions() {
  BlockingCallOptions options;
  options.max_mutations = 64;
  options.max_reads = 64;
  return options;
}

absl::StatusOr<TlsCredentials> MakeCredentials(const Settings& settings) {
  if (!settings.has_tls()) {
    return TlsCredentials{grpc::InsecureServerCredentials(), nullptr};
  }
  TlsFiles files;
  files.key = settings.tls_key;
  files.certificate_chain = settings.tls_cert;
  files.client_ca = settings.tls_client_ca;
  return MakeTlsCredentials(files);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcFront>> GrpcFront::Start(
    const Settings& settings, const Backends& backends,
    const AddRpcs& more_rpcs) {
  auto front = absl::WrapUnique(new GrpcFront(settings, backends));
  if (more_rpcs) more_rpcs(front->queue_server_);
  RETURN_IF_ERROR(front->Listen(settings));
  return front;
}

GrpcFront::GrpcFront(const Settings& settings, const Backends& backends)
    : auth_handler_(backends.validator, backends.watches, backends.environment),
      check_handler_(backends.check, backends.environment),
      queue_server_(QueueOptions(settings)),
      token_service_(backends.lifecycle, backends.environment,
                     BlockingCallOptions()),
      self_service_(backends.check, backends.lifecycle, backends.environment,
                    SelfServiceOptions()) {
  queue_server_.Add(&auth_handler_);
  queue_server_.AddStreams(&auth_handler_);
  queue_server_.Add(&check_handler_);
  queue_server_.Add(&health_service_);
  queue_server_.AddStreams(&health_service_);
}

GrpcFront::~GrpcFront() { Shutdown(absl::ZeroDuration()); }

absl::Status GrpcFront::Listen(const Settings& settings) {
  ASSIGN_OR_RETURN(const TlsCredentials tls, MakeCredentials(settings));
  tls_reloads_ = tls.reloads;
  if (IsSocketInUse(settings.listen)) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", settings.listen, ": a server does already"));
  }
  // A plugin is for all builders that come after.
  if (settings.reflection_is_on()) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }
  grpc::ServerBuilder builder;
  ServerOptions options;
  options.max_connection_age = settings.max_connection_age;
  ApplyServerOptions(options, &builder);
  grpc::ResourceQuota quota("tokend");
  quota.SetMaxThreads(kMaxSyncThreads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 4);
  builder.AddListeningPort(settings.listen, tls.credentials, &port_);
  queue_server_.Register(&builder);
  builder.RegisterService(&token_service_);
  builder.RegisterService(&self_service_);
  server_ = builder.BuildAndStart();
  // A port that could not be bound shows only as 0.
  if (server_ == nullptr || port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", settings.listen));
  }
  if (absl::StartsWith(settings.listen, "unix:")) port_ = 0;
  queue_server_.Start();
  return absl::OkStatus();
}

void GrpcFront::Shutdown(absl::Duration timeout) {
  if (server_ == nullptr) return;
  health_service_.EndWatches();
  server_->Shutdown(std::chrono::system_clock::now() +
                    absl::ToChronoNanoseconds(timeout));
  queue_server_.Join();
}

void GrpcFront::AddMetrics(SampledMetrics& metrics) const {
  const auto add = [&metrics](const BlockingCalls& calls, const char* service) {
    constexpr char kHelp[] = "Calls that may block, in progress.";
    metrics.AddGauge("tokend_calls_in_flight", kHelp,
                     [&calls] { return calls.mutations_in_flight(); },
                     {{"service", service}, {"kind", "mutation"}});
    metrics.AddGauge("tokend_calls_in_flight", kHelp,
                     [&calls] { return calls.reads_in_flight(); },
                     {{"service", service}, {"kind", "read"}});
  };
  add(token_service_.calls(), "TokenService");
  add(self_service_.calls(), "SelfService");
  if (tls_reloads_ == nullptr) return;
  metrics.AddGauge("tokend_tls_certificate_expiry_timestamp_seconds",
                   "When the certificate that new connections are shown ends.",
                   [tls = tls_reloads_] {
                     return absl::ToDoubleSeconds(tls->certificate_expiry() -
                                                  absl::UnixEpoch());
                   });
  metrics.AddCounter(
      "tokend_tls_reload_failures_total",
      "Looks at the TLS files that found some that cannot be used.",
      [tls = tls_reloads_] { return static_cast<double>(tls->failures()); });
}

}  // namespace wemasy::tokens
