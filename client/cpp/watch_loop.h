// Keeps a stream of changes open, at one replica or another.
#ifndef WEMASY_CLIENT_CPP_WATCH_LOOP_H_
#define WEMASY_CLIENT_CPP_WATCH_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/replicas.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "grpcpp/support/sync_stream.h"

namespace wemasy::tokens {

// What the loop tells of. Called by its threads, one call at a time; must not
// block.
struct WatchEvents {
  // A stream has begun: `session` is what to answer from; null when it ended.
  std::function<void(const std::shared_ptr<WatchSession>& session)> on_session;
  // The session has applied a change to the token.
  std::function<void(const std::string& token)> on_change;
};

struct WatchLoopOptions {
  size_t max_answers = 0;
  size_t max_unknown = 0;
};

// Two threads: one reads and acknowledges, one pings, and ends a stream that
// does not answer.
class WatchLoop {
 public:
  // Begins at once. All must outlive this object.
  WatchLoop(WatchLoopOptions options, Replicas* replicas,
            const BootClock* clock, WatchEvents events);
  // Ends the stream.
  ~WatchLoop();

 private:
  using Stream = grpc::ClientReaderWriter<v1::WatchRequest, v1::WatchResponse>;

  void RunStreams();
  void RunPings();
  // Returns how it ended.
  grpc::Status RunStream(size_t replica);
  std::shared_ptr<WatchSession> BeginSession(const v1::WatchHello& hello);
  absl::Status Handle(const v1::WatchResponse& response, WatchSession& session);
  absl::Status Apply(const v1::WatchChanges& changes, WatchSession& session);
  bool Send(const v1::WatchRequest& request);
  // Returns false when stopping. Meanwhile a connection to the replica may come
  // about.
  bool Pause(absl::Duration duration, size_t replica);
  bool IsStopping();

  const WatchLoopOptions options_;
  Replicas& replicas_;
  const BootClock& clock_;
  const WatchEvents events_;

  // Of the reading thread: the newest change that was heard of, and on which
  // timeline. No stream may begin before it.
  std::string newest_timeline_;
  int64_t newest_seq_ = 0;
  // Whether the stream has ever given a lease, and not long been without.
  bool had_lease_ = false;
  // When the stream has to have given leave again.
  BootTime leave_due_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // The stream, while there is one.
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // When the replica has to have said something.
  BootTime patience_end_ ABSL_GUARDED_BY(mutex_) = BootTime::InfiniteFuture();
  int64_t ping_ ABSL_GUARDED_BY(mutex_) = 0;
  // When the ping that is not answered yet was sent.
  absl::optional<BootTime> pinged_at_ ABSL_GUARDED_BY(mutex_);
  BootTime next_ping_ ABSL_GUARDED_BY(mutex_) = BootTime::InfiniteFuture();

  // One writer at a time. Null without a stream.
  Mutex write_mutex_;
  Stream* stream_ ABSL_GUARDED_BY(write_mutex_) = nullptr;

  std::thread reader_;
  std::thread pinger_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_WATCH_LOOP_H_
