#include "tests/sim/database.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace wemasy::tokens::sim {
namespace {

// Older changes were trimmed.
constexpr int64_t kFirstHead = 1000;

}  // namespace

Database::Database(const World* world) : world_(*world) {
  leader_.timeline = "00000001";
  leader_.first = kFirstHead;
}

absl::Time Database::Clock() const {
  return absl::FromUnixSeconds(1'800'000'000) + absl::Nanoseconds(world_.now());
}

int64_t Database::Commit(
    const std::vector<absl::optional<IndexEntry>>& changes) {
  for (const absl::optional<IndexEntry>& entry : changes) {
    Change change;
    change.seq = leader_.head() + 1;
    if (entry) {
      change.operation = ChangeOperation::kPut;
      change.entry = *entry;
      const auto same = std::find_if(
          leader_.entries.begin(), leader_.entries.end(),
          [&](const IndexEntry& e) { return e.digest == entry->digest; });
      if (same == leader_.entries.end()) {
        leader_.entries.push_back(*entry);
      } else {
        *same = *entry;
      }
    }
    leader_.log.push_back(std::move(change));
  }
  return leader_.head();
}

bool Database::StandbyLacksLongerLeaseThan(absl::Duration ttl) const {
  if (!standby_) return false;
  return std::any_of(
      leader_.rows.begin(), leader_.rows.end(), [&](const auto& row) {
        return standby_->rows.count(row.first) == 0 && row.second.ttl > ttl;
      });
}

void Database::FailOver() {
  deposed_ = leader_;
  if (standby_) {
    has_lost_ = true;
    leader_ = *std::exchange(standby_, absl::nullopt);
  }
  ++epoch_;
  leader_.timeline = absl::StrCat("0000000", epoch_ + 1);
}

bool Database::Register(const std::string& id, const std::string& timeline,
                        absl::Duration ttl) {
  if (leader_.timeline != timeline) return false;
  leader_.rows[id] = {{id, timeline, 0}, 0, ttl};
  return true;
}

RenewalOutcome Database::Renew(const ReplicaRow& row, int64_t acked,
                               int64_t applied, const DatabaseState& seen) {
  RenewalOutcome outcome;
  const auto found = leader_.rows.find(row.id);
  if (leader_.timeline != row.timeline ||
      (found != leader_.rows.end() &&
       found->second.row.timeline != row.timeline)) {
    outcome.refusal = RenewalRefusal::kOtherTimeline;
  } else if (found == leader_.rows.end()) {
    outcome.refusal = seen.head() < applied ? RenewalRefusal::kHistoryLost
                                            : RenewalRefusal::kRowGone;
  } else {
    ListedReplica& listed = found->second;
    Renewal& renewal = outcome.renewal.emplace();
    renewal.head = seen.head();
    renewal.lost_history = seen.lost_history;
    renewal.database_time = Clock();
    for (const auto& [id, other] : seen.rows) renewal.replicas.push_back(other);
    for (const Change& change : seen.log) {
      if (change.seq > applied) renewal.changes.push_back(change);
    }
    listed.acked = std::max(listed.acked, acked);
    renewal.renewals = ++listed.row.renewals;
  }
  return outcome;
}

AdoptionOutcome Database::AdoptTimeline(const ReplicaRow& row) {
  AdoptionOutcome outcome;
  const auto found = leader_.rows.find(row.id);
  if (found != leader_.rows.end()) {
    ReplicaRow& stored = found->second.row;
    const bool is_between =
        stored.timeline >= row.timeline && stored.timeline <= leader_.timeline;
    if (stored.renewals >= row.renewals && is_between) {
      stored.timeline = leader_.timeline;
      ++stored.renewals;
      outcome.row = stored;
      return outcome;
    }
  }
  const auto reaped = leader_.reaped.find(row.id);
  outcome.refusal =
      reaped != leader_.reaped.end() && reaped->second >= row.renewals
          ? AdoptionRefusal::kReaped
          : AdoptionRefusal::kHistoryLost;
  return outcome;
}

bool Database::Reap(const ReplicaRow& row) {
  const auto found = leader_.rows.find(row.id);
  if (found == leader_.rows.end() ||
      found->second.row.renewals != row.renewals ||
      found->second.row.timeline != row.timeline) {
    return false;
  }
  leader_.reaped[row.id] = row.renewals;
  leader_.rows.erase(found);
  return true;
}

absl::Status StoreFront::Fail(const char* what, const char* why) {
  epoch_ = -1;
  tally_.Count("exchanges that failed");
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat(what, " failed: ", why));
  }
  return absl::UnavailableError(why);
}

absl::Status StoreFront::Send(const char* what) {
  // A connection that is found dead before it is used is replaced.
  if (epoch_ != database_.epoch() && world_.draw().Chance(300)) epoch_ = -1;
  if (epoch_ < 0) {
    world_.Sleep(world_.Delay());
    if (!Reaches()) return Fail(what, "no database");
    epoch_ = database_.epoch();
  }
  world_.Sleep(world_.Delay());
  if (!Reaches()) {
    world_.Sleep(world_.Delay());
    return Fail(what, "the database is away");
  }
  return absl::OkStatus();
}

