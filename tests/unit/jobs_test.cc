#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/jobs/maintenance.h"
#include "server/jobs/periodic.h"
#include "server/jobs/usage_flush.h"
#include "tests/support/fake_clock.h"

namespace wemasy::tokens {
namespace {

class ConstantRandom final : public RandomSource {
 public:
  explicit ConstantRandom(uint8_t byte) : byte_(byte) {}
  void Fill(absl::Span<uint8_t> bytes) override {
    std::fill(bytes.begin(), bytes.end(), byte_);
  }

 private:
  const uint8_t byte_;
};

class CountingSink final : public LogSink {
 public:
  void Write(absl::string_view line) override { text += std::string(line); }
  std::string text;
};

TokenId IdOf(uint8_t number) {
  ConstantRandom random(number);
  return TokenId::Generate(random);
}

class PeriodicJobsTest : public testing::Test {
 protected:
  PeriodicJob Counting(const std::string& name, absl::Duration interval,
                       int& runs) {
    return {name, interval, [&runs] {
              ++runs;
              return absl::OkStatus();
            }};
  }

  FakeBootClock clock_;
  ConstantRandom no_jitter_{0};
  CountingSink sink_;
  Logger logger_{LogSeverity::kInfo, absl::UnixEpoch, sink_};
};

TEST_F(PeriodicJobsTest, RunsEachJobAtItsInterval) {
  int fast = 0;
  int slow = 0;
  PeriodicJobs jobs({Counting("fast", absl::Seconds(10), fast),
                     Counting("slow", absl::Seconds(25), slow)},
                    clock_, no_jitter_, logger_);
  EXPECT_EQ(jobs.RunDue(), absl::Seconds(10));
  EXPECT_EQ(fast, 0);
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(absl::Seconds(10));
    jobs.RunDue();
  }
  EXPECT_EQ(fast, 5);
  // At 30 s, and then due at 55 s.
  EXPECT_EQ(slow, 1);
}

TEST_F(PeriodicJobsTest, JitterShortensByATenthAtMost) {
  int runs = 0;
  ConstantRandom most(0xFF);
  PeriodicJobs jobs({Counting("job", absl::Seconds(100), runs)}, clock_, most,
                    logger_);
  const absl::Duration wait = jobs.RunDue();
  EXPECT_GT(wait, absl::Seconds(90));
  EXPECT_LT(wait, absl::Seconds(90.01));
}

TEST_F(PeriodicJobsTest, FailureIsLoggedAndTheJobRunsAgain) {
  int runs = 0;
  PeriodicJobs jobs({{"trim", absl::Seconds(1),
                      [&runs] {
                        ++runs;
                        return absl::UnavailableError("no database");
                      }}},
                    clock_, no_jitter_, logger_);
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Seconds(1));
    jobs.RunDue();
  }
  EXPECT_EQ(runs, 2);
  EXPECT_NE(sink_.text.find("\"job\":\"trim\""), std::string::npos);
  EXPECT_NE(sink_.text.find("no database"), std::string::npos);
}

TEST_F(PeriodicJobsTest, StopDoesNotWaitForTheNextRun) {
  int runs = 0;
  PeriodicJobs jobs({Counting("job", absl::Hours(24), runs)}, clock_,
                    no_jitter_, logger_);
  const int reads = clock_.reads();
  jobs.Start();
  while (clock_.reads() == reads) std::this_thread::yield();
  absl::SleepFor(absl::Milliseconds(20));  // It waits by now, most likely.
  jobs.Stop();  // A wait of a day would be a timeout of this test.
  jobs.Stop();
  EXPECT_EQ(runs, 0);
}

class FakeUsageStore final : public UsageStore {
 public:
  absl::Status RecordUses(std::vector<TokenUse> uses, BootTime) override {
    batches.push_back(uses.size());
    if (!status.ok()) return status;
    for (const TokenUse& use : uses) recorded.push_back(use);
    return absl::OkStatus();
  }

  absl::Status status;
  std::vector<size_t> batches;
  std::vector<TokenUse> recorded;
};

