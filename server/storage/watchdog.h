// Ends what the server takes too long for, by closing the socket.
//
// PostgreSQL does not end the wait for a standby by a statement timeout, and a
// cancelled wait looks like a commit. A socket that is shut down makes libpq
// return at once, and says truly that the outcome is unknown.
#ifndef WEMASY_SERVER_STORAGE_WATCHDOG_H_
#define WEMASY_SERVER_STORAGE_WATCHDOG_H_

#include <cstdint>
#include <map>
#include <thread>

#include "common/clock.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// A thread that shuts sockets down at their deadlines. Thread-safe.
class Watchdog {
 public:
  // Watches one socket for the length of its life: destroy it before the
  // socket is closed.
  class Guard {
   public:
    Guard() = default;
    ~Guard() { Release(); }
    Guard(Guard&& other) noexcept;
    Guard& operator=(Guard&& other) noexcept;

    void Release();

   private:
    friend class Watchdog;
    Guard(Watchdog* watchdog, int64_t id) : watchdog_(watchdog), id_(id) {}

    Watchdog* watchdog_ = nullptr;
    int64_t id_ = 0;
  };

  // `clock` must outlive this object.
  explicit Watchdog(const BootClock* clock);
  // No guard may be left.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  Guard Watch(int socket, BootTime deadline);

  const BootClock& clock() const { return *clock_; }

 private:
  struct Entry {
    int socket = -1;
    BootTime deadline;
  };

  void Run();
  void Forget(int64_t id);

  const BootClock* const clock_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  // When the thread wakes up by itself.
  BootTime next_wake_ ABSL_GUARDED_BY(mutex_) = BootTime::InfiniteFuture();
  // A handful: one for each connection in use.
  std::map<int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_WATCHDOG_H_
