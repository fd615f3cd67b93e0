// One session with PostgreSQL; the only class that works with libpqxx.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_CONNECTION_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/clock.h"
#include "server/storage/failure.h"
#include "server/storage/postgres_options.h"
#include "server/storage/rows.h"
#include "server/storage/sql_values.h"
#include "server/storage/statements.h"
#include "server/storage/watchdog.h"

namespace wemasy::tokens {

// Never reconnects: a session that was lost is lost, with its notifications.
//
// Statuses are those that callers may see; the cause goes to the log, and
// what to do about it is failure(). Not thread-safe.
class PostgresConnection {
 public:
  // kMigration has no time limits and asks for no schema.
  enum class Purpose { kService, kMigration };
  enum class Isolation { kReadCommitted, kReadOnlySnapshot };

  // Connects, and makes sure that what a commit promises holds: a primary of
  // PostgreSQL 15 or newer, fsync and synchronous_commit on, no pooler in
  // between, a schema that this binary knows. Returns Unavailable or
  // FailedPrecondition with a message for operators, which callers must not
  // see. `options` and `watchdog` must outlive the connection.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(
      const PostgresOptions& options, Watchdog* watchdog, Purpose purpose);

  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // From now on until the next call, the socket is shut down at `deadline`.
  void SetDeadline(BootTime deadline);
  void ClearDeadline();

  // Runs a statement: in the open transaction, or in one of its own, of whose
  // commit no more is known than of the statement's success.
  absl::StatusOr<Rows> Execute(const Statement& statement,
                               const Params& params = {});
  // Runs a statement that is a transaction of its own. Returns kCommitInDoubt
  // unless its commit, or that there was none, is certain.
  absl::StatusOr<Rows> ExecuteCommitted(const Statement& statement,
                                        const Params& params = {});
  // Runs SQL without parameters, any number of statements. `name` is for the
  // log.
  absl::Status ExecuteScript(absl::string_view name, absl::string_view script);
  // Gives the rows of a query without parameters to `sink`, in binary format
  // and a thousand at a time. In the open transaction.
  absl::Status FetchBinary(absl::string_view name, absl::string_view query,
                           absl::FunctionRef<void(const Rows&)> sink);

  absl::Status Begin(Isolation isolation);
  // Returns kCommitInDoubt unless the commit, or its failure, is certain: any
  // notice makes it uncertain, as a cancelled wait for a standby is one.
  absl::Status Commit();
  // Ends the open transaction, if there is one. Leaves the connection unusable
  // if that fails.
  void Rollback();

  absl::Status Listen(const std::string& channel);
  // Returns true if notifications came before `timeout`. Returns Unavailable
  // if the connection is lost.
  absl::StatusOr<bool> AwaitNotification(absl::Duration timeout);

  // `name` as an SQL identifier.
  absl::StatusOr<std::string> QuoteName(absl::string_view name);

  // The first failure since Begin or ClearFailure.
  const absl::optional<FailureKind>& failure() const { return failure_; }
  void ClearFailure() { failure_.reset(); }
  // Whether it makes sense to use this connection again.
  bool usable() const;

 private:
  struct Session;

  PostgresConnection(const PostgresOptions& options, Watchdog* watchdog);

  absl::Status Connect();
  absl::Status CheckServer(Purpose purpose);
  Rows RunStatement(const Statement& statement, const Params& params);
  absl::Status Fail(absl::string_view what, Failure failure);

  const PostgresOptions& options_;
  Watchdog* const watchdog_;
  absl::optional<FailureKind> failure_;
  bool usable_ = false;
  bool in_transaction_ = false;
  std::unique_ptr<Session> session_;
  // Before the session in destruction: the socket must still be open.
  Watchdog::Guard guard_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_CONNECTION_H_
