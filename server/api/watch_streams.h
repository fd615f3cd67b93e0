// What the API needs of the replica to serve AuthService.Watch: rules 5 and 6
// of docs/coherence.md.
#ifndef WEMASY_SERVER_API_WATCH_STREAMS_H_
#define WEMASY_SERVER_API_WATCH_STREAMS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "server/token/token_id.h"

namespace wemasy::tokens {

// Which memory an answer comes from: only answers of one incarnation can be
// put in an order.
struct ReplicaIdentity {
  // Random, drawn anew for every load of the index; empty before the first.
  std::string incarnation;
  // PostgreSQL's timeline, eight hexadecimal digits.
  std::string timeline;
};

// What a caching client is told of a change. Never a digest.
struct WatchedChange {
  int64_t seq = 0;
  // That of the change before that the stream told of, or of its Hello.
  int64_t previous_seq = 0;
  // The resource name of the token whose secret it is about; empty if it is
  // about none.
  std::string token;
  // Whether the secret may be used, so that it may be a new one.
  bool is_live = false;
};

// Where a stream begins.
struct WatchHello {
  ReplicaIdentity replica;
  // The stream tells of changes after this one.
  int64_t seq = 0;
  // The StreamId, which is unique in the replica's incarnation.
  int64_t stream = 0;
};

// Leave to answer from the cache.
struct WatchGrant {
  // The number of the ping that asked for it.
  int64_t ping = 0;
  // How long, counted by the client from before it sent the ping. Zero for not
  // at all: this replica has no leave to give now.
  absl::Duration ttl;
  // Only a client that has all changes which the stream told of up to this one
  // has the leave.
  int64_t seq = 0;
};

// The next thing to send on a stream: at most one of them is set.
struct WatchMessage {
  absl::optional<WatchHello> hello;
  std::vector<WatchedChange> changes;
  absl::optional<WatchGrant> grant;
  // The stream is over; why.
  absl::optional<absl::Status> end;

  // There is nothing to send now.
  bool empty() const { return !hello && changes.empty() && !grant && !end; }
};

// Hears that a stream has something to send, after Take had nothing.
class WatchListener {
 public:
  virtual ~WatchListener() = default;
  // Called by other threads, at any time after the first Take, and maybe when
  // it is true no more.
  // Must not block.
  virtual void OnReady() = 0;
};

// The streams of caching clients. Implementations are thread-safe; the calls
// for one stream come one at a time.
class WatchStreams {
 public:
  using StreamId = int64_t;

  virtual ~WatchStreams() = default;

  // Begins a stream, which tells of every change. Returns kLeaseNotHeld if this
  // replica is not loaded or is leaving, kOverloaded if there are too many
  // streams.
  virtual absl::StatusOr<StreamId> Join(
      std::shared_ptr<WatchListener> listener) = 0;

  // From now on the stream tells only of what may matter to answers that were
  // noted.
  virtual void TellOnlyOfNoted(StreamId stream) = 0;

  // Notes that the client of the stream may keep an answer about a token, or
  // (nothing) an UNKNOWN, from a memory that surely had all changes up to
  // `applied`. To be called once the answer is made. Returns whether the stream
  // will tell of every change since that makes it wrong; if not, it must not be
  // kept.
  virtual bool Note(StreamId stream, const absl::optional<TokenId>& token,
                    int64_t applied) = 0;

  // The client asks for a grant. While the grant of an earlier ping has not
  // been taken, another ping is ignored.
  virtual void Ping(StreamId stream, int64_t ping) = 0;

  // The client has applied all changes that it was told of up to `seq`. Returns
  // kFieldInvalid if the stream has not told of that one.
  virtual absl::Status Acknowledge(StreamId stream, int64_t seq) = 0;

  // Returns what to send next.
  virtual WatchMessage Take(StreamId stream) = 0;

  // The stream has ended. What was granted on it stays until it has expired:
  // the client may not have noticed.
  virtual void Leave(StreamId stream) = 0;

  // Which memory Validate answers from.
  virtual ReplicaIdentity identity() const = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_WATCH_STREAMS_H_