// In the order of the numbers.
TokenId NumberedId(size_t number) {
  std::array<char, TokenId::kSize> bytes{};
  bytes[0] = static_cast<char>(number >> 16);
  bytes[1] = static_cast<char>(number >> 8);
  bytes[2] = static_cast<char>(number);
  return *TokenId::FromBytes({bytes.data(), bytes.size()});
}

class UsageFlushTest : public testing::Test {
 protected:
  std::vector<TokenUse> Drain() {
    std::vector<TokenUse> drained;
    drained.swap(marks_);
    return drained;
  }

  FakeBootClock clock_;
  FakeUsageStore store_;
  std::vector<TokenUse> marks_;
  UsageFlush flush_{[this] { return Drain(); }, store_, clock_};
};

TEST_F(UsageFlushTest, WritesWhatWasUsedOnce) {
  marks_ = {{IdOf(2), false, absl::FromUnixSeconds(60)},
            {IdOf(1), true, absl::FromUnixSeconds(120)}};
  ASSERT_TRUE(flush_.Flush(absl::Seconds(1)).ok());
  ASSERT_EQ(store_.recorded.size(), 2U);
  EXPECT_EQ(store_.recorded[0].token, IdOf(1));
  EXPECT_TRUE(store_.recorded[0].is_old);
  ASSERT_TRUE(flush_.Flush(absl::Seconds(1)).ok());
  EXPECT_EQ(store_.recorded.size(), 2U);
}

TEST_F(UsageFlushTest, KeepsTheLatestOfWhatCouldNotBeWritten) {
  store_.status = absl::UnavailableError("away");
  marks_ = {{IdOf(1), false, absl::FromUnixSeconds(120)}};
  EXPECT_EQ(flush_.Flush(absl::Seconds(1)).code(),
            absl::StatusCode::kUnavailable);
  store_.status = absl::OkStatus();
  marks_ = {{IdOf(1), false, absl::FromUnixSeconds(60)}};
  ASSERT_TRUE(flush_.Flush(absl::Seconds(1)).ok());
  ASSERT_EQ(store_.recorded.size(), 1U);
  EXPECT_EQ(store_.recorded[0].minute, absl::FromUnixSeconds(120));
}

TEST_F(UsageFlushTest, WritesInBatches) {
  for (size_t i = 0; i < 2500; ++i) {
    marks_.push_back({NumberedId(i), false, absl::UnixEpoch()});
  }
  ASSERT_TRUE(flush_.Flush(absl::Seconds(1)).ok());
  EXPECT_EQ(store_.batches, (std::vector<size_t>{1000, 1000, 500}));
}

TEST_F(UsageFlushTest, WhatIsKeptIsBounded) {
  store_.status = absl::UnavailableError("away");
  for (size_t i = 0; i < UsageFlush::kMaxPending + 7; ++i) {
    marks_.push_back({NumberedId(i), false, absl::UnixEpoch()});
  }
  EXPECT_FALSE(flush_.Flush(absl::Seconds(1)).ok());
  EXPECT_EQ(flush_.dropped(), 7);
}

// Fault: bound what is to be written, and not only what is kept.
TEST_F(UsageFlushTest, ADatabaseThatAnswersGetsAll) {
  for (size_t i = 0; i < UsageFlush::kMaxPending + 7; ++i) {
    marks_.push_back({NumberedId(i), false, absl::UnixEpoch()});
  }
  ASSERT_TRUE(flush_.Flush(absl::Seconds(1)).ok());
  EXPECT_EQ(store_.recorded.size(), UsageFlush::kMaxPending + 7);
  EXPECT_EQ(flush_.dropped(), 0);
}

class FakeMaintenanceStore final : public MaintenanceStore {
 public:
  explicit FakeMaintenanceStore(FakeBootClock& clock) : clock_(clock) {}

