// A server's writes that do not come from calls, by its own stores: renewals of
// a replica's row, and last uses.
//
//   store_bench CONNINFO
//
// Prints "ready" once a row is there. Each line of its input is one of
//
//   renew COUNT          renewals, one after another
//   use COUNT MINUTE     of so many tokens, the same ones every time, in that
//                        minute of the year 2020; in batches as a server's are
//
// and answered by the latencies in nanoseconds, a JSON array. Takes the row
// away when the input ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/crypto/random.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "server/coherence/replica_store.h"
#include "server/jobs/usage_flush.h"
#include "server/storage/connection_pool.h"
#include "server/storage/postgres_options.h"
#include "server/storage/postgres_replica_store.h"
#include "server/storage/postgres_usage_store.h"
#include "server/token/token_id.h"
#include "server/token/token_use.h"

namespace wemasy::tokens {
namespace {

class StoreBench {
 public:
  explicit StoreBench(const std::string& conninfo) {
    options_.conninfo = Secret(conninfo);
  }

  absl::Status Register() {
    Mutex mutex;
    ASSIGN_OR_RETURN(const FeedHead head,
                     replicas_.LoadSnapshot(0, [&](const auto& entries) {
                       MutexLock lock(&mutex);
                       for (const SharedEntry& entry : entries) {
                         tokens_.push_back(entry.name.token);
                       }
                     }));
    std::sort(tokens_.begin(), tokens_.end());
    SystemRandom random;
    row_ = {TokenId::Generate(random).ToString(), head.timeline, 0};
    acked_ = head.seq;
    ASSIGN_OR_RETURN(
        const bool registered,
        replicas_.Register(row_.id, row_.timeline, absl::Seconds(30)));
    return registered ? absl::OkStatus()
                      : absl::AbortedError("on another timeline now");
  }

  absl::Status Deregister() { return replicas_.Deregister(row_.id); }

  absl::Status Renew(int count) {
    for (int i = 0; i < count; ++i) {
      const BootTime begun = clock_.Now();
      ASSIGN_OR_RETURN(const RenewalOutcome outcome,
                       replicas_.Renew(row_, acked_, acked_));
      Took(begun);
      if (!outcome.renewal) return absl::NotFoundError("the row is gone");
      row_.renewals = outcome.renewal->renewals;
    }
    return absl::OkStatus();
  }

  absl::Status Use(size_t count, int minute) {
    if (count > tokens_.size()) return absl::OutOfRangeError("too few tokens");
    const absl::Time time =
        absl::FromCivil(absl::CivilMinute(2020, 1, 1), absl::UTCTimeZone()) +
        absl::Minutes(minute);
    for (size_t from = 0; from < count; from += UsageFlush::kBatchSize) {
      std::vector<TokenUse> uses;
      const size_t to = std::min(count, from + UsageFlush::kBatchSize);
      for (size_t i = from; i < to; ++i) {
        uses.push_back({tokens_[i], /*is_old=*/false, time});
      }
      const BootTime begun = clock_.Now();
      RETURN_IF_ERROR(
          usage_.RecordUses(std::move(uses), begun + absl::Seconds(30)));
      Took(begun);
    }
    return absl::OkStatus();
  }

  // Since the last call.
  std::string Latencies() {
    return absl::StrCat("[", absl::StrJoin(std::exchange(latencies_, {}), ","),
                        "]");
  }

 private:
  void Took(BootTime begun) {
    latencies_.push_back(absl::ToInt64Nanoseconds(clock_.Now() - begun));
  }

  const SystemBootClock clock_;
  PostgresOptions options_;
  ConnectionPool pool_{&options_, &clock_};
  PostgresReplicaStore replicas_{&options_, &clock_};
  PostgresUsageStore usage_{&pool_};
  ReplicaRow row_;
  int64_t acked_ = 0;
  std::vector<TokenId> tokens_;
  std::vector<int64_t> latencies_;
};

absl::Status Run(const std::string& conninfo) {
  StoreBench bench(conninfo);
  RETURN_IF_ERROR(bench.Register());
  std::cout << "ready" << std::endl;
  std::string command;
  int count = 0;
  int minute = 0;
  while (std::cin >> command >> count) {
    if (command == "renew") {
      RETURN_IF_ERROR(bench.Renew(count));
    } else if (command == "use" && std::cin >> minute) {
      RETURN_IF_ERROR(bench.Use(static_cast<size_t>(count), minute));
    } else {
      return absl::InvalidArgumentError("want `renew` or `use`");
    }
    std::cout << bench.Latencies() << std::endl;
  }
  return bench.Deregister();
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: store_bench CONNINFO\n";
    return 2;
  }
  const absl::Status status = wemasy::tokens::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "store_bench: " << status << "\n";
  return 1;
}
