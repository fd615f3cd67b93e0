// The small parts of the composition root.
#include <gtest/gtest.h>

#include <csignal>
#include <limits>
#include <map>
#include <string>

#include "server/database_options.h"
#include "server/index_metadata_room.h"
#include "server/make_authenticator.h"
#include "server/process.h"
#include "server/replica_watch.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"

namespace wemasy::tokens {
namespace {

std::string Joined(absl::string_view url, absl::string_view password) {
  return std::string(AddPassword(url, password).Reveal());
}

TEST(AddPasswordTest, KeepsTheFormOfTheUrl) {
  EXPECT_EQ(Joined("postgresql://u@h/d", "a/b&c d%"),
            "postgresql://u@h/d?password=a%2Fb%26c%20d%25");
  EXPECT_EQ(Joined("postgres:///d?host=/run", "x"),
            "postgres:///d?host=/run&password=x");
  EXPECT_EQ(Joined("host=h user=u", "it's \\ x"),
            "host=h user=u password='it\\'s \\\\ x'");
  EXPECT_EQ(Joined("postgresql://u:p@h/d", ""), "postgresql://u:p@h/d");
}

TEST(IsLastingRefusalTest, TellsRefusedFromAway) {
  const auto is_lasting = [](absl::string_view words) {
    return IsLastingRefusal(absl::UnavailableError(words));
  };
  EXPECT_TRUE(IsLastingRefusal(absl::FailedPreconditionError("too old")));
  EXPECT_TRUE(is_lasting("FATAL:  role \"x\" does not exist"));
  EXPECT_TRUE(is_lasting("FATAL:  database \"x\" does not exist"));
  EXPECT_TRUE(is_lasting("FATAL:  password authentication failed for user"));
  EXPECT_FALSE(is_lasting("FATAL:  the database system is starting up"));
  EXPECT_FALSE(is_lasting("FATAL:  sorry, too many clients already"));
  EXPECT_FALSE(is_lasting("connection refused"));
  EXPECT_FALSE(is_lasting("session is read-only"));
  EXPECT_FALSE(IsLastingRefusal(absl::OkStatus()));
}

TEST(DescriptorLimitTest, TooFewDescriptorsAreRefusedInWords) {
  EXPECT_OK(RaiseDescriptorLimit(1));
  const absl::Status refused =
      RaiseDescriptorLimit(std::numeric_limits<int>::max() / 2);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(refused.message().find("--max-connections: found 1073741823"),
            absl::string_view::npos)
      << refused;
}

TEST(IndexMetadataRoomTest, IsForWhatIsNewAndBelowTheBound) {
  TokenIndex index(
      [](const Metadata& metadata) { return metadata.begin()->second; });
  FakeRandom random;
  IndexEntry entry = MakeTestToken(random).entry;
  const auto put = [&](absl::string_view value) {
    entry.metadata = {{"tier", std::string(value)}};
    index.Put(entry);
  };
  const IndexMetadataRoom room(&index, TokenIndex::kMetadataNodeBytes + 6);
  EXPECT_EQ(room.max_bytes(), TokenIndex::kMetadataNodeBytes + 6);
  EXPECT_TRUE(room.HasRoomFor({{"tier", "gold"}}));
  put("blank");
  EXPECT_TRUE(room.HasRoomFor({{"tier", "gold"}}));
  put("silver");
  EXPECT_FALSE(room.HasRoomFor({{"tier", "gold"}}));
  EXPECT_TRUE(room.HasRoomFor({{"tier", "silver"}}));
  // The bound is none for what the database has.
  put("platinum");
  EXPECT_FALSE(room.HasRoomFor({{"tier", "gold"}}));
  EXPECT_TRUE(room.HasRoomFor({{"tier", "platinum"}}));
  index.Clear();
  EXPECT_TRUE(room.HasRoomFor({{"tier", "gold"}}));
}

TEST(StopRequestsTest, SignalIsAnOrderlyStop) {
  StopRequests stop;
  EXPECT_FALSE(stop.Wait(absl::ZeroDuration()));
  ASSERT_EQ(std::raise(SIGTERM), 0);
  EXPECT_TRUE(stop.Wait(absl::Seconds(10)));
  EXPECT_EQ(stop.code(), ExitCode::kOk);
  EXPECT_FALSE(stop.Wait(absl::ZeroDuration()));
}

TEST(StopRequestsTest, FirstRequestDecidesTheExitCode) {
  StopRequests stop;
  stop.Request(ExitCode::kLostHistory);
  stop.Request(ExitCode::kOk);
  EXPECT_TRUE(stop.Wait(absl::InfiniteDuration()));
  EXPECT_TRUE(stop.Wait(absl::InfiniteDuration()));
  EXPECT_EQ(stop.code(), ExitCode::kLostHistory);
}

class NullSink final : public LogSink {
 public:
  void Write(absl::string_view) override {}
};

class ReplicaWatchTest : public testing::Test {
 protected:
  // The code that the process would end with; nothing if it goes on.
  absl::optional<ExitCode> Stopped() {
    if (!stop_.Wait(absl::ZeroDuration())) return absl::nullopt;
    return stop_.code();
  }

