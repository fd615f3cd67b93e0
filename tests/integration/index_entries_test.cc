// What an index load reads, against the tables that it is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/lifecycle/token_lifecycle.h"
#include "server/storage/schema_version.h"
#include "tests/integration/storage_fixture.h"
#include "tests/support/fake_metadata_room.h"

namespace wemasy::tokens {
namespace {

// The entries by a join of the tables, as the load of schema 5 read them.
constexpr char kReference[] =
    "SELECT d.digest, d.token_id, t.project, t.creator, t.scopes::text,"
    " t.metadata::text, LEAST(t.expire_time, d.ends_at), NOT d.is_current,"
    " LEAST(d.dead_at, t.revoke_time)"
    " FROM token_digests d JOIN tokens t ON t.id = d.token_id";

constexpr char kEntries[] =
    "SELECT digest, token_id, project, creator, scopes, metadata, expire_time,"
    " is_old, dead_at FROM index_entries";

// The version of the schema that has none yet.
constexpr size_t kBefore = 5;
const size_t kLatest = static_cast<size_t>(MaxSchemaVersion());

// Two tokens, one revoked, with a current and an old secret each, as the schema
// before has them.
constexpr char kTwoTokens[] =
    "INSERT INTO projects (id) VALUES ('demo');"
    "INSERT INTO tokens SELECT gen_random_uuid(), 'demo', 'n', '',"
    " '{a:b,c:d}', '{\"k\": \"v\"}', creator, now(), 'infinity', revoked,"
    " revoker, reason, comment, 'abcd', 1 FROM (VALUES"
    " ('one', NULL, NULL, NULL::smallint, NULL),"
    " ('two', now(), 'user-1', 1, '')) AS v"
    " (creator, revoked, revoker, reason, comment);"
    "INSERT INTO token_digests SELECT sha256((id || ' ' || c)::bytea), 1, id, "
    "c,"
    " 'infinity', NULL FROM tokens, (VALUES (true), (false)) AS v (c)";

// How many rows only one of the two has.
std::string CountDifferences(TestDatabase& database) {
  return database.Sql(absl::StrCat(
      "WITH wanted AS (", kReference, "), found AS (", kEntries,
      ") SELECT count(*) FROM ((TABLE wanted EXCEPT ALL TABLE found) UNION ALL"
      " (TABLE found EXCEPT ALL TABLE wanted)) AS different"));
}

class NoBarrier final : public ChangeBarrier {
 public:
  absl::StatusOr<BarrierReceipt> Await(const CommitStamp&,
                                       const Patience&) override {
    return BarrierReceipt();
  }
};

// Does at random what callers, jobs and the time do to tokens.
class History {
 public:
  History(TestDatabase* database, uint64_t seed)
      : database_(*database), random_(seed) {}

  void Step() {
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        Create();
        break;
      case 3:
      case 4:
        Update();
        break;
      case 5:
      case 6:
      case 7:
        Rotate();
        break;
      case 8:
        Note("revoke",
             lifecycle_.Revoke(Context(), {NameOfAny(), "user-2",
                                           RevokeReason::kUnused, "gone"}));
        break;
      case 9:
        RevokeLeaked();
        break;
      case 10:
        PassTime();
        break;
      default:
        Purge();
        break;
    }
  }

  // How often each step did something.
  const std::map<std::string, int>& done() const { return done_; }

 private:
  size_t Below(size_t limit) {
    uint8_t byte = 0;
    random_.Fill(absl::MakeSpan(&byte, 1));
    return byte % limit;
  }
  CallContext Context() { return {database_.Soon(), "spiffe://test/ui", "c"}; }
  std::string NameOfAny() {
    return names_.empty() ? "projects/demo/tokens/none"
                          : names_[Below(names_.size())];
  }
  template <typename T>
  void Note(const char* step, const absl::StatusOr<T>& result) {
    // Many of them come too late for their token.
    if (result.ok()) ++done_[step];
  }
  std::vector<std::string> AnyScopes() {
    return {"pages:read", absl::StrCat("scope:", Below(5))};
  }
  Metadata AnyMetadata() {
    return {{"tier", absl::StrCat("\"quoted\" ", Below(5))}};
  }

