#include "server/storage/connection_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/failure.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/watchdog.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// A conflict is over soon; a database that loses every connection is not.
constexpr int kMaxLostConnections = 10;
constexpr absl::Duration kPauseAfterFailure = absl::Milliseconds(100);

}  // namespace

ConnectionPool::Lease::Lease(ConnectionPool* pool,
                             std::unique_ptr<PostgresConnection> connection)
    : pool_(pool), connection_(std::move(connection)) {}

ConnectionPool::Lease::Lease(Lease&& other) noexcept = default;

ConnectionPool::Lease::~Lease() {
  if (connection_) pool_->Return(std::move(connection_));
}

ConnectionPool::ConnectionPool(const PostgresOptions* options,
                               const BootClock* clock)
    : options_(options),
      clock_(clock),
      watchdog_(std::make_unique<Watchdog>(clock)),
      opener_([this] { OpenOnDemand(); }) {}

ConnectionPool::~ConnectionPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wanted_.SignalAll();
  }
  opener_.join();
}

absl::StatusOr<ConnectionPool::Lease> ConnectionPool::Acquire(
    BootTime deadline) {
  if (clock_->Now() >= deadline) return DeadlineTooShort();
  std::unique_ptr<PostgresConnection> connection;
  {
    MutexLock lock(&mutex_);
    if (waiting_ >= kMaxWaiting) {
      return MakeError(ErrorReason::kOverloaded,
                       "too many calls wait for the database");
    }
    ++waiting_;
    const absl::Status status = AwaitIdle(deadline);
    --waiting_;
    RETURN_IF_ERROR(status);
    connection = std::move(idle_.back());
    idle_.pop_back();
    // The thread opens one at a time, and others may still wait.
    if (waiting_ > 0) wanted_.Signal();
  }
  connection->SetDeadline(deadline);
  return Lease(this, std::move(connection));
}

absl::Status ConnectionPool::AwaitIdle(BootTime deadline) {
  const int64_t failed_before = failed_openings_;
  while (idle_.empty()) {
    if (failed_openings_ != failed_before) {
      return PublicStatus(FailureKind::kUnavailable);
    }
    const BootTime now = clock_->Now();
    if (now >= deadline) {
      if (opening_) return PublicStatus(FailureKind::kUnavailable);
      return MakeError(ErrorReason::kOverloaded,
                       "no database connection was free in time");
    }
    wanted_.Signal();
    available_.WaitWithTimeout(&mutex_, deadline - now);
  }
  return absl::OkStatus();
}

void ConnectionPool::Return(std::unique_ptr<PostgresConnection> connection) {
  connection->ClearDeadline();
  connection->ClearFailure();
  const bool keep = connection->usable();
  if (!keep) connection.reset();
  MutexLock lock(&mutex_);
  if (keep) {
    idle_.push_back(std::move(connection));
  } else {
    --connections_;
  }
  // Either way a waiting caller has something to do.
  available_.Signal();
}

void ConnectionPool::DropIdle() {
  std::vector<std::unique_ptr<PostgresConnection>> dropped;
  MutexLock lock(&mutex_);
  dropped.swap(idle_);
  connections_ -= static_cast<int>(dropped.size());
}

void ConnectionPool::OpenOnDemand() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    if (waiting_ == 0 || !idle_.empty() ||
        connections_ >= options_->pool_size) {
      wanted_.Wait(&mutex_);
      continue;
    }
    ++connections_;
    opening_ = true;
    mutex_.Unlock();
    auto opened = PostgresConnection::Open(
        *options_, watchdog_.get(), PostgresConnection::Purpose::kService);
    if (!opened.ok() && options_->log) {
      options_->log(StorageSeverity::kError,
                    absl::StrCat("cannot connect to the database: ",
                                 opened.status().message()));
    }
    mutex_.Lock();
    opening_ = false;
    if (opened.ok()) {
      idle_.push_back(*std::move(opened));
      available_.Signal();
    } else {
      --connections_;
      ++failed_openings_;
      available_.SignalAll();
      // Those who waited leave now; the next to come is worth a new attempt.
      wanted_.WaitWithTimeout(&mutex_, kPauseAfterFailure);
    }
  }
}

absl::Status ConnectionPool::Run(
    BootTime deadline,
    absl::FunctionRef<absl::Status(PostgresConnection&)> body) {
  for (int lost = 0;;) {
    ASSIGN_OR_RETURN(Lease connection, Acquire(deadline));
    connection->ClearFailure();
    const absl::Status status = body(*connection);
    connection->Rollback();
    const absl::optional<FailureKind> failure = connection->failure();
    if (!failure) return status;
    if (*failure == FailureKind::kInDoubt) return status;
    if (clock_->Now() >= deadline) return DeadlineTooShort();
    if (*failure == FailureKind::kConnectionLost) {
      DropIdle();
      if (++lost >= kMaxLostConnections) return status;
    } else if (*failure != FailureKind::kConflict) {
      return status;
    }
  }
}

}  // namespace wemasy::tokens
