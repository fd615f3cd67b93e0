#include "tests/sim/ledger.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/process.h"
#include "tests/support/entries.h"

namespace wemasy::tokens::sim {
namespace {

// What rounding to nanoseconds and parts of a million may add up to.
constexpr Nanos kRounding = 100;

std::vector<SimSecret> MakeSecrets() {
  DrawnBytes random(1);
  std::vector<SimSecret> secrets;
  for (int i = 0; i < Ledger::kSecrets; ++i) {
    TestToken token = MakeTestToken(random);
    SimSecret secret;
    secret.text = std::string(token.secret.Reveal());
    secret.entry = std::move(token.entry);
    secret.entry.metadata.clear();
    // The second half are what rotations make of the first.
    if (i >= Ledger::kSecrets / 2) {
      secret.is_successor = true;
      secret.entry.name =
          secrets[static_cast<size_t>(i - Ledger::kSecrets / 2)].entry.name;
    }
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

}  // namespace

const std::vector<SimSecret>& AllSecrets() {
  static const auto& secrets = *new std::vector<SimSecret>(MakeSecrets());
  return secrets;
}

Ledger::Ledger(World* world, const Database* database, Tally* tally, Nanos ttl)
    : world_(*world),
      database_(*database),
      tally_(*tally),
      ttl_(ttl),
      secrets_(AllSecrets()) {}

void Ledger::OnCommitted(Turn& turn, int64_t seq) {
  turn.seq = seq;
  turn.committed_at = world_.now();
}

void Ledger::OnReturned(Turn& turn) {
  if (turn.seq != 0 && turn.promise == 0) turn.promise = ++last_promise_;
}

void Ledger::OnLost(int64_t head) {
  for (SimSecret& secret : secrets_) {
    for (Turn* turn : {&secret.create, &secret.revoke}) {
      if (turn->seq <= head) continue;
      *turn = Turn();
      secret.was_lost = true;
      tally_.Count("changes lost by a failover");
    }
  }
}

Ledger::Question Ledger::Ask(int secret) {
  const SimSecret& asked = at(secret);
  return {secret, world_.now(), asked.create.promise, asked.revoke.promise};
}

std::string Ledger::Describe(const std::string& who, const Question& question,
                             const char* how) const {
  const SimSecret& secret = secrets_[static_cast<size_t>(question.secret)];
  return absl::StrCat(who, how, ", s", question.secret, " asked at ",
                      question.invoked_at / kMillisecond, " ms: created by ",
                      secret.create.seq, " at ",
                      secret.create.committed_at / kMillisecond,
                      " ms, revoked by ", secret.revoke.seq, " at ",
                      secret.revoke.committed_at / kMillisecond, " ms");
}

void Ledger::Judge(const std::string& who, const Question& question,
                   absl::optional<Verdict> verdict, const char* how) {
  const SimSecret& secret = at(question.secret);
  const auto violate = [&](const char* what) {
    world_.Violate(absl::StrCat(what, ": ", Describe(who, question, how)));
  };
  // A lease's length after a commit nobody answers as before it, whether or
  // not somebody waits for that.
  const auto is_long_ago = [&](const Turn& turn) {
    return turn.seq != 0 &&
           question.invoked_at > turn.committed_at + ttl_ + kRounding;
  };
  // Promised at the call, and not lost meanwhile.
  const auto is_promised = [](int64_t at_call, const Turn& turn) {
    return at_call != 0 && turn.promise == at_call;
  };
  if (world_.is_traced()) {
    world_.Trace(who,
                 absl::StrCat("says ", verdict ? static_cast<int>(*verdict) : 0,
                              how, " of s", question.secret, " asked at ",
                              question.invoked_at / kMillisecond, " ms"));
  }
  if (!verdict) {
    tally_.Count("validate: UNAVAILABLE");
    return;
  }
  switch (*verdict) {
    case Verdict::kValid: {
      tally_.Count("validate: VALID");
      if (is_promised(question.revoked, secret.revoke)) {
        violate("G1: VALID after its revocation returned");
      }
      if (is_long_ago(secret.revoke)) {
        violate("stale: VALID a lease's length after its revocation");
      }
      if (secret.create.seq == 0 && !secret.was_lost) {
        violate("VALID before it was created");
      }
      if (database_.Clock() - absl::Nanoseconds(world_.now()) +
              absl::Nanoseconds(question.invoked_at) >=
          secret.entry.expire_time) {
        violate("VALID after its expiry");
      }
      if (secret.revoke.seq != 0) tally_.Count("VALID of the just revoked");
      break;
    }
    case Verdict::kUnknown:
      tally_.Count("validate: UNKNOWN");
      if (is_promised(question.created, secret.create)) {
        violate("G2: UNKNOWN after its creation returned");
      }
      if (is_long_ago(secret.create)) {
        violate("stale: UNKNOWN a lease's length after its creation");
      }
      if (secret.create.seq != 0) tally_.Count("UNKNOWN of the just created");
      break;
    case Verdict::kRevoked:
      tally_.Count("validate: REVOKED");
      if (secret.revoke.seq == 0 && !secret.was_lost) {
        violate("REVOKED though nobody asked for that");
      }
      break;
    case Verdict::kExpired:
      tally_.Count("validate: EXPIRED");
      if (secret.entry.expire_time == absl::InfiniteFuture()) {
        violate("EXPIRED though it never does");
      }
      break;
    default:
      violate("odd verdict");
  }
}

}  // namespace wemasy::tokens::sim
