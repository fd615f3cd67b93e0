// A few connections for many callers.
#ifndef WEMASY_SERVER_STORAGE_CONNECTION_POOL_H_
#define WEMASY_SERVER_STORAGE_CONNECTION_POOL_H_

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

class PostgresConnection;
class Watchdog;

// At most options.pool_size connections, opened when they are first needed. A
// thread of its own opens them, as libpq may take longer over that than a
// caller has. Thread-safe.
class ConnectionPool {
 public:
  // A connection for one caller, which goes back at the end, or is dropped
  // if it is not usable any more.
  class Lease {
   public:
    Lease(ConnectionPool* pool, std::unique_ptr<PostgresConnection> connection);
    ~Lease();
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;

    PostgresConnection& operator*() const { return *connection_; }
    PostgresConnection* operator->() const { return connection_.get(); }

   private:
    ConnectionPool* pool_;
    std::unique_ptr<PostgresConnection> connection_;
  };

  // Both must outlive this object.
  ConnectionPool(const PostgresOptions* options, const BootClock* clock);
  // No lease may be left.
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The connection's socket is shut down at `deadline`. Returns
  // kDeadlineTooShort if that is past, kOverloaded if every connection was in
  // use until then, kDatabaseUnavailable if one could not be opened.
  absl::StatusOr<Lease> Acquire(BootTime deadline);

  // Runs `body`, and runs it again on another connection if that was lost
  // or a conflict ended the transaction, while `deadline` allows. A transaction
  // that `body` leaves open is rolled back.
  absl::Status Run(BootTime deadline,
                   absl::FunctionRef<absl::Status(PostgresConnection&)> body);

  const BootClock& clock() const { return *clock_; }

 private:
  // Waiting callers at most: more would only time out.
  static constexpr int kMaxWaiting = 512;

  absl::Status AwaitIdle(BootTime deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Return(std::unique_ptr<PostgresConnection> connection);
  // Drops what is idle: what broke one connection has broken the others.
  void DropIdle();
  void OpenOnDemand();

  const PostgresOptions* const options_;
  const BootClock* const clock_;
  const std::unique_ptr<Watchdog> watchdog_;
  Mutex mutex_;
  // Something for a waiting caller: a connection, or a failure to open one.
  CondVar available_;
  // Something for the opening thread.
  CondVar wanted_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  // Idle, leased, or being opened.
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  bool opening_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t failed_openings_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<PostgresConnection>> idle_
      ABSL_GUARDED_BY(mutex_);
  std::thread opener_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_CONNECTION_POOL_H_
