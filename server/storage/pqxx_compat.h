// What differs between libpqxx 6.4 and 7.x. Nothing else may depend on the
// version.
#ifndef WEMASY_SERVER_STORAGE_PQXX_COMPAT_H_
#define WEMASY_SERVER_STORAGE_PQXX_COMPAT_H_

#include <string>
#include <vector>

// Each version deprecates what the other one offers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <pqxx/pqxx>

namespace wemasy::tokens {

#if PQXX_VERSION_MAJOR >= 7

using PqxxConnection = pqxx::connection;

// A lost connection is never opened again behind our back.
inline void ForbidReconnection(pqxx::connection&) {}

#else

using PqxxConnection = pqxx::connection_base;

inline void ForbidReconnection(pqxx::connection& connection) {
  connection.inhibit_reactivation(true);
}

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
