#include "server/server.h"

#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "server/database_options.h"
#include "server/make_authenticator.h"

namespace wemasy::tokens {
namespace {

// Health follows the lease no later than that.
constexpr absl::Duration kHealthInterval = absl::Milliseconds(250);
constexpr absl::Duration kUsageInterval = absl::Seconds(30);
constexpr absl::Duration kTrimInterval = absl::Minutes(10);
constexpr absl::Duration kPurgeInterval = absl::Hours(1);
constexpr absl::Duration kEvictInterval = absl::Minutes(5);
// A job leaves the connection to others after that.
constexpr absl::Duration kJobTimeout = absl::Seconds(30);
constexpr absl::Duration kLastFlushTimeout = absl::Seconds(3);
// Calls of a server that closed would only be refused, and changes that wait
// for others here are not confirmed any more: their callers go elsewhere, and a
// new process takes this one's place.
constexpr absl::Duration kClosedDrainTimeout = absl::Milliseconds(200);

// The longest time from one sync point to the next if all is well: a fifth of
// the lease's length, and an exchange that just about succeeds.
absl::Duration SyncPatience(const Settings& settings,
                            const PostgresOptions& postgres) {
  return settings.lease_ttl / 5 + postgres.exchange_timeout + absl::Seconds(1);
}

ReplicaOptions MakeReplicaOptions(const Settings& settings) {
  ReplicaOptions options;
  options.ttl = settings.lease_ttl;
  options.synchronous_failover = settings.synchronous_failover;
  return options;
}

WatchOptions MakeWatchOptions(const Settings& settings) {
  WatchOptions options;
  options.client_ttl = settings.client_lease_ttl;
  options.max_streams = settings.max_watch_streams;
  return options;
}

}  // namespace

Server::Server(Settings settings, Program program, const BootClock& clock,
               RandomSource& random, const Logger& logger, StopRequests& stop)
    : settings_(std::move(settings)),
      program_(std::move(program)),
      clock_(clock),
      random_(random),
      logger_(logger),
      stop_(stop),
      postgres_(MakePostgresOptions(settings_, logger)),
      pool_(&postgres_, &clock),
      token_store_(&pool_),
      usage_store_(&pool_),
      maintenance_store_(&pool_),
      replica_store_(&postgres_, &clock),
      listener_(&postgres_, &clock),
      validator_(&index_, &lease_, &clock),
      gateway_check_(&validator_, CredentialReader(settings_.token_headers)),
      watch_(SyncPatience(settings_, postgres_), clock, logger, *metrics_.waits,
             stop),
      hub_(MakeWatchOptions(settings_), &lease_, &clock),
      barrier_(MakeReplicaOptions(settings_), &clock, &watch_),
      sync_points_(MakeReplicaOptions(settings_), &replica_store_, &index_,
                   &lease_, &hub_, &barrier_, &clock, &random, &watch_),
      replica_(MakeReplicaOptions(settings_), &sync_points_, &barrier_, &hub_,
               &listener_, &clock),
      metadata_room_(&index_, int64_t{settings_.max_metadata_mb} << 20),
      lifecycle_(&token_store_, &replica_, &metadata_room_, &clock, &random,
                 LifecycleLimits{settings_.max_active_tokens}),
      usage_flush_([this] { return index_.DrainUses(); }, usage_store_, clock),
      maintenance_(maintenance_store_, clock),
      housekeeping_(HousekeepingJobs(), clock, random, logger),
      health_updates_({{"health", kHealthInterval,
                        [this] {
                          UpdateHealth();
                          return absl::OkStatus();
                        }}},
                      clock, random, logger),
      recorder_(metrics_, logger, clock),
      http_recorder_(metrics_, logger, clock) {}

absl::StatusOr<ExitCode> Server::Serve() {
  RETURN_IF_ERROR(Listen());
  replica_.Start();
  housekeeping_.Start();
  health_updates_.Start();
  logger_.Info("listening",
               {{"version", program_.version},
                {"address", settings_.listen},
                {"port", front_->port()},
                {"ops_port", ops_ == nullptr ? 0 : ops_->port()},
                {"check_port", check_ == nullptr ? 0 : check_->port()},
                {"tls", settings_.has_tls()},
                {"lease_ttl_s", settings_.lease_ttl}});
  if (!settings_.has_tls() && !settings_.is_local()) {
    logger_.Warning(
        "INSECURE: without TLS, everybody who reaches this address is a "
        "caller, and tokens cross the network in the clear");
  }
  while (!stop_.Wait(absl::InfiniteDuration())) {
  }
  Drain();
  return stop_.code();
}

absl::Status Server::Listen() {
  ASSIGN_OR_RETURN(authenticator_, MakeAuthenticator(settings_));
  ASSIGN_OR_RETURN(
      front_,
      GrpcFront::Start(settings_,
                       {&validator_,
                        &gateway_check_,
                        &lifecycle_,
                        &hub_,
                        {authenticator_.get(), &recorder_, &clock_, &random_}},
                       program_.more_rpcs));
  AddMetrics();
  if (!settings_.check_listen.empty()) {
    CheckEndpointOptions options;
    options.address = settings_.check_listen;
    options.threads = settings_.validate_threads;
    ASSIGN_OR_RETURN(check_, CheckEndpoint::Start(options, &gateway_check_,
                                                  &http_recorder_, &clock_));
  }
  if (settings_.ops_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(ops_,
                   OpsEndpoint::Start(settings_.ops_listen, metrics_, [this] {
                     return front_->health().is_serving();
                   }));
  return absl::OkStatus();
}

void Server::AddMetrics() {
  SampledMetrics& metrics = *metrics_.sampled;
  AddProcessMetrics(metrics);
  metrics.AddGauge("tokend_build_info",
                   "1; the label says which version it is.", [] { return 1.0; },
                   {{"version", program_.version}});
  watch_.AddMetrics(lease_, barrier_, metrics);
  metrics.AddGauge("tokend_watch_streams",
                   "Streams of clients that keep answers.",
                   [this] { return static_cast<double>(hub_.streams()); });
  front_->AddMetrics(metrics);
  constexpr char kEntriesHelp[] =
      "Secrets in the index, as of the last look at all, every 5 minutes.";
  metrics.AddGauge("tokend_index_entries", kEntriesHelp,
                   [this] { return static_cast<double>(live_entries_); },
                   {{"state", "live"}});
  metrics.AddGauge("tokend_index_entries", kEntriesHelp,
                   [this] { return static_cast<double>(dead_entries_); },
                   {{"state", "dead"}});
  metrics.AddGauge("tokend_index_size", "Secrets in the index.",
                   [this] { return static_cast<double>(index_.size()); });
  constexpr char kDistinctHelp[] =
      "Different values that the secrets in the index have in common.";
  const auto add_distinct = [&](const char* of,
                                size_t TokenIndex::Distinct::*count) {
    metrics.AddGauge(
        "tokend_index_distinct_values", kDistinctHelp,
        [this, count] { return static_cast<double>(index_.distinct().*count); },
        {{"of", of}});
  };
  add_distinct("projects", &TokenIndex::Distinct::projects);
  add_distinct("creators", &TokenIndex::Distinct::creators);
  add_distinct("scopes", &TokenIndex::Distinct::scope_sets);
  add_distinct("metadata", &TokenIndex::Distinct::metadata_sets);
  metrics.AddGauge(
      "tokend_index_metadata_bytes",
      "Memory that different metadata of the secrets in the index takes.",
      [this] { return static_cast<double>(index_.metadata_bytes()); });
  metrics.AddCounter(
      "tokend_usage_dropped_total",
      "Uses of tokens that were given up, as they could not be written.",
      [this] { return static_cast<double>(usage_flush_.dropped()); });
  metrics.AddCounter(
      "tokend_log_lines_suppressed_total",
      "Failed calls about which no line was written, as there were too many.",
      [this] { return static_cast<double>(recorder_.suppressed_lines()); });
  metrics.AddGauge(
      "tokend_lease_ttl_seconds", "The setting --lease-ttl.",
      [this] { return absl::ToDoubleSeconds(settings_.lease_ttl); });
}

std::vector<PeriodicJob> Server::HousekeepingJobs() {
  return {
      {"flush uses", kUsageInterval,
       [this] { return usage_flush_.Flush(kJobTimeout); }},
      {"trim change log", kTrimInterval,
       [this] { return maintenance_.TrimChangeLog(kJobTimeout); }},
      {"purge", kPurgeInterval,
       [this] { return maintenance_.Purge(kJobTimeout); }},
      {"evict dead", kEvictInterval, [this] { return EvictDead(); }},
  };
}

absl::Status Server::EvictDead() {
  const BootTime now = clock_.Now();
  // The database's clock is only known, and the index only whole, then.
  if (now >= lease_.Capture().end) return absl::OkStatus();
  const TokenIndex::Census census =
      index_.EvictDead(lease_.CaptureDatabaseTime().At(now), kDeadSecretAge,
                       ReplicaOptions().max_dead);
  live_entries_ = census.live;
  dead_entries_ = census.dead;
  return absl::OkStatus();
}

void Server::UpdateHealth() {
  front_->health().Update(
      /*holds_lease=*/clock_.Now() < lease_.Capture().end,
      watch_.reaches_database());
}

void Server::Drain() {
  const bool is_asked = stop_.code() == ExitCode::kOk;
  logger_.Info("draining", {{"exit_code", static_cast<int>(stop_.code())}});
  front_->health().StartDraining();
  // Clients that keep answers go elsewhere, too.
  hub_.Retire();
  if (check_ != nullptr) check_->Retire();
  // Clients learn of it, and go elsewhere. A second signal cuts it short.
  if (is_asked) stop_.Wait(settings_.lame_duck);
  front_->Shutdown(is_asked ? settings_.drain_timeout : kClosedDrainTimeout);
  check_.reset();
  health_updates_.Stop();
  maintenance_.Stop();
  housekeeping_.Stop();
  const absl::Status flushed = usage_flush_.Flush(kLastFlushTimeout);
  if (!flushed.ok()) {
    logger_.Warning("last uses of tokens were not written",
                    {{"error", flushed.ToString()}});
  }
  // Only now may others stop waiting for this replica: nothing asks it.
  replica_.Stop();
  logger_.Info("drained");
}

}  // namespace wemasy::tokens
