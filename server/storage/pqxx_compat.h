// What differs between libpqxx 6.4 and 7.x. Nothing else may depend on the
// version.
#ifndef WEMASY_SERVER_STORAGE_PQXX_COMPAT_H_
#define WEMASY_SERVER_STORAGE_PQXX_COMPAT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Each version deprecates what the other one offers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <pqxx/pqxx>
#if PQXX_VERSION_MAJOR < 7
#include <pqxx/tablereader>
#endif

namespace wemasy::tokens {

#if PQXX_VERSION_MAJOR >= 7

using PqxxConnection = pqxx::connection;

// A lost connection is never opened again behind our back.
inline void ForbidReconnection(pqxx::connection&) {}

// The lines of a query's COPY, in text format and without line ends.
class CopyLines {
 public:
  CopyLines(pqxx::transaction_base& transaction, absl::string_view query)
      : stream_(pqxx::stream_from::query(transaction, std::string(query))) {}

  // Returns false after the last line.
  bool Next(std::string& line) {
    auto [data, size] = stream_.get_raw_line();
    if (!data) return false;
    line.assign(data.get(), size);
    return true;
  }
  void Complete() { stream_.complete(); }

 private:
  pqxx::stream_from stream_;
};

#else

using PqxxConnection = pqxx::connection_base;

inline void ForbidReconnection(pqxx::connection& connection) {
  connection.inhibit_reactivation(true);
}

// 6.4's stream_from takes the name of a table only; its tablereader takes
// anything that COPY does.
class CopyLines {
 public:
  CopyLines(pqxx::transaction_base& transaction, absl::string_view query)
      : reader_(transaction, absl::StrCat("(", query, ")")) {}

  bool Next(std::string& line) {
    if (!reader_.get_raw_line(line)) return false;
    if (!line.empty() && line.back() == '\n') line.pop_back();
    return true;
  }
  void Complete() { reader_.complete(); }

 private:
  pqxx::tablereader reader_;
};

#endif

// Null pointers are NULL.
inline pqxx::result ExecPrepared(pqxx::transaction_base& transaction,
                                 const std::string& name,
                                 const std::vector<const char*>& parameters) {
  return transaction.exec_prepared(
      name, pqxx::prepare::make_dynamic_params(parameters));
}

// Counts what the server says besides its results. libpqxx gives it no other
// way: a commit whose wait for a standby was cancelled returns normally and
// only adds a warning.
class NoticeCounter final : public pqxx::errorhandler {
 public:
  explicit NoticeCounter(PqxxConnection& connection)
      : pqxx::errorhandler(connection) {}

  bool operator()(const char*) noexcept override {
    ++count_;
    return false;
  }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

}  // namespace wemasy::tokens

#pragma GCC diagnostic pop

#endif  // WEMASY_SERVER_STORAGE_PQXX_COMPAT_H_
