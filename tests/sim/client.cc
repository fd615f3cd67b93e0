#include "tests/sim/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wemasy::tokens::sim {
namespace {

// So many that none is pushed out: that only hides what is wrong.
constexpr size_t kAnswers = 1000;

// As client/cpp/replicas.cc makes it of a response.
Answer MakeAnswer(const SimSecret& secret, const Validation& validation,
                  BootTime asked_at) {
  Answer answer;
  answer.verdict = static_cast<v1::Verdict>(validation.verdict);
  if (validation.verdict <= Verdict::kUnknown) return answer;
  auto identity = std::make_shared<TokenIdentity>();
  identity->name = secret.entry.name.ToString();
  answer.identity = std::move(identity);
  if (validation.verdict == Verdict::kValid &&
      validation.expire_time != absl::InfiniteFuture()) {
    const absl::Duration left = validation.expire_time - validation.decide_time;
    answer.end = asked_at + (left - left / kClockDriftDivisor);
  }
  return answer;
}

}  // namespace

Client::Client(World* world, Ledger* ledger, Tally* tally,
               const MachineClock* clock, std::string name, PickServer pick)
    : world_(*world),
      ledger_(*ledger),
      tally_(*tally),
      clock_(*clock),
      life_(std::make_shared<Life>()),
      pick_(std::move(pick)),
      find_clock_(world, clock) {
  life_->name = std::move(name);
  only_noted_ = world_.draw().Chance(800);
  find_clock_.set_mode(PausingClock::Mode::kFiber);
}

void Client::Start() { BeginStream(); }

void Client::BeginStream() {
  const std::shared_ptr<Process> server = pick_();
  if (server == nullptr) {
    world_.After(world_.weather().period, life_, [this] { BeginStream(); });
    return;
  }
  const int64_t stream = ++stream_;
  world_.Trace(life_->name,
               absl::StrCat("begins a stream to ", server->life()->name));
  link_ = std::make_shared<Link>(&world_, &tally_, server, life_,
                                 [this, stream](const WatchMessage& message) {
                                   if (stream == stream_) Handle(message);
                                 });
  link_->Open();
  WaitForAnswer();
}

void Client::EndStream() {
  ++stream_;
  if (session_ != nullptr) session_->End();
  session_ = nullptr;
  pinged_at_.reset();
  std::exchange(link_, nullptr)->CloseByClient();
  world_.After(world_.Delay() + world_.draw().Below(world_.weather().period),
               life_, [this] { BeginStream(); });
}

void Client::WaitForAnswer() {
  const Nanos patience = world_.weather().client_ttl;
  world_.After(patience, life_, [this, stream = stream_, answered = answered_] {
    if (stream != stream_ || answered != answered_) return;
    tally_.Count("streams that were silent");
    EndStream();
  });
}

void Client::Handle(const WatchMessage& message) {
  if (message.empty()) {
    EndStream();
  } else if (message.hello) {
    if (BeginSession(*message.hello)) {
      ++answered_;
      PingAfter(0);
    } else {
      tally_.Count("Hello refused");
      EndStream();
    }
  } else if (message.grant) {
    TakeGrant(*message.grant);
  } else if (!Apply(message.changes)) {
    world_.Violate("a stream has a gap");
  }
}

bool Client::BeginSession(const WatchHello& hello) {
  const std::string& timeline = hello.replica.timeline;
  if (timeline < newest_timeline_ ||
      (timeline == newest_timeline_ && hello.seq < newest_seq_)) {
    return false;
  }
  newest_timeline_ = timeline;
  newest_seq_ = hello.seq;
  session_ = std::make_shared<WatchSession>(
      AnswerOrigin{hello.replica.incarnation, hello.seq, hello.stream},
      kAnswers, kAnswers, &find_clock_);
  tally_.Count("sessions");
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat("has a session from ", hello.seq));
  }
  return true;
}

bool Client::Apply(const std::vector<WatchedChange>& changes) {
  for (const WatchedChange& change : changes) {
    if (!session_
             ->Apply(change.previous_seq, change.seq, change.token,
                     change.is_live)
             .ok()) {
      return false;
    }
    tally_.Count(change.seq == change.previous_seq + 1
                     ? "client: told of the next change"
                     : "client: not told of what does not matter");
    newest_seq_ = change.seq;
  }
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat("has ", newest_seq_));
  }
  link_->SendAcknowledgement(newest_seq_);
  return true;
}