  FakeBootClock clock_;
  NullSink sink_;
  Logger logger_{LogSeverity::kInfo, absl::UnixEpoch, sink_};
  StopRequests stop_;
  WaitMetrics waits_{{"acknowledged", "gone", "expired", "given_up"}};
  ReplicaWatch watch_{absl::Seconds(5), clock_, logger_, waits_, stop_};
};

TEST_F(ReplicaWatchTest, DatabaseIsReachedForAWhileAfterASyncPoint) {
  EXPECT_FALSE(watch_.reaches_database());
  watch_.OnSyncPoint(1, clock_.Now());
  EXPECT_TRUE(watch_.reaches_database());
  clock_.Advance(absl::Seconds(5));
  EXPECT_FALSE(watch_.reaches_database());
  watch_.OnSyncPoint(1, clock_.Now());
  watch_.OnFailure(absl::UnavailableError("away"));
  EXPECT_FALSE(watch_.reaches_database());
  EXPECT_EQ(Stopped(), absl::nullopt);
}

TEST_F(ReplicaWatchTest, UnfitDatabaseEndsAStartButNotARun) {
  const absl::Status unfit = absl::FailedPreconditionError("too old");
  watch_.OnLoaded(0, 0);
  watch_.OnFailure(unfit);
  EXPECT_EQ(Stopped(), absl::nullopt);
  ReplicaWatch starting(absl::Seconds(5), clock_, logger_, waits_, stop_);
  starting.OnFailure(absl::UnavailableError("away"));
  EXPECT_EQ(Stopped(), absl::nullopt);
  starting.OnFailure(unfit);
  EXPECT_EQ(Stopped(), ExitCode::kDatabaseRefused);
}

TEST_F(ReplicaWatchTest, StoppingIsNoFailure) {
  watch_.OnClosed(CloseReason::kStopped, "stopped");
  EXPECT_EQ(Stopped(), absl::nullopt);
}

TEST_F(ReplicaWatchTest, FailingClosedEndsTheProcess) {
  watch_.OnClosed(CloseReason::kHole, "no change 7");
  EXPECT_EQ(Stopped(), ExitCode::kFailedClosed);
}

TEST_F(ReplicaWatchTest, LostHistoryHasACodeOfItsOwn) {
  watch_.OnClosed(CloseReason::kHistoryLost, "head is 3, applied 5");
  EXPECT_EQ(Stopped(), ExitCode::kLostHistory);
}

TEST_F(ReplicaWatchTest, MetricsAreThere) {
  Lease lease;
  SampledMetrics metrics;
  const Barrier barrier(ReplicaOptions(), &clock_, &watch_);
  watch_.AddMetrics(lease, barrier, metrics);
  watch_.OnSyncPoint(9, clock_.Now());
  lease.PublishApplied(9);
  lease.Extend(clock_.Now() + absl::Seconds(3));
  std::map<std::string, double> values;
  for (const auto& family : metrics.Collect()) {
    const auto& first = family.metric.front();
    values[family.name] = first.gauge.value + first.counter.value;
  }
  EXPECT_EQ(values["tokend_lease_remaining_seconds"], 3);
  EXPECT_EQ(values["tokend_feed_applied_seq"], 9);
  EXPECT_EQ(values["tokend_feed_lag_seconds"], 0);
  EXPECT_EQ(values["tokend_database_reached"], 1);
}

TEST(MakeAuthenticatorTest, WhoMayComeWithoutTlsFollowsTheAddress) {
  const PeerNames plaintext;
  Settings settings;
  settings.listen = "127.0.0.1:7443";
  EXPECT_EQ((*MakeAuthenticator(settings))->Authenticate(plaintext)->identity,
            kLocalIdentity);
  settings.listen = "0.0.0.0:7443";
  EXPECT_EQ((*MakeAuthenticator(settings))->Authenticate(plaintext)->identity,
            kPlaintextIdentity);
  settings.tls_client_ca = "ca.crt";
  EXPECT_THAT((*MakeAuthenticator(settings))->Authenticate(plaintext),
              HasReason(ErrorReason::kCallerUnauthenticated));
  settings.roles = "no json";
  EXPECT_THAT(MakeAuthenticator(settings),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace wemasy::tokens
