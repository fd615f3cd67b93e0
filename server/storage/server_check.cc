#include "server/storage/server_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace wemasy::tokens {

// The settings that a reload of the server's configuration could change are
// fixed for the session, synchronous_commit to the value that was checked.
// What the parsers of values depend on is fixed too.
const Statement kPrepareSession{
    "prepare_session",
    "SELECT current_setting('server_version_num'), pg_is_in_recovery(),"
    " current_setting('transaction_read_only'), current_setting('fsync'),"
    " set_config('synchronous_commit',"
    " current_setting('synchronous_commit'), false), pg_backend_pid(),"
    " set_config('statement_timeout', $1, false),"
    " set_config('lock_timeout', $2, false),"
    " set_config('client_min_messages', 'warning', false),"
    " set_config('client_connection_check_interval', '1s', false),"
    " set_config('idle_in_transaction_session_timeout', $3, false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('DateStyle', 'ISO', false),"
    " set_config('TimeZone', 'UTC', false),"
    " set_config('bytea_output', 'hex', false),"
    " set_config('jit', 'off', false)"};

absl::Status CheckSession(FieldReader row, int backend_pid) {
  const int64_t version = row.Int();
  const bool in_recovery = row.Bool();
  const std::string read_only(row.Text());
  const std::string fsync(row.Text());
  const std::string synchronous_commit(row.Text());
  const int64_t real_pid = row.Int();
  if (version < kMinPostgresVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the server is PostgreSQL ", version / 10000, ", want 15 or newer"));
  }
  if (in_recovery || read_only != "off") {
    return absl::UnavailableError(
        "the server is a standby or read-only, want a primary");
  }
  if (fsync != "on") {
    return absl::FailedPreconditionError(
        "the server's fsync is off, want on: a revocation must survive a "
        "crash");
  }
  if (synchronous_commit != "on" && synchronous_commit != "remote_apply") {
    return absl::FailedPreconditionError(
        absl::StrCat("synchronous_commit is ", synchronous_commit,
                     ", want on or remote_apply"));
  }
  if (real_pid != backend_pid) {
    return absl::FailedPreconditionError(
        "there is a connection pooler before the server, want a direct "
        "connection: prepared statements and notifications need a session");
  }
  return absl::OkStatus();
}

}  // namespace wemasy::tokens
