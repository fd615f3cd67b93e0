// Which replica a client asks, and which one it watches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/cpp/replicas.h"
#include "client/cpp/token_client.h"
#include "common/token_format.h"
#include "tests/support/fake_random.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client_fake_replica.h"

namespace wemasy::tokens {
namespace {

// Waits for what comes about soon.
bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return false;
}

class ReplicasTest : public ::testing::Test {
 protected:
  static TokenClientOptions ClientOptions(
      const std::vector<std::string>& targets) {
    TokenClientOptions options;
    options.targets = targets;
    // Half of it is for one attempt.
    options.timeout = absl::Seconds(20);
    return options;
  }
  // Whether an answer is kept.
  bool Keeps(TokenClient& client) {
    if (!client.Allows(token_)) return false;
    const auto again = client.Validate(token_);
    return again.ok() && again->is_from_memory;
  }
  absl::Status Ask(Replicas& replicas) {
    return replicas.Validate(token_, 0, absl::Seconds(10)).status();
  }

  SystemBootClock clock_;
  FakeRandom random_;
  const std::string token_{GenerateToken(random_).Reveal()};
  FakeReplica one_;
  FakeReplica other_;
  const std::vector<std::string> targets_{one_.target(), other_.target()};
};

// Fault: take CANCELLED, which a server that shuts down says, for an answer.
TEST_F(ReplicasTest, AnotherReplicaIsAskedIfOneCannotAnswer) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED}) {
    one_.outcome = code;
    Replicas replicas(targets_, nullptr, &clock_);
    replicas.Prefer(0);
    EXPECT_OK(Ask(replicas));
  }
  one_.outcome = grpc::StatusCode::PERMISSION_DENIED;
  Replicas replicas(targets_, nullptr, &clock_);
  replicas.Prefer(0);
  EXPECT_THAT(Ask(replicas), StatusIs(absl::StatusCode::kPermissionDenied));
}

// Fault: all clients begin with the same replica.
TEST_F(ReplicasTest, ClientsBeginWithAnyReplica) {
  for (int i = 0; i < 40; ++i) {
    Replicas replicas(targets_, nullptr, &clock_);
    ASSERT_OK(Ask(replicas));
  }
  EXPECT_GT(one_.asked(), 0);
  EXPECT_GT(other_.asked(), 0);
}

// Fault: forget which replica answered.
TEST_F(ReplicasTest, WithoutASessionTheReplicaThatAnsweredIsAskedFirst) {
  one_.outcome = grpc::StatusCode::UNAVAILABLE;
  Replicas replicas(targets_, nullptr, &clock_);
  // Its session has ended.
  replicas.Prefer(0);
  replicas.Prefer(absl::nullopt);
  for (int i = 0; i < 10; ++i) ASSERT_OK(Ask(replicas));
  EXPECT_EQ(one_.asked(), 1);
}

// Fault: ask another one from then on, whose answers cannot be kept.
TEST_F(ReplicasTest, WithASessionItsReplicaIsAskedFirst) {
  Replicas replicas(targets_, nullptr, &clock_);
  replicas.Prefer(0);
  one_.outcome = grpc::StatusCode::UNAVAILABLE;
  ASSERT_OK(Ask(replicas));
  EXPECT_EQ(other_.asked(), 1);
  one_.outcome = grpc::StatusCode::OK;
  ASSERT_OK(Ask(replicas));
  EXPECT_EQ(other_.asked(), 1);
}

// Fault: ask one target once.
TEST_F(ReplicasTest, OneTargetMayLeadToAReplicaThatAnswers) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED}) {
    FakeReplica both;
    both.outcome_at_first_connection = code;
    Replicas replicas({both.target()}, nullptr, &clock_);
    EXPECT_OK(Ask(replicas));
    EXPECT_OK(Ask(replicas));
    EXPECT_EQ(both.asked(), 4);
  }
}

// Fault: stay with a replica for as long as the connection lasts.
TEST_F(ReplicasTest, OneTargetMayLeadToAReplicaThatGivesLeave) {
  FakeReplica both;
  both.outcome_at_first_connection = grpc::StatusCode::UNAVAILABLE;
  TokenClient client(ClientOptions({both.target()}));
  EXPECT_TRUE(client.Allows(token_));
  EXPECT_TRUE(Eventually([&] { return Keeps(client); }));
}

// Fault: take a list of addresses for one replica.
TEST_F(ReplicasTest, OneTargetMayBeAListOfAddresses) {
  one_.outcome = grpc::StatusCode::UNAVAILABLE;
  one_.gives_leave = false;
  TokenClient client(ClientOptions(
      {absl::StrCat("ipv4:", one_.target(), ",", other_.target())}));
  EXPECT_TRUE(client.Allows(token_));
  EXPECT_TRUE(Eventually([&] { return Keeps(client); }));
}

// Fault: stay with a replica that gives no leave.
TEST_F(ReplicasTest, AReplicaThatGivesNoLeaveIsLeft) {
  one_.gives_leave = false;
  other_.gives_leave = false;
  TokenClient client(ClientOptions(targets_));
  ASSERT_TRUE(
      Eventually([&] { return one_.streams() + other_.streams() == 1; }));
  FakeReplica& watched = one_.streams() == 1 ? one_ : other_;
  FakeReplica& better = one_.streams() == 1 ? other_ : one_;
  better.gives_leave = true;
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  // It gave leave, and does so no more.
  watched.gives_leave = true;
  better.gives_leave = false;
  ASSERT_TRUE(Eventually([&] { return !client.has_lease(); }));
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  EXPECT_EQ(watched.streams(), 1);
}

// Fault: leave a replica, and what was kept, at once.
TEST_F(ReplicasTest, AReplicaThatGivesNoLeaveForAMomentIsNotLeft) {
  TokenClient client(ClientOptions(targets_));
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  one_.gives_leave = false;
  other_.gives_leave = false;
  ASSERT_TRUE(Eventually([&] { return !client.has_lease(); }));
  // Some pings later.
  absl::SleepFor(absl::Milliseconds(500));
  one_.gives_leave = true;
  other_.gives_leave = true;
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  EXPECT_EQ(client.stats().sessions, 1);
}

// Fault: ask a server, which cannot even read it.
TEST_F(ReplicasTest, TheEndOfAMalformedTokenIsToldWithoutAServer) {
  TokenClient client(ClientOptions({"127.0.0.1:1"}));
  for (const std::string& token :
       {std::string("\xff"), std::string(kTokenLength, '\xff'),
        std::string(8 << 20, 'a')}) {
    absl::Notification ended;
    const TokenSubscription subscription =
        client.OnRevoked(token, [&] { ended.Notify(); });
    EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(20)));
  }
}

}  // namespace
}  // namespace wemasy::tokens
