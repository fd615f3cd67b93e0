#include "server/storage/failure.h"

#include <exception>
#include <new>
#include <typeinfo>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/storage/pqxx_compat.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

struct KnownState {
  absl::string_view prefix;
  FailureKind kind;
  absl::string_view meaning;
};

// By SQLSTATE, the longer prefix first.
constexpr KnownState kKnownStates[] = {
    {"40003", FailureKind::kInDoubt, "completion unknown"},
    {"40", FailureKind::kConflict, "serialization failure or deadlock"},
    {"08", FailureKind::kConnectionLost, "connection failure"},
    {"57P", FailureKind::kConnectionLost, "the server ended the session"},
    {"53100", FailureKind::kUnavailable, "the database's disk is full"},
    {"53200", FailureKind::kUnavailable, "the database is out of memory"},
    {"53300", FailureKind::kUnavailable, "too many connections"},
    {"53", FailureKind::kUnavailable, "insufficient resources"},
    {"25006", FailureKind::kUnavailable, "the database is read-only"},
    {"25P03", FailureKind::kConnectionLost, "idle in transaction for too long"},
    {"55P03", FailureKind::kUnavailable, "a lock was not free in time"},
    {"57014", FailureKind::kUnavailable, "statement timed out or cancelled"},
    {"58", FailureKind::kUnavailable, "system error at the database"},
    {"28", FailureKind::kUnavailable, "not authorized to connect"},
    {"42501", FailureKind::kInternal, "the role lacks a privilege"},
    {"42P01", FailureKind::kInternal, "a table is missing"},
    {"22", FailureKind::kInternal, "bad data"},
    {"23", FailureKind::kInternal, "constraint violated"},
};

// The server's message is left out, as it may quote values.
Failure FromState(absl::string_view state) {
  for (const KnownState& known : kKnownStates) {
    if (absl::StartsWith(state, known.prefix)) {
      return {known.kind,
              absl::StrCat("SQLSTATE ", state, ", ", known.meaning)};
    }
  }
  return {FailureKind::kInternal, absl::StrCat("SQLSTATE ", state)};
}

// libpq's words name hosts and users but no password, except where it quotes
// a connection string that it could not read.
std::string ConnectCause(absl::string_view message) {
  message = absl::StripSuffix(message, "\n");
  for (absl::string_view harmless :
       {"connection to server", "could not translate host name",
        "could not connect", "timeout expired"}) {
    if (absl::StartsWith(message, harmless)) return std::string(message);
  }
  return "the connection string is malformed";
}

// Must be called in a handler.
Failure Current() {
  try {
    throw;
  } catch (const pqxx::in_doubt_error&) {
    return {FailureKind::kInDoubt, "the outcome is unknown"};
  } catch (const pqxx::too_many_connections&) {
    return {FailureKind::kUnavailable, "too many connections"};
  } catch (const pqxx::broken_connection&) {
    return {FailureKind::kConnectionLost, "the connection was lost"};
  } catch (const pqxx::serialization_failure&) {
    return {FailureKind::kConflict, "serialization failure"};
  } catch (const pqxx::deadlock_detected&) {
    return {FailureKind::kConflict, "deadlock"};
  } catch (const pqxx::statement_completion_unknown&) {
    return {FailureKind::kInDoubt, "completion unknown"};
  } catch (const pqxx::transaction_rollback&) {
    return {FailureKind::kConflict, "the transaction was rolled back"};
  } catch (const pqxx::sql_error& error) {
    if (!error.sqlstate().empty()) return FromState(error.sqlstate());
    // libpqxx 6 drops some states, but throws a type of its own for each.
    if (typeid(error) != typeid(pqxx::sql_error)) {
      return {FailureKind::kInternal, "the server refused the statement"};
    }
    // No answer of the server, but libpq's own: the connection is suspect.
    return {FailureKind::kConnectionLost, "no answer of the server"};
  } catch (const pqxx::failure&) {
    return {FailureKind::kConnectionLost, "libpq failed"};
  } catch (const std::bad_alloc&) {
    // Of the answer too, maybe.
    return {FailureKind::kConnectionLost, "out of memory"};
  } catch (const std::exception&) {
    return {FailureKind::kInternal, "libpqxx was used wrongly"};
  } catch (...) {
    return {FailureKind::kInternal, "unknown exception"};
  }
}

}  // namespace

absl::optional<Failure> Try(absl::FunctionRef<void()> action) {
  try {
    action();
    return absl::nullopt;
  } catch (...) {
    return Current();
  }
}

absl::optional<Failure> TryConnect(absl::FunctionRef<void()> action) {
  try {
    action();
    return absl::nullopt;
  } catch (const pqxx::failure& error) {
    return Failure{FailureKind::kUnavailable, ConnectCause(error.what())};
  } catch (...) {
    return Current();
  }
}

absl::Status PublicStatus(FailureKind kind) {
  switch (kind) {
    case FailureKind::kConflict:
    case FailureKind::kConnectionLost:
    case FailureKind::kUnavailable:
      return MakeError(ErrorReason::kDatabaseUnavailable,
                       "the database is not available; nothing was changed");
    case FailureKind::kInDoubt:
      return MakeError(ErrorReason::kCommitInDoubt,
                       "it is not known whether the change was committed");
    case FailureKind::kInternal:
      break;
  }
  return MakeError(ErrorReason::kInternal, "internal error");
}

absl::Status DeadlineTooShort() {
  return MakeError(ErrorReason::kDeadlineTooShort,
                   "the deadline ended before anything was changed");
}

}  // namespace wemasy::tokens
