// Hears of changes by LISTEN.
#ifndef WEMASY_SERVER_STORAGE_POSTGRES_CHANGE_LISTENER_H_
#define WEMASY_SERVER_STORAGE_POSTGRES_CHANGE_LISTENER_H_

#include <memory>

#include "common/clock.h"
#include "server/coherence/replica_store.h"
#include "server/storage/postgres_options.h"

namespace wemasy::tokens {

class PostgresConnection;
class Watchdog;

// Has a connection of its own, and opens a new one when that is lost. Used by
// one thread.
class PostgresChangeListener final : public ChangeListener {
 public:
  // Both must outlive this object.
  PostgresChangeListener(const PostgresOptions* options,
                         const BootClock* clock);
  ~PostgresChangeListener() override;

  absl::StatusOr<bool> Wait(absl::Duration timeout) override;

 private:
  absl::Status Connect();

  const PostgresOptions& options_;
  const std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_POSTGRES_CHANGE_LISTENER_H_
