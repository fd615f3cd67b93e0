#include "tests/sim/link.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens::sim {
namespace {

// What the hub of the link's server holds: that would hold itself by the link.
class Listener final : public WatchListener {
 public:
  explicit Listener(std::weak_ptr<Link> link) : link_(std::move(link)) {}
  void OnReady() override {
    if (const std::shared_ptr<Link> link = link_.lock()) link->OnReady();
  }

 private:
  const std::weak_ptr<Link> link_;
};

}  // namespace

Link::Link(World* world, Tally* tally, std::shared_ptr<Process> server,
           std::shared_ptr<Life> client, OnMessage on_message)
    : world_(*world),
      tally_(*tally),
      draw_(world->draw().Next()),
      server_(std::move(server)),
      client_(std::move(client)),
      on_message_(std::move(on_message)) {}

void Link::Open() {
  if (!server_->serves()) {
    Break();
    return;
  }
  world_.After(world_.Delay(draw_), server_->life(),
               [self = shared_from_this()] { self->Join(); });
}

void Link::Join() {
  if (is_broken_) return;
  const absl::StatusOr<WatchStreams::StreamId> joined =
      server_->serves()
          ? server_->hub().Join(std::make_shared<Listener>(weak_from_this()))
          : absl::UnavailableError("the server is shut down");
  if (!joined.ok()) {
    tally_.Count("streams refused");
    Break();
    return;
  }
  stream_ = *joined;
  OnReady();
}

// A hub's critical section may be near: the stream is looked at later.
void Link::OnReady() {
  if (std::exchange(is_pumping_, true)) return;
  world_.After(draw_.Below(world_.weather().quick / 4), server_->life(),
               [self = shared_from_this()] { self->Pump(); });
}

void Link::Pump() {
  is_pumping_ = false;
  if (!stream_) return;
  WatchMessage message = server_->hub().Take(*stream_);
  if (message.empty()) return;
  const bool is_end = message.end.has_value();
  if (!is_broken_) {
    last_down_ = std::max(last_down_ + 1, world_.now() + world_.Delay(draw_));
    down_.push_back({last_down_, std::move(message)});
    if (down_.size() == 1) {
      world_.After(last_down_ - world_.now(), client_,
                   [self = shared_from_this()] { self->Deliver(); });
    }
  }
  if (is_end) {
    Leave();
  } else {
    OnReady();
  }
}

void Link::Deliver() {
  if (down_.empty()) return;
  Queued<WatchMessage> queued = std::move(down_.front());
  down_.pop_front();
  if (!down_.empty()) {
    world_.After(std::max<Nanos>(0, down_.front().arrives - world_.now()),
                 client_, [self = shared_from_this()] { self->Deliver(); });
  }
  if (is_over_for_client_ || queued.arrives > down_cut_) return;
  if (queued.message.end) {
    TellClientOfEnd();
    return;
  }
  on_message_(queued.message);
}

void Link::Send(Request request) {
  if (is_broken_) return;
  last_up_ = std::max(last_up_ + 1, world_.now() + world_.Delay(draw_));
  up_.push_back({last_up_, request});
  if (up_.size() > 1) return;
  world_.After(last_up_ - world_.now(), server_->life(),
               [self = shared_from_this()] { self->Receive(); });
}

void Link::SendPing(int64_t ping, bool only_noted) {
  Send({ping, absl::nullopt, only_noted});
}

void Link::SendAcknowledgement(int64_t seq) { Send({absl::nullopt, seq}); }

void Link::Receive() {
  if (up_.empty()) return;
  const Queued<Request> queued = up_.front();
  up_.pop_front();
  if (!up_.empty()) {
    world_.After(std::max<Nanos>(0, up_.front().arrives - world_.now()),
                 server_->life(),
                 [self = shared_from_this()] { self->Receive(); });
  }
  if (!stream_ || queued.arrives > up_cut_) return;
  if (queued.message.only_noted) server_->hub().TellOnlyOfNoted(*stream_);
  if (queued.message.ping) {
    server_->hub().Ping(*stream_, *queued.message.ping);
    return;
  }
  const absl::Status acknowledged =
      server_->hub().Acknowledge(*stream_, *queued.message.acknowledged);
  if (!acknowledged.ok()) {
    world_.Violate(absl::StrCat("an acknowledgement was refused: ",
                                acknowledged.message()));
  }
}

void Link::Leave() {
  if (!stream_) return;
  server_->hub().Leave(*stream_);
  stream_.reset();
}

void Link::Break() {
  if (std::exchange(is_broken_, true)) return;
  tally_.Count("streams broken");
  world_.Trace(client_->name, absl::StrCat("its stream to ",
                                           server_->life()->name, " breaks"));
  const auto cut = [&](const auto& queue) {
    return queue.empty() ? world_.now()
                         : world_.now() + draw_.Below(queue.back().arrives -
                                                      world_.now() + 2);
  };
  up_cut_ = cut(up_);
  down_cut_ = cut(down_);
  // Not before the last that arrives.
  world_.After(up_cut_ - world_.now() + world_.Delay(draw_), server_->life(),
               [self = shared_from_this()] { self->Leave(); });
  const Nanos noticed = draw_.Chance(200)
                            ? draw_.Below(world_.weather().ttl * 3 / 2)
                            : world_.Delay(draw_);
  world_.After(down_cut_ - world_.now() + noticed, client_,
               [self = shared_from_this()] { self->TellClientOfEnd(); });
}

void Link::TellClientOfEnd() {
  if (std::exchange(is_over_for_client_, true)) return;
  on_message_(WatchMessage());
}

void Link::CloseByClient() {
  if (std::exchange(is_over_for_client_, true)) return;
  Break();
}

}  // namespace wemasy::tokens::sim
