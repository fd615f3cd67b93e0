// A replica's loads of its index from a real database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/civil_time.h"
#include "common/mutex.h"
#include "tests/integration/storage_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class StorageLoadTest : public ::testing::Test {
 protected:
  PostgresReplicaStore& replicas() { return database_.replicas(); }
  std::vector<IndexEntry> Load(int64_t max_dead, FeedHead* head = nullptr) {
    std::vector<IndexEntry> entries;
    Mutex mutex;
    auto loaded = replicas().LoadSnapshot(max_dead, [&](const auto& loaded) {
      MutexLock lock(&mutex);
      for (const SharedEntry& entry : loaded) {
        entries.push_back(Unshare(entry));
      }
    });
    EXPECT_OK(loaded);
    if (head != nullptr) *head = *std::move(loaded);
    return entries;
  }

  TestDatabase database_{&PostgresCluster::Shared()};
};

TEST_F(StorageLoadTest, ALoadHasTheLiveAndTheHead) {
  TokenRecord record = database_.MakeRecord();
  record.metadata = {{"k", "tab\there \"and\" back\\slash \xc3\xa9"}};
  record.creator = "user\\N\n1";
  record.expire_time = absl::FromUnixSeconds(4'000'000'000);
  SecretRecord old = database_.MakeSecret();
  ASSERT_OK(database_.Write(TestDatabase::Creation(record, old)));
  old.is_current = false;
  old.ends_at = absl::FromUnixSeconds(3'900'000'000);
  Mutation rotate;
  rotate.updated_secrets = {old};
  rotate.inserted_secrets = {{record.name, database_.MakeSecret()}};
  ASSERT_OK(database_.Write(rotate));

  FeedHead head;
  std::vector<IndexEntry> entries = Load(10, &head);
  EXPECT_EQ(head.seq, 2);
  EXPECT_EQ(head.timeline, kTimeline);
  EXPECT_FALSE(head.lost_history.has_value());
  ASSERT_THAT(entries, SizeIs(2));
  if (entries[0].is_old) std::swap(entries[0], entries[1]);
  const IndexEntry& current = entries[0];
  EXPECT_EQ(current.digest, rotate.inserted_secrets[0].secret.digest);
  EXPECT_TRUE(current.name == record.name);
  EXPECT_EQ(current.creator, record.creator);
  EXPECT_EQ(current.scopes, record.scopes);
  EXPECT_EQ(current.metadata, record.metadata);
  EXPECT_EQ(current.expire_time, record.expire_time);
  EXPECT_FALSE(current.dead_at.has_value());
  EXPECT_FALSE(current.is_old);
  EXPECT_EQ(entries[1].digest, old.digest);
  EXPECT_EQ(entries[1].expire_time, old.ends_at);
  EXPECT_TRUE(entries[1].is_old);
}

TEST_F(StorageLoadTest, ALoadHasTheDeadThatDiedLast) {
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  std::vector<TokenDigest> digests;
  for (int i = 0; i < 4; ++i) {
    TokenRecord record = database_.MakeRecord();
    const SecretRecord secret = database_.MakeSecret();
    digests.push_back(secret.digest);
    // The even ones by the token's revocation, the others by themselves.
    if (i % 2 == 0) {
      record.revocation = Revocation{start + absl::Seconds(i), "user-1",
                                     RevokeReason::kUnused, ""};
    }
    ASSERT_OK(database_.Write(TestDatabase::Creation(record, secret)));
    Mutation kill;
    kill.dead_secrets = {{secret.digest, start + absl::Seconds(i)}};
    if (i % 2 == 1) {
      ASSERT_OK(database_.Write(kill));
    }
  }
  EXPECT_THAT(Load(0), IsEmpty());
  const std::vector<IndexEntry> entries = Load(3);
  ASSERT_THAT(entries, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(entries[i].digest, digests[3 - i]);
    EXPECT_EQ(entries[i].dead_at, start + absl::Seconds(3 - i));
  }
}

// Fault: load all that expired since it was last purged.
TEST_F(StorageLoadTest, ALoadHasWhatExpiredInTheLast30Days) {
  TokenRecord recent = database_.MakeRecord();
  recent.expire_time = absl::Now() - absl::Hours(24 * 29);
  const SecretRecord secret = database_.MakeSecret();
  ASSERT_OK(database_.Write(TestDatabase::Creation(recent, secret)));
  TokenRecord old = database_.MakeRecord();
  old.expire_time = absl::Now() - absl::Hours(24 * 31);
  ASSERT_OK(
      database_.Write(TestDatabase::Creation(old, database_.MakeSecret())));
  const std::vector<IndexEntry> entries = Load(3);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].digest, secret.digest);
}

// More than both connections fetch at a time.
constexpr char kInsertMany[] =
    "INSERT INTO projects (id) VALUES ('demo');"
    "INSERT INTO tokens SELECT gen_random_uuid(), 'demo', 'n', '',"
    " '{a:b,c:d}', '{\"k\": \"v\"}', 'u' || i, now(), 'infinity', NULL, NULL,"
    " NULL, NULL, 'abcd', 1 FROM generate_series(1, 20000) i;"
    "INSERT INTO token_digests SELECT sha256(id::text::bytea), 1, id, true,"
    " 'infinity', NULL FROM tokens";