const DatabaseState* StoreFront::Readable() const {
  if (epoch_ == database_.epoch()) return &database_.leader();
  // A deposed primary that is still there.
  if (epoch_ == database_.epoch() - 1 && world_.draw().Chance(700)) {
    return &database_.deposed();
  }
  return nullptr;
}

template <typename T>
absl::StatusOr<T> StoreFront::Write(const char* what,
                                    std::function<T()> statement) {
  RETURN_IF_ERROR(Send(what));
  if (epoch_ != database_.epoch()) return Fail(what, "deposed primary");
  if (world_.draw().Chance(world_.weather().doubt_permille)) {
    switch (world_.draw().Below(3)) {
      case 0:
        break;
      case 1:
        // The answer is lost.
        statement();
        break;
      default:
        // It waits there, and is done though nobody waits for it any more. Not
        // if another server leads by then.
        tally_.Count("statements done late");
        world_.After(
            world_.draw().Below(world_.weather().ttl * 5 / 4),
            [this, &database = database_, epoch = epoch_, what, statement] {
              if (database.epoch() != epoch) return;
              world_.Trace(life_->name, absl::StrCat(what, ", done late"));
              statement();
            });
        break;
    }
    world_.Sleep(world_.Delay());
    return Fail(what, "in doubt");
  }
  T result = statement();
  world_.Sleep(world_.Delay());
  return result;
}

absl::StatusOr<FeedHead> StoreFront::LoadSnapshot(int64_t /*max_dead*/,
                                                  EntrySink sink) {
  RETURN_IF_ERROR(Send("load"));
  const DatabaseState* const state = Readable();
  if (state == nullptr) return Fail("load", "deposed primary");
  const FeedHead head = {state->head(), state->timeline, state->lost_history};
  for (const IndexEntry& entry : state->entries) sink({Share(entry)});
  world_.Sleep(world_.Delay());
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat("load: head ", head.seq,
                                           " timeline ", head.timeline));
  }
  return head;
}

absl::StatusOr<bool> StoreFront::Register(const std::string& id,
                                          const std::string& timeline,
                                          absl::Duration ttl) {
  absl::StatusOr<bool> registered =
      Write<bool>("register", [&database = database_, id, timeline, ttl] {
        return database.Register(id, timeline, ttl);
      });
  if (registered.ok() && !*registered) {
    tally_.Count("loads of another timeline");
  }
  return registered;
}

absl::StatusOr<RenewalOutcome> StoreFront::Renew(const ReplicaRow& row,
                                                 int64_t acked,
                                                 int64_t applied) {
  // Sometimes the statement waits, for a lock or for the standby, between its
  // snapshot and its effect.
  if (world_.draw().Chance(850)) {
    const absl::StatusOr<RenewalOutcome> outcome = Write<RenewalOutcome>(
        "renew", [&database = database_, row, acked, applied] {
          return database.Renew(row, acked, applied, database.leader());
        });
    if (world_.is_traced() && outcome.ok()) {
      world_.Trace(
          life_->name,
          absl::StrCat("renewed ", row.renewals, ": acked ", acked, ", ",
                       outcome->renewal
                           ? absl::StrCat("head ", outcome->renewal->head)
                           : "refused"));
    }
    return outcome;
  }
  RETURN_IF_ERROR(Send("renew"));
  if (epoch_ != database_.epoch()) return Fail("renew", "deposed primary");
  const DatabaseState seen = database_.leader();
  world_.Sleep(world_.Delay());
  if (epoch_ != database_.epoch() || !Reaches()) {
    return Fail("renew", "deposed primary");
  }
  RenewalOutcome outcome = database_.Renew(row, acked, applied, seen);
  world_.Sleep(world_.Delay());
  if (world_.draw().Chance(world_.weather().doubt_permille)) {
    return Fail("renew", "in doubt");
  }
  if (world_.is_traced()) {
    world_.Trace(life_->name, absl::StrCat("renewed slowly: acked ", acked,
                                           ", head ", seen.head()));
  }
  return outcome;
}

absl::StatusOr<AdoptionOutcome> StoreFront::AdoptTimeline(
    const ReplicaRow& row) {
  return Write<AdoptionOutcome>("adopt", [&database = database_, row] {
    return database.AdoptTimeline(row);
  });
}

absl::Status StoreFront::MarkHistoryLost(const std::string& what) {
  return Write<bool>("mark",
                     [&database = database_, what] {
                       if (!database.leader().lost_history) {
                         database.leader().lost_history = what;
                       }
                       return true;
                     })
      .status();
}

absl::Status StoreFront::Deregister(const std::string& id) {
  return Write<bool>("deregister",
                     [&database = database_, id] {
                       return database.leader().rows.erase(id) > 0;
                     })
      .status();
}

absl::StatusOr<bool> StoreFront::Reap(const ReplicaRow& row) {
  return Write<bool>(
      "reap", [&database = database_, row] { return database.Reap(row); });
}

}  // namespace wemasy::tokens::sim
