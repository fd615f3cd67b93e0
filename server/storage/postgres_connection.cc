#include "server/storage/postgres_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/conninfo.h"
#include "server/storage/pqxx_compat.h"
#include "server/storage/schema_version.h"
#include "server/storage/server_check.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

// So few that they stay in the processor's cache until they are read.
constexpr char kFetchRows[] = "FETCH 1000 FROM fetched";

// Remembers that something was notified, not what.
class Receiver final : public pqxx::notification_receiver {
 public:
  Receiver(PqxxConnection& connection, const std::string& channel)
      : pqxx::notification_receiver(connection, channel) {}

  void operator()(const std::string&, int) override { heard_ = true; }
  bool TakeHeard() { return std::exchange(heard_, false); }

 private:
  bool heard_ = false;
};

Rows ToRows(const pqxx::result& result) {
  auto owner = std::make_shared<const pqxx::result>(result);
  const auto columns = static_cast<size_t>(owner->columns());
  std::vector<Field> fields;
  fields.reserve(columns * static_cast<size_t>(owner->size()));
  for (const auto& row : *owner) {
    for (const auto& field : row) {
      // libpq is asked no more than it must be: there are millions of fields.
      const size_t size = field.size();
      if (size == 0 && field.is_null()) {
        fields.emplace_back(absl::nullopt);
      } else {
        fields.emplace_back(absl::string_view(field.c_str(), size));
      }
    }
  }
  const auto affected = static_cast<size_t>(owner->affected_rows());
  return Rows(columns, std::move(fields), affected, std::move(owner));
}

// Whether the peer has closed the connection: libpqxx would not tell.
bool HungUp(int socket, int events) {
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) return true;
  char byte;
  return (events & POLLIN) != 0 &&
         recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

struct PostgresConnection::Session {
  explicit Session(const std::string& conninfo)
      : connection(conninfo), notices(connection) {
    if (socket < 0) throw std::system_error(errno, std::generic_category());
    ForbidReconnection(connection);
  }
  ~Session() {
    if (socket >= 0) close(socket);
  }

  pqxx::connection connection;
  // The connection's, by a descriptor of our own: libpq closes its own as soon
  // as reading fails, and the number may be another socket's then.
  const int socket = fcntl(connection.sock(), F_DUPFD_CLOEXEC, 0);
  NoticeCounter notices;
  absl::flat_hash_set<std::string> prepared;
  std::unique_ptr<Receiver> receiver;
};

PostgresConnection::PostgresConnection(const PostgresOptions& options,
                                       Watchdog* watchdog)
    : options_(options), watchdog_(watchdog) {}

PostgresConnection::~PostgresConnection() {
  // Closing says goodbye, and takes no answer; but who listens says first that
  // it will not any more, and waits for an answer that may never come.
  guard_.Release();
  if (session_ != nullptr && session_->receiver != nullptr) {
    shutdown(session_->connection.sock(), SHUT_RDWR);
  }
  // It may free what a destructor throws at.
  (void)Try([this] { session_.reset(); });
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(
    const PostgresOptions& options, Watchdog* watchdog, Purpose purpose) {
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(options, watchdog));
  RETURN_IF_ERROR(connection->Connect());
  connection->SetDeadline(watchdog->clock().Now() +
                          std::max(options.connect_timeout, absl::Seconds(2)));
  RETURN_IF_ERROR(connection->CheckServer(purpose));
  connection->ClearDeadline();
  return connection;
}

absl::Status PostgresConnection::Connect() {
  const Secret conninfo = BuildConninfo(options_);
  std::string text(conninfo.Reveal());
  const absl::optional<Failure> failure =
      TryConnect([&] { session_ = std::make_unique<Session>(text); });
  WipeMemory(&text[0], text.size());
  if (failure) return absl::UnavailableError(failure->cause);
  usable_ = true;
  return absl::OkStatus();
}

