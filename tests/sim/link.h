// The connection that carries one stream of AuthService.Watch.
#ifndef WEMASY_TESTS_SIM_LINK_H_
#define WEMASY_TESTS_SIM_LINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/types/optional.h"
#include "server/api/watch_streams.h"
#include "tests/sim/process.h"
#include "tests/sim/tally.h"
#include "tests/sim/world.h"

namespace wemasy::tokens::sim {

// Two queues, in each of which nothing overtakes. When it breaks, some of what
// is on its way still arrives, and each end notices in its own time.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  // What the client hears. All empty: the stream is over.
  using OnMessage = std::function<void(const WatchMessage& message)>;

  Link(World* world, Tally* tally, std::shared_ptr<Process> server,
       std::shared_ptr<Life> client, OnMessage on_message);

  // Begins the stream.
  void Open();

  // For the client. Who asks to be told only of what it was answered, asks with
  // every ping.
  void SendPing(int64_t ping, bool only_noted);
  void SendAcknowledgement(int64_t seq);
  // The client has done with it; the server will hear of that.
  void CloseByClient();

  void Break();
  bool is_broken() const { return is_broken_; }
  const std::shared_ptr<Process>& server() const { return server_; }

  // The server has something to say.
  void OnReady();

 private:
  struct Request {
    // One of them is set.
    absl::optional<int64_t> ping;
    absl::optional<int64_t> acknowledged;
    // With a ping.
    bool only_noted = false;
  };
  template <typename Message>
  struct Queued {
    Nanos arrives;
    Message message;
  };

  void Send(Request request);
  void Receive();
  void Join();
  void Pump();
  void Deliver();
  void Leave();
  void TellClientOfEnd();

  World& world_;
  Tally& tally_;
  // Its own: a hub calls its streams in an order that no seed decides.
  Draw draw_;
  const std::shared_ptr<Process> server_;
  const std::shared_ptr<Life> client_;
  const OnMessage on_message_;

  absl::optional<WatchStreams::StreamId> stream_;
  bool is_pumping_ = false;
  bool is_broken_ = false;
  bool is_over_for_client_ = false;
  std::deque<Queued<Request>> up_;
  std::deque<Queued<WatchMessage>> down_;
  // What arrives later is lost.
  Nanos up_cut_ = INT64_MAX;
  Nanos down_cut_ = INT64_MAX;
  Nanos last_up_ = 0;
  Nanos last_down_ = 0;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_LINK_H_
