#include "server/observability/health.h"

namespace wemasy::tokens {

HealthState::HealthState(HealthSink& sink) : sink_(sink) {
  MutexLock lock(&mutex_);
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
  return shown_auth_.value_or(false);
}

void HealthState::Show() {
  const bool auth = holds_lease_ && !is_draining_;
  const bool tokens = reaches_database_ && !is_draining_;
  if (shown_auth_ != auth) {
    sink_.SetServing(kServerHealthName, auth);
    sink_.SetServing(kAuthServiceName, auth);
    shown_auth_ = auth;
  }
  if (shown_tokens_ != tokens) {
    sink_.SetServing(kTokenServiceName, tokens);
    shown_tokens_ = tokens;
  }
}

}  // namespace wemasy::tokens
