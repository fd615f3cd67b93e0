// Who wants to know when a token may not be used any more.
#ifndef WEMASY_CLIENT_CPP_REVOCATION_MONITOR_H_
#define WEMASY_CLIENT_CPP_REVOCATION_MONITOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/replicas.h"
#include "client/cpp/token_client.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "common/crypto/secret.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Asks again about a token when a change to it is heard of, when it should
// expire, and when changes may have been missed.
//
// Thread-safe. Has a few threads, which ask: an answer may be long in coming,
// and is waited for by its token only. One of them at a time calls back.
class RevocationMonitor {
 public:
  // Asks a server about a token.
  using Ask =
      std::function<absl::StatusOr<FreshAnswer>(absl::string_view token)>;

  // `clock` must outlive this object.
  RevocationMonitor(Ask ask, absl::Duration vouch_timeout,
                    const BootClock* clock);
  ~RevocationMonitor();

  // Calls `callback` once, when the token is not valid. The subscription must
  // not outlive this object.
  TokenSubscription Subscribe(absl::string_view token,
                              std::function<void()> callback);

  // There is another session, or (null) none.
  void OnSession(const std::shared_ptr<WatchSession>& session);
  // The session has applied a change to the token.
  void OnChange(const std::string& token_name);

 private:
  struct Watched {
    // Shared with the thread that asks.
    std::shared_ptr<const Secret> token;
    std::function<void()> callback;
    // Its name; empty before the first answer.
    std::string name;
    // When to ask next.
    BootTime due;
    // Until when it is enough that nobody can vouch for it.
    BootTime vouched_until;
    // How often it was found due by a change or a session.
    int64_t doubts = 0;
    // Whether the session vouches for it: it would have told of a change.
    bool is_settled = false;
    // Whether a thread is asking about it, or about to end it.
    bool is_asked = false;
  };

  static constexpr int kAskers = 4;
  using WatchedTokens = std::map<int64_t, Watched>;

  void Run();
  // That which is due first, of those that nobody is asking about; or the end,
  // also as long as one question is enough.
  WatchedTokens::iterator Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Asks about one token that is due.
  void Check(int64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // No server answered about that one, nor would any about the others.
  void OnNoAnswer(int64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits until no callback is running.
  void AwaitCallback() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Forgets it, and calls back.
  void End(int64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has it asked about at once: the session's word does not count any more.
  void Doubt(Watched& watched) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DoubtAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until when the session's lease lasts, as far as is known; long ago without
  // a session.
  BootTime LeaseEnd() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the answer comes from the session's replica.
  bool IsOfSession(const FreshAnswer& fresh) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the answer is as new as all that the session has told, and the
  // session will tell of what changes it.
  bool IsCurrent(const FreshAnswer& fresh) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Unsubscribe(int64_t id);

  const Ask ask_;
  const absl::Duration vouch_timeout_;
  const BootClock& clock_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<WatchSession> session_ ABSL_GUARDED_BY(mutex_);
  WatchedTokens watched_ ABSL_GUARDED_BY(mutex_);
  // Whether the session may vouch for any of them.
  bool has_settled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  // How many are being asked about.
  int asking_ ABSL_GUARDED_BY(mutex_) = 0;
  // Whether the last question had no answer.
  bool is_in_vain_ ABSL_GUARDED_BY(mutex_) = false;
  // Whose callback is running, and where; 0 for none.
  int64_t calling_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread::id calling_thread_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> askers_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_REVOCATION_MONITOR_H_
