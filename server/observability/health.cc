#include "server/observability/health.h"

#include "absl/types/span.h"

namespace wemasy::tokens {
namespace {

constexpr const char* kNeedLease[] = {"", "wemasy.tokens.v1.AuthService",
                                      "wemasy.tokens.v1.SelfService",
                                      "envoy.service.auth.v3.Authorization"};
constexpr const char* kNeedDatabase[] = {"wemasy.tokens.v1.TokenService"};
constexpr char kLiveness[] = "liveness";

void ShowIfNew(absl::Span<const char* const> names, bool is_serving,
               absl::optional<bool>& shown, HealthSink& sink) {
  if (shown == is_serving) return;
  for (const char* const name : names) sink.SetServing(name, is_serving);
  shown = is_serving;
}

}  // namespace

HealthState::HealthState(HealthSink& sink) : sink_(sink) {
  MutexLock lock(&mutex_);
  sink_.SetServing(kLiveness, true);
  Show();
}

void HealthState::Update(bool holds_lease, bool reaches_database) {
  MutexLock lock(&mutex_);
  holds_lease_ = holds_lease;
  reaches_database_ = reaches_database;
  Show();
}

void HealthState::StartDraining() {
  MutexLock lock(&mutex_);
  is_draining_ = true;
  Show();
}

bool HealthState::is_serving() const {
  MutexLock lock(&mutex_);
  return shown_lease_.value_or(false);
}

void HealthState::Show() {
  ShowIfNew(kNeedLease, holds_lease_ && !is_draining_, shown_lease_, sink_);
  ShowIfNew(kNeedDatabase, reaches_database_ && !is_draining_, shown_database_,
            sink_);
}

}  // namespace wemasy::tokens