  void Create() {
    CreateRequest request;
    request.parent = Below(3) == 0 ? "projects/other" : "projects/demo";
    request.display_name = "token";
    request.scopes = AnyScopes();
    request.metadata = AnyMetadata();
    request.actor = absl::StrCat("user-", Below(3));
    if (Below(2) == 0) request.expire_time = absl::Now() + absl::Hours(30);
    if (Below(3) == 0) {
      // Some of them come twice, and are issued anew.
      request.request_id =
          absl::StrCat("0b3fe2b5-7ab1-4c3e-8f2a-00000000000", Below(4));
      request.scopes = {"pages:read"};
      request.metadata.clear();
      request.expire_time.reset();
      request.actor = "user-1";
    }
    auto issued = lifecycle_.Create(Context(), request);
    Note("create", issued);
    if (issued.ok()) Keep(*issued);
  }

  void Update() {
    UpdateRequest request;
    request.name = NameOfAny();
    request.actor = "user-3";
    request.display_name = absl::StrCat("name ", Below(100));
    if (Below(2) == 0) request.scopes = AnyScopes();
    if (Below(2) == 0) request.metadata = AnyMetadata();
    if (Below(3) == 0) {
      request.expire_time = Below(2) == 0
                                ? absl::InfiniteFuture()
                                : absl::Now() + absl::Hours(1 + Below(40));
    }
    const auto updated = lifecycle_.Update(Context(), request);
    Note("update", updated);
    if (request.scopes) Note("update scopes", updated);
    if (request.metadata) Note("update metadata", updated);
    if (request.expire_time) Note("update expiry", updated);
  }

  void Rotate() {
    const absl::Duration graces[] = {absl::ZeroDuration(), absl::Hours(5),
                                     absl::Hours(100)};
    auto issued = lifecycle_.Rotate(
        Context(), {NameOfAny(), "user-4", graces[Below(3)], ""});
    Note("rotate", issued);
    if (issued.ok()) Keep(*issued);
  }

  // By secrets of tokens that live, and of some that were replaced.
  void RevokeLeaked() {
    if (digests_.empty()) return;
    LeakRequest request;
    request.actor = "security";
    for (int i = 0; i < 2; ++i) {
      LeakEvidence evidence;
      evidence.kind = LeakEvidence::Kind::kSha256;
      evidence.sha256 = digests_[Below(digests_.size())];
      request.leaked.push_back(std::move(evidence));
    }
    Note("revoke leaked", lifecycle_.RevokeLeaked(Context(), request));
  }

  void PassTime() {
    database_.Sql(
        "UPDATE tokens SET create_time = create_time - interval '9h',"
        " expire_time = expire_time - interval '9h',"
        " revoke_time = revoke_time - interval '9h';"
        "UPDATE token_digests SET ends_at = ends_at - interval '9h',"
        " dead_at = dead_at - interval '9h'");
  }

  void Purge() {
    const auto secrets =
        database_.maintenance().PurgeSecrets(absl::Hours(10), database_.Soon());
    if (secrets.ok() && *secrets > 0) ++done_["purge secrets"];
    const auto tokens =
        database_.maintenance().PurgeTokens(absl::Hours(30), database_.Soon());
    if (tokens.ok() && *tokens > 0) ++done_["purge tokens"];
  }

  void Keep(const IssuedToken& issued) {
    names_.push_back(issued.token.record.name.ToString());
    digests_.emplace_back(TokenDigest::Of(issued.secret.Reveal()).bytes());
  }

  TestDatabase& database_;
  FakeRandom random_;
  NoBarrier barrier_;
  FakeMetadataRoom room_;
  TokenLifecycle lifecycle_{&database_.tokens(), &barrier_, &room_,
                            &database_.clock(),  &random_,  LifecycleLimits()};
  std::vector<std::string> names_;
  std::vector<std::string> digests_;
  std::map<std::string, int> done_;
};

class IndexEntriesTest : public ::testing::Test {
 protected:
  void MigrateTo(size_t version) {
    std::vector<Migration> migrations = EmbeddedMigrations();
    if (version < migrations.size()) migrations.resize(version);
    EXPECT_OK(Migrator(&database_.options(), &database_.clock(), migrations)
                  .Migrate(""));
  }

