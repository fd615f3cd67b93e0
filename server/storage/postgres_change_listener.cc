#include "server/storage/postgres_change_listener.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/watchdog.h"

namespace wemasy::tokens {

PostgresChangeListener::PostgresChangeListener(const PostgresOptions* options,
                                               const BootClock* clock)
    : options_(*options), watchdog_(std::make_unique<Watchdog>(clock)) {}

PostgresChangeListener::~PostgresChangeListener() = default;

absl::Status PostgresChangeListener::Connect() {
  auto opened = PostgresConnection::Open(options_, watchdog_.get(),
                                         PostgresConnection::Purpose::kService);
  if (!opened.ok()) {
    if (options_.log) {
      options_.log(StorageSeverity::kWarning,
                   absl::StrCat("cannot listen for changes: ",
                                opened.status().message()));
    }
    return PublicStatus(FailureKind::kUnavailable);
  }
  (*opened)->SetDeadline(watchdog_->clock().Now() + options_.connect_timeout);
  RETURN_IF_ERROR((*opened)->Listen(kChangeChannel));
  (*opened)->ClearDeadline();
  connection_ = *std::move(opened);
  return absl::OkStatus();
}

absl::StatusOr<bool> PostgresChangeListener::Wait(absl::Duration timeout) {
  if (!connection_) {
    RETURN_IF_ERROR(Connect());
    // What was said before is missed.
    return true;
  }
  absl::StatusOr<bool> heard = connection_->AwaitNotification(timeout);
  if (!heard.ok()) connection_.reset();
  return heard;
}

}  // namespace wemasy::tokens