absl::Status PostgresConnection::CheckServer(Purpose purpose) {
  const bool limited = purpose == Purpose::kService;
  const auto millis = [](absl::Duration timeout) {
    return absl::StrCat(absl::ToInt64Milliseconds(timeout));
  };
  const std::string unlimited = "0";
  Params params;
  params.Text(limited ? millis(options_.statement_timeout) : unlimited)
      .Text(limited ? millis(options_.lock_timeout) : unlimited)
      .Text(millis(options_.idle_in_transaction_timeout));
  ASSIGN_OR_RETURN(const Rows rows, Execute(kPrepareSession, params));
  RETURN_IF_ERROR(CheckSession(rows.Row(0), session_->connection.backendpid()));
  return limited ? CheckSchemaVersion(*this) : absl::OkStatus();
}

void PostgresConnection::SetDeadline(BootTime deadline) {
  guard_.Release();
  guard_ = watchdog_->Watch(session_->socket, deadline);
}

void PostgresConnection::ClearDeadline() { guard_.Release(); }

bool PostgresConnection::usable() const {
  return usable_ && session_->connection.is_open();
}

absl::Status PostgresConnection::Fail(absl::string_view what, Failure failure) {
  if (!session_->connection.is_open() &&
      failure.kind != FailureKind::kInDoubt) {
    failure = {FailureKind::kConnectionLost, "the connection was lost"};
  }
  if (failure.kind == FailureKind::kConnectionLost ||
      failure.kind == FailureKind::kInDoubt) {
    usable_ = false;
  }
  if (!failure_) failure_ = failure.kind;
  if (options_.log) {
    const StorageSeverity severity = failure.kind == FailureKind::kInternal
                                         ? StorageSeverity::kError
                                         : StorageSeverity::kWarning;
    options_.log(severity,
                 absl::StrCat("database: ", what, " failed: ", failure.cause));
  }
  return PublicStatus(failure.kind);
}

Rows PostgresConnection::RunStatement(const Statement& statement,
                                      const Params& params) {
  std::vector<const char*> values;
  values.reserve(params.values().size());
  for (const absl::optional<std::string>& value : params.values()) {
    values.push_back(value ? value->c_str() : nullptr);
  }
  if (!session_->prepared.contains(statement.name)) {
    session_->connection.prepare(statement.name, statement.sql);
    session_->prepared.insert(statement.name);
  }
  // No transaction of libpqxx's: Begin and Commit are statements like others,
  // so that every round trip and its outcome are ours.
  pqxx::nontransaction transaction(session_->connection);
  return ToRows(ExecPrepared(transaction, statement.name, values));
}

absl::StatusOr<Rows> PostgresConnection::Execute(const Statement& statement,
                                                 const Params& params) {
  for (const absl::optional<std::string>& value : params.values()) {
    // libpq would cut the text off there.
    if (value && value->find('\0') != std::string::npos) {
      return Fail(statement.name,
                  {FailureKind::kInternal, "a text has a NUL in it"});
    }
  }
  Rows rows;
  absl::optional<Failure> failure =
      Try([&] { rows = RunStatement(statement, params); });
  if (failure) return Fail(statement.name, *std::move(failure));
  return rows;
}

absl::StatusOr<Rows> PostgresConnection::ExecuteCommitted(
    const Statement& statement, const Params& params) {
  ClearFailure();
  const int notices = session_->notices.count();
  absl::StatusOr<Rows> rows = Execute(statement, params);
  if (rows.ok() && session_->notices.count() == notices) return rows;
  if (rows.ok() || failure_ == FailureKind::kConnectionLost) {
    failure_.reset();
    return Fail(statement.name,
                {FailureKind::kInDoubt, "the commit is in doubt"});
  }
  return rows;
}