// Fault: both connections read the page between their halves, or none does.
TEST_F(StorageLoadTest, ALargeLoadHasEachEntryOnce) {
  database_.Sql(kInsertMany);
  std::set<std::string> creators;
  for (const IndexEntry& entry : Load(0)) {
    EXPECT_TRUE(creators.insert(entry.creator).second) << entry.creator;
  }
  EXPECT_THAT(creators, SizeIs(20000));
}

// Fault: the second connection takes a snapshot of its own.
TEST_F(StorageLoadTest, ALoadIsOfOneSnapshotThoughTokensAreMade) {
  std::atomic<bool> stopping{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    while (!stopping) {
      database_.MustCreate();
      ++written;
    }
  });
  for (int i = 0; i < 30 || written < 30; ++i) {
    FeedHead head;
    const std::vector<IndexEntry> entries = Load(0, &head);
    EXPECT_EQ(static_cast<int64_t>(entries.size()), head.seq);
  }
  stopping = true;
  writer.join();
}

// Faults: go on with the next row; forget the status of one of the halves.
TEST_F(StorageLoadTest, AMalformedEntryFailsTheLoad) {
  // In the first page and in the last one.
  for (const int number : {1, 20000}) {
    for (const absl::string_view wrong : {"project", "scopes", "metadata"}) {
      const auto text = [&](absl::string_view column, absl::string_view value) {
        return wrong == column
                   ? absl::StrCat("CASE i WHEN ", number, " THEN '?' ELSE '",
                                  value, "' END")
                   : absl::StrCat("'", value, "'");
      };
      database_.Sql(absl::StrCat(
          "TRUNCATE index_entries; INSERT INTO index_entries"
          " SELECT sha256(i::text::bytea), gen_random_uuid(), ",
          text("project", "demo"), ", 'u', ", text("scopes", "{a:b}"), ", ",
          text("metadata", "{}"),
          ", 'infinity', false, NULL FROM generate_series(1, 20000) i"));
      EXPECT_THAT(replicas().LoadSnapshot(0, [](const auto&) {}),
                  StatusIs(absl::StatusCode::kInternal))
          << wrong << " of " << number;
    }
  }
}

// Faults: a value that few have is overwritten by the next; the second thousand
// gets what the first had.
TEST_F(StorageLoadTest, ALoadKeepsDifferentValuesApart) {
  database_.Sql(
      "INSERT INTO index_entries SELECT sha256(i::text::bytea),"
      " gen_random_uuid(), 'demo', i::text, '{a:a,z:' || i || '}',"
      " '{\"k\": \"' || i || '\"}',"
      " '2090-01-02 03:04:05.678901+00'::timestamptz + i * interval '1 us',"
      " i % 2 = 0, NULL FROM generate_series(1, 20000) i");
  const absl::Time start = absl::FromCivil(
      absl::CivilSecond(2090, 1, 2, 3, 4, 5), absl::UTCTimeZone());
  const std::vector<IndexEntry> entries = Load(0);
  ASSERT_THAT(entries, SizeIs(20000));
  for (const IndexEntry& entry : entries) {
    int number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(entry.creator, &number));
    EXPECT_EQ(entry.digest, TokenDigest::Of(entry.creator));
    EXPECT_EQ(entry.scopes,
              ScopeSet({"a:a", absl::StrCat("z:", entry.creator)}));
    EXPECT_EQ(entry.metadata, (Metadata{{"k", entry.creator}}));
    EXPECT_EQ(entry.expire_time, start + absl::Microseconds(678'901 + number));
    EXPECT_EQ(entry.is_old, number % 2 == 0);
  }
}

// Fault: forget the status of one of the halves.
TEST_F(StorageLoadTest, ALoadThatLosesAConnectionFails) {
  database_.Sql(kInsertMany);
  for (const char* order : {"ASC", "DESC"}) {
    ASSERT_OK(replicas().Register(order, kTimeline, kTtl));
    std::atomic<int> begun{0};
    absl::Notification terminated;
    const auto head = replicas().LoadSnapshot(0, [&](const auto& /*entries*/) {
      // Once both are amid their halves.
      const int number = ++begun;
      if (number == 1) {
        EXPECT_TRUE(
            terminated.WaitForNotificationWithTimeout(absl::Seconds(20)));
      }
      if (number != 2) return;
      database_.Sql(absl::StrCat(
          "SELECT pg_terminate_backend(pid, 5000) FROM (SELECT pid FROM"
          " pg_stat_activity WHERE datname = current_database() AND pid <>"
          " pg_backend_pid() AND xact_start IS NOT NULL"
          " AND backend_type = 'client backend' ORDER BY backend_start ",
          order, " LIMIT 1) AS one"));
      terminated.Notify();
    });
    EXPECT_THAT(head, StatusIs(absl::StatusCode::kUnavailable)) << order;
    EXPECT_THAT(Load(0), SizeIs(20000));
  }
}

}  // namespace
}  // namespace wemasy::tokens