  absl::StatusOr<int64_t> TrimChangeLog(absl::Duration min_age,
                                        BootTime) override {
    trim_age = min_age;
    return Piece(changes);
  }
  absl::StatusOr<int64_t> PurgeTokens(absl::Duration min_age,
                                      BootTime) override {
    token_age = min_age;
    return Piece(tokens);
  }
  absl::StatusOr<int64_t> PurgeSecrets(absl::Duration min_age,
                                       BootTime) override {
    secret_age = min_age;
    if (!secrets_status.ok()) return secrets_status;
    return Piece(secrets);
  }

  absl::Status status;
  absl::Status secrets_status;
  int64_t changes = 0;
  int64_t tokens = 0;
  int64_t secrets = 0;
  absl::Duration trim_age;
  absl::Duration token_age;
  absl::Duration secret_age;
  std::function<void()> on_piece = [] {};

 private:
  // A thousand rows in a second.
  absl::StatusOr<int64_t> Piece(int64_t& rows) {
    if (!status.ok()) return status;
    on_piece();
    clock_.Advance(absl::Seconds(1));
    const int64_t removed = std::min<int64_t>(rows, 1000);
    rows -= removed;
    return removed;
  }

  FakeBootClock& clock_;
};

TEST(MaintenanceTest, TrimsWhatIsOlderThanTwentyMinutes) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  store.changes = 2500;
  Maintenance maintenance(store, clock);
  ASSERT_TRUE(maintenance.TrimChangeLog(absl::Minutes(1)).ok());
  EXPECT_EQ(store.changes, 0);
  EXPECT_EQ(store.trim_age, absl::Minutes(20));
}

TEST(MaintenanceTest, StopsWhenItsTimeIsOver) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  store.changes = 100'000;
  Maintenance maintenance(store, clock);
  ASSERT_TRUE(maintenance.TrimChangeLog(absl::Seconds(5)).ok());
  EXPECT_EQ(store.changes, 95'000);
}

// Fault: let a server that stops wait until all is done.
TEST(MaintenanceTest, BeginsNothingOnceItIsStopped) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  store.changes = 100'000;
  store.tokens = 3;
  Maintenance maintenance(store, clock);
  store.on_piece = [&] { maintenance.Stop(); };
  ASSERT_TRUE(maintenance.TrimChangeLog(absl::Seconds(5)).ok());
  EXPECT_EQ(store.changes, 99'000);
  ASSERT_TRUE(maintenance.Purge(absl::Seconds(5)).ok());
  EXPECT_EQ(store.tokens, 3);
}

// Fault: leave the tokens when the secrets fail, or take too long.
TEST(MaintenanceTest, SecretsDoNotKeepTokensFromBeingPurged) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  Maintenance maintenance(store, clock);
  store.secrets_status = absl::UnavailableError("too slow");
  store.tokens = 3;
  EXPECT_FALSE(maintenance.Purge(absl::Seconds(5)).ok());
  EXPECT_EQ(store.tokens, 0);

  store.secrets_status = absl::OkStatus();
  store.secrets = 100'000;
  store.tokens = 3;
  EXPECT_TRUE(maintenance.Purge(absl::Seconds(5)).ok());
  EXPECT_EQ(store.tokens, 0);
  EXPECT_LT(store.secrets, 100'000);
}

TEST(MaintenanceTest, PurgesTokensAfter400DaysAndSecretsAfter30) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  store.tokens = 3;
  store.secrets = 4;
  Maintenance maintenance(store, clock);
  ASSERT_TRUE(maintenance.Purge(absl::Minutes(1)).ok());
  EXPECT_EQ(store.tokens, 0);
  EXPECT_EQ(store.secrets, 0);
  EXPECT_EQ(store.token_age, absl::Hours(24 * 400));
  EXPECT_EQ(store.secret_age, absl::Hours(24 * 30));
}

TEST(MaintenanceTest, ReportsTheStoresFailure) {
  FakeBootClock clock;
  FakeMaintenanceStore store(clock);
  store.status = absl::UnavailableError("away");
  Maintenance maintenance(store, clock);
  EXPECT_EQ(maintenance.TrimChangeLog(absl::Minutes(1)).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(maintenance.Purge(absl::Minutes(1)).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wemasy::tokens