  TestDatabase database_{&PostgresCluster::Shared(), /*migrate=*/false};
};

// Faults: leave out any of the triggers, or one of the columns in them.
TEST_F(IndexEntriesTest, AnyHistoryLeavesWhatTheTablesSay) {
  MigrateTo(kLatest);
  std::map<std::string, int> done;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    History history(&database_, seed);
    for (int i = 0; i < 100; ++i) {
      history.Step();
      ASSERT_EQ(CountDifferences(database_), "0")
          << "seed " << seed << " step " << i;
    }
    for (const auto& [step, count] : history.done()) done[step] += count;
  }
  for (const char* step :
       {"create", "update", "update scopes", "update metadata", "update expiry",
        "rotate", "revoke", "revoke leaked", "purge secrets", "purge tokens"}) {
    EXPECT_GT(done[step], 0) << step;
  }
  EXPECT_NE(database_.Sql("SELECT count(*) FROM index_entries"), "0");
}

// Fault: fill it from the live only.
TEST_F(IndexEntriesTest, TheMigrationFillsIt) {
  MigrateTo(kBefore);
  database_.Sql(kTwoTokens);
  MigrateTo(kLatest);
  EXPECT_EQ(CountDifferences(database_), "0");
  EXPECT_EQ(database_.Sql("SELECT count(*), count(dead_at) FROM index_entries"),
            "4|2");
}

// Fault: leave one of them as it was, or make the last one of a token another.
TEST_F(IndexEntriesTest, AMigrationTellsReplacedSecretsFromTheLast) {
  MigrateTo(6);
  database_.Sql(kTwoTokens);
  // As a server of the release before replaced the secrets of one of them,
  // twice, and revoked the other.
  database_.Sql(
      "UPDATE token_digests SET dead_at = now() - interval '2 hours'"
      " WHERE is_current;"
      "INSERT INTO token_digests SELECT sha256('second'), 1, id, true,"
      " 'infinity', now() - interval '1 hour' FROM tokens"
      " WHERE creator = 'one';"
      "INSERT INTO token_digests SELECT sha256('third'), 1, id, true,"
      " 'infinity' FROM tokens WHERE creator = 'one'");
  MigrateTo(kLatest);
  EXPECT_EQ(database_.Sql("SELECT string_agg(creator || ' ' ||"
                          " (digest = sha256('third'))::text, ', '"
                          " ORDER BY creator)"
                          " FROM token_digests d JOIN tokens t"
                          " ON t.id = d.token_id WHERE is_current"),
            "one true, two false");
  EXPECT_EQ(CountDifferences(database_), "0");
}

// Fault: leave out what makes up for changes after the fill.
TEST_F(IndexEntriesTest, AChangeDuringTheMigrationIsNotForgotten) {
  MigrateTo(kBefore);
  database_.Sql(kTwoTokens);
  Watchdog watchdog(&database_.clock());
  database_.options().idle_in_transaction_timeout = absl::Minutes(1);
  auto other = PostgresConnection::Open(
      database_.options(), &watchdog, PostgresConnection::Purpose::kMigration);
  ASSERT_OK(other);
  ASSERT_OK((*other)->Begin(PostgresConnection::Isolation::kReadCommitted));
  // As a server of the release before would.
  ASSERT_OK((*other)->ExecuteScript(
      "change",
      "UPDATE tokens SET scopes = '{z:z}' WHERE creator = 'one';"
      "INSERT INTO token_digests SELECT sha256('new'), 1, id, false, 'infinity'"
      " FROM tokens WHERE creator = 'one';"
      "UPDATE change_head SET seq = 1;"
      "INSERT INTO change_log (seq, operation, commit_time, token_id)"
      " SELECT 1, 2, now(), id FROM tokens WHERE creator = 'one'"));
  std::thread migration([&] { MigrateTo(kLatest); });
  // It has filled the table when it waits for the lock.
  while (database_.Sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND"
                       " relation = 'tokens'::regclass") == "0") {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_OK((*other)->Commit());
  migration.join();
  EXPECT_EQ(CountDifferences(database_), "0");
  EXPECT_EQ(database_.Sql("SELECT count(*) FROM index_entries"
                          " WHERE scopes = '{z:z}'"),
            "3");
}

}  // namespace
}  // namespace wemasy::tokens