void Client::PingAfter(Nanos delay) {
  world_.After(delay, life_, [this, stream = stream_] {
    if (stream != stream_) return;
    ++ping_;
    pinged_at_ = clock_.Now();
    link_->SendPing(ping_, only_noted_);
    WaitForAnswer();
  });
}

void Client::TakeGrant(const WatchGrant& grant) {
  if (!pinged_at_ || grant.ping != ping_) return;
  ++answered_;
  const BootTime pinged_at = *std::exchange(pinged_at_, absl::nullopt);
  session_->Grant(pinged_at, grant.ttl, grant.seq);
  if (world_.is_traced()) {
    world_.Trace(life_->name,
                 absl::StrCat("is granted ", absl::FormatDuration(grant.ttl),
                              " with ", grant.seq));
  }
  if (grant.ttl <= absl::ZeroDuration()) {
    tally_.Count("pings that gave no leave");
    PingAfter(world_.weather().client_ttl / 8);
  } else {
    tally_.Count("grants");
    PingAfter(std::max(clock_.Until(pinged_at + grant.ttl / 4),
                       world_.weather().ttl / 100));
  }
}

std::shared_ptr<Process> Client::PickForCall() {
  if (link_ != nullptr && link_->server()->serves() &&
      world_.draw().Chance(700)) {
    return link_->server();
  }
  return pick_();
}

void Client::Validate(int number) {
  const Ledger::Question question = ledger_.Ask(number);
  const SimSecret& secret = ledger_.at(number);
  const TokenDigest& digest = secret.entry.digest;
  const auto judge = [&](const Answer& answer, const char* from) {
    switch (answer.verdict) {
      case v1::VERDICT_VALID:
        tally_.Count("client: VALID from memory");
        break;
      case v1::VERDICT_UNKNOWN:
        tally_.Count("client: UNKNOWN from memory");
        break;
      default:
        tally_.Count("client: others from memory");
    }
    ledger_.Judge(life_->name, question, static_cast<Verdict>(answer.verdict),
                  from);
  };
  if (const absl::optional<Answer> hot = hot_.Find(digest)) {
    tally_.Count("client: from a copy");
    judge(*hot, " from a copy");
    return;
  }
  // One session for the rest of the call, whatever becomes of it meanwhile.
  const std::shared_ptr<WatchSession> session = session_;
  if (session != nullptr && world_.draw().Chance(30)) {
    world_.Sleep(world_.draw().Below(world_.weather().ttl));
  }
  if (session != nullptr) {
    const uint64_t version = session->state()->version();
    if (const absl::optional<Answer> kept = session->Find(digest)) {
      // As a thread does that is held up here.
      if (world_.draw().Chance(30)) world_.Sleep(world_.Delay());
      hot_.Keep(*session, version, digest, *kept);
      judge(*kept, " from memory");
      return;
    }
  }
  const std::shared_ptr<Process> server = PickForCall();
  if (server == nullptr) return;
  // The call, on a thread of the server's.
  const BootTime asked_at = clock_.Now();
  struct Call {
    absl::optional<Process::Reply> reply;
    bool is_over = false;
  };
  auto call = std::make_shared<Call>();
  world_.Spawn(
      world_.Delay(), server->life(),
      [call, server, stream = session == nullptr ? 0 : session->stream(),
       &secret, &digest] {
        if (!server->serves()) return;
        call->reply = server->Validate(secret.text, digest, stream);
      });
  // The reply may be late, and so find another session, or come in the middle
  // of a change. One that is not there by then is not waited for.
  world_.Sleep(world_.Delay() + world_.Delay());
  if (!call->reply) world_.Sleep(world_.weather().period);
  if (!call->reply || !call->reply->validation.ok()) {
    tally_.Count("client: no answer");
    return;
  }
  const Validation& validation = *call->reply->validation;
  if (session != nullptr) {
    const AnswerOrigin origin{call->reply->identity.incarnation,
                              validation.applied, call->reply->stream};
    if (session->Keep(digest, MakeAnswer(secret, validation, asked_at),
                      origin)) {
      tally_.Count("client: answers kept");
    } else if (origin.stream == 0) {
      tally_.Count("client: not kept, not noted");
    } else if (!session->TellsOf(origin)) {
      tally_.Count("client: not kept, of another memory");
    } else if (validation.applied < session->applied()) {
      tally_.Count("client: not kept, too old");
    } else {
      tally_.Count("client: not kept, the stream is over");
    }
  }
  ledger_.Judge(life_->name, question, validation.verdict, " after a call");
}

}  // namespace wemasy::tokens::sim
