// A database as a replica sees it, in memory, with failures to order.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_REPLICA_STORE_H_
#define WEMASY_TESTS_SUPPORT_FAKE_REPLICA_STORE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "server/coherence/replica_store.h"

namespace wemasy::tokens {

// Not thread-safe.
class FakeReplicaStore final : public ReplicaStore {
 public:
  // What the database holds. Tests change it as they like.
  std::vector<IndexEntry> snapshot;
  // As the feed has them; `seq` of the last is the head unless `head` is set.
  std::vector<Change> log;
  int64_t head = 0;
  std::string timeline = "00000001";
  absl::optional<std::string> lost_history;
  std::map<std::string, ReplicaRow> rows;
  // How long each replica's leases may last.
  std::map<std::string, absl::Duration> ttls;
  // What each replica has acknowledged.
  std::map<std::string, int64_t> acked;
  // The renewals of rows that were reaped.
  std::map<std::string, int64_t> reaped;
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);

  // Called before every method with its name; what it returns, if not OK, is
  // the method's answer, and nothing else happens.
  std::function<absl::Status(const std::string&)> before = [](auto&) {
    return absl::OkStatus();
  };
  std::vector<std::string> calls;

  // Appends a change that puts `entry`.
  void AppendPut(const IndexEntry& entry) {
    Change change;
    change.seq = ++head;
    change.operation = ChangeOperation::kPut;
    change.entry = entry;
    log.push_back(change);
  }

  absl::StatusOr<FeedHead> LoadSnapshot(int64_t /*max_dead*/,
                                        EntrySink sink) override {
    if (auto status = Begin("LoadSnapshot"); !status.ok()) return status;
    for (const IndexEntry& entry : snapshot) sink({Share(entry)});
    return FeedHead{head, timeline, lost_history};
  }

  absl::StatusOr<bool> Register(const std::string& id,
                                const std::string& loaded_on,
                                absl::Duration ttl) override {
    if (auto status = Begin("Register"); !status.ok()) return status;
    if (loaded_on != timeline) return false;
    rows[id] = {id, timeline, 0};
    ttls[id] = ttl;
    return true;
  }

  absl::StatusOr<RenewalOutcome> Renew(const ReplicaRow& row, int64_t now_acked,
                                       int64_t applied) override {
    if (auto status = Begin("Renew"); !status.ok()) return status;
    RenewalOutcome outcome;
    const auto found = rows.find(row.id);
    const bool is_moved =
        found != rows.end() && found->second.timeline != row.timeline;
    if (row.timeline != timeline || is_moved) {
      outcome.refusal = RenewalRefusal::kOtherTimeline;
    } else if (found == rows.end()) {
      outcome.refusal = head < applied ? RenewalRefusal::kHistoryLost
                                       : RenewalRefusal::kRowGone;
    } else {
      outcome.renewal.emplace();
      outcome.renewal->head = head;
      outcome.renewal->lost_history = lost_history;
      outcome.renewal->database_time = now;
      for (const auto& [id, listed] : rows) {
        outcome.renewal->replicas.push_back({listed, acked[id], ttls[id]});
      }
      acked[row.id] = std::max(acked[row.id], now_acked);
      outcome.renewal->renewals = ++found->second.renewals;
      for (const Change& change : log) {
        if (change.seq <= applied) continue;
        if (outcome.renewal->changes.size() == kChangesPerRenewal) break;
        outcome.renewal->changes.push_back(change);
      }
    }
    return outcome;
  }

  absl::StatusOr<AdoptionOutcome> AdoptTimeline(
      const ReplicaRow& row) override {
    if (auto status = Begin("AdoptTimeline"); !status.ok()) return status;
    AdoptionOutcome outcome;
    const auto found = rows.find(row.id);
    if (found != rows.end() && found->second.renewals >= row.renewals) {
      found->second.timeline = timeline;
      ++found->second.renewals;
      outcome.row = found->second;
      return outcome;
    }
    const auto was_reaped = reaped.find(row.id);
    outcome.refusal =
        was_reaped != reaped.end() && was_reaped->second >= row.renewals
            ? AdoptionRefusal::kReaped
            : AdoptionRefusal::kHistoryLost;
    return outcome;
  }

  absl::Status MarkHistoryLost(const std::string& what) override {
    if (auto status = Begin("MarkHistoryLost"); !status.ok()) return status;
    if (!lost_history) lost_history = what;
    return absl::OkStatus();
  }

  absl::Status Deregister(const std::string& id) override {
    if (auto status = Begin("Deregister"); !status.ok()) return status;
    rows.erase(id);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Reap(const ReplicaRow& row) override {
    if (auto status = Begin("Reap"); !status.ok()) return status;
    const auto found = rows.find(row.id);
    if (found == rows.end() || found->second.renewals != row.renewals ||
        found->second.timeline != row.timeline) {
      return false;
    }
    reaped[row.id] = found->second.renewals;
    rows.erase(found);
    return true;
  }

 private:
  absl::Status Begin(const std::string& method) {
    calls.push_back(method);
    return before(method);
  }
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_REPLICA_STORE_H_