absl::Status PostgresConnection::ExecuteScript(absl::string_view name,
                                               absl::string_view script) {
  absl::optional<Failure> failure = Try([&] {
    pqxx::nontransaction transaction(session_->connection);
    transaction.exec(std::string(script));
  });
  if (failure) return Fail(name, *std::move(failure));
  return absl::OkStatus();
}

absl::Status PostgresConnection::FetchBinary(
    absl::string_view name, absl::string_view query,
    absl::FunctionRef<void(const Rows&)> sink) {
  absl::optional<Failure> failure = Try([&] {
    pqxx::nontransaction transaction(session_->connection);
    transaction.exec(
        absl::StrCat("DECLARE fetched BINARY NO SCROLL CURSOR FOR ", query));
    while (true) {
      const Rows rows = ToRows(transaction.exec(kFetchRows));
      if (rows.empty()) break;
      sink(rows);
    }
    transaction.exec("CLOSE fetched");
  });
  if (failure) return Fail(name, *std::move(failure));
  return absl::OkStatus();
}

absl::Status PostgresConnection::Begin(Isolation isolation) {
  ClearFailure();
  in_transaction_ = true;
  // Not READ WRITE: an operator's default_transaction_read_only shall hold.
  return ExecuteScript("begin", isolation == Isolation::kReadCommitted
                                    ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                    : "BEGIN ISOLATION LEVEL REPEATABLE READ, "
                                      "READ ONLY");
}

absl::Status PostgresConnection::Commit() {
  if (failure_) {
    // The server would answer COMMIT with a rollback, and no error.
    Rollback();
    return PublicStatus(*failure_);
  }
  const int notices = session_->notices.count();
  absl::Status status = ExecuteScript("commit", "COMMIT");
  // A COMMIT that fails has rolled back.
  in_transaction_ = false;
  const bool lost = failure_ == FailureKind::kConnectionLost;
  if (lost || (status.ok() && session_->notices.count() != notices)) {
    failure_.reset();
    return Fail("commit", {FailureKind::kInDoubt, "the commit is in doubt"});
  }
  return status;
}

void PostgresConnection::Rollback() {
  if (!std::exchange(in_transaction_, false) || !usable()) return;
  const absl::optional<FailureKind> failure = failure_;
  if (!ExecuteScript("rollback", "ROLLBACK").ok()) usable_ = false;
  failure_ = failure;
}

absl::Status PostgresConnection::Listen(const std::string& channel) {
  absl::optional<Failure> failure = Try([&] {
    session_->receiver =
        std::make_unique<Receiver>(session_->connection, channel);
  });
  if (failure) return Fail("listen", *std::move(failure));
  if (!usable()) {
    return Fail("listen", {FailureKind::kConnectionLost, "connection lost"});
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PostgresConnection::AwaitNotification(
    absl::Duration timeout) {
  const int socket = session_->connection.sock();
  pollfd poll_socket{socket, POLLIN, 0};
  const int64_t millis =
      std::max<int64_t>(0, absl::ToInt64Milliseconds(timeout));
  const int ready = poll(
      &poll_socket, 1, static_cast<int>(std::min<int64_t>(millis, 3'600'000)));
  if (ready > 0 && HungUp(socket, poll_socket.revents)) {
    return Fail("wait", {FailureKind::kConnectionLost, "connection lost"});
  }
  absl::optional<Failure> failure =
      Try([&] { session_->connection.get_notifs(); });
  if (failure) return Fail("wait", *std::move(failure));
  if (!usable()) {
    return Fail("wait", {FailureKind::kConnectionLost, "connection lost"});
  }
  return session_->receiver->TakeHeard();
}

absl::StatusOr<std::string> PostgresConnection::QuoteName(
    absl::string_view name) {
  std::string quoted;
  absl::optional<Failure> failure =
      Try([&] { quoted = session_->connection.quote_name(std::string(name)); });
  if (failure) return Fail("quote", *std::move(failure));
  return quoted;
}

}  // namespace wemasy::tokens
