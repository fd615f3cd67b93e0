// AuthService.Watch over loopback: by hand, and by the client library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "client/cpp/token_client.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/api_server_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;

constexpr char kRoles[] =
    R"({"bindings": [{"identity": "local", "roles": ["validator"]}]})";
constexpr char kNoRoles[] =
    R"({"bindings": [{"identity": "local", "roles": ["manager"]}]})";

// Waits for what comes about soon.
bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

class WatchTest : public ApiServerTest {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::WatchRequest, v1::WatchResponse>;

  void Open() {
    HoldLease();
    hub_.Open({"one", "00000001"}, 0);
  }
  // What a sync point does with a change.
  void Apply(const IndexEntry& entry) {
    Change change;
    change.seq = ++seq_;
    change.operation = ChangeOperation::kPut;
    change.entry = entry;
    index_.Put(entry);
    hub_.Queue(change);
    lease_.PublishApplied(seq_);
    hub_.Deliver();
  }
  void Revoke(TestToken& token) {
    token.entry.dead_at = absl::FromUnixSeconds(1'800'000'000);
    Apply(token.entry);
  }
  v1::ValidateResponse Ask(const v1::ValidateRequest& request) {
    grpc::ClientContext context;
    v1::ValidateResponse response;
    EXPECT_TRUE(auth_stub_->Validate(&context, request, &response).ok());
    return response;
  }
  TokenClientOptions ClientOptions() {
    TokenClientOptions options;
    options.targets = {target_};
    // Half of it is for one attempt.
    options.timeout = absl::Seconds(20);
    return options;
  }

  int64_t seq_ = 0;
};

TEST_F(WatchTest, TellsOfChangesAndGrantsInTheirOrder) {
  Serve(kRoles);
  Open();
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.hello().incarnation(), "one");
  EXPECT_EQ(response.hello().change_number(), 0);
  Apply(token_.entry);
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.changes().changes_size(), 1);
  EXPECT_EQ(response.changes().changes(0).token(), name_);
  EXPECT_TRUE(response.changes().changes(0).is_live());

  v1::WatchRequest request;
  request.set_ping_number(5);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.grant().ping_number(), 5);
  EXPECT_EQ(response.grant().ttl().seconds(), 2);
  EXPECT_EQ(response.grant().change_number(), 1);
  EXPECT_EQ(hub_.Acked(1), 0);
  request.set_acknowledged_change_number(1);
  ASSERT_TRUE(stream->Write(request));
  EXPECT_TRUE(Eventually([this] { return hub_.Acked(1) == 1; }));
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(Eventually([this] { return hub_.streams() == 0; }));
}

TEST_F(WatchTest, TellsOnlyOfWhatWasValidatedIfAskedTo) {
  Serve(kRoles);
  Open();
  const TestToken other = MakeTestToken(random_, "shop");
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  const int64_t number = response.hello().stream_number();
  EXPECT_GE(number, 1);
  v1::WatchRequest request;
  request.set_ping_number(1);
  request.set_only_validated(true);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_TRUE(response.has_grant());

  Apply(token_.entry);
  Apply(other.entry);
  EXPECT_EQ(hub_.Acked(2), 2);
  v1::ValidateRequest validate;
  validate.set_token(std::string(token_.secret.Reveal()));
  validate.set_report_freshness(true);
  validate.set_watch_stream_number(number + 1);
  EXPECT_EQ(Ask(validate).freshness().watch_stream_number(), 0);
  validate.set_watch_stream_number(number);
  EXPECT_EQ(Ask(validate).freshness().watch_stream_number(), number);
  Apply(other.entry);
  Apply(token_.entry);
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.changes().changes_size(), 1);
  EXPECT_EQ(response.changes().changes(0).change_number(), 4);
  EXPECT_EQ(response.changes().changes(0).previous_change_number(), 0);
  EXPECT_EQ(response.changes().changes(0).token(), name_);
  context.TryCancel();
  stream->Finish();
}

TEST_F(WatchTest, AcknowledgingWhatWasNotToldEndsTheStream) {
  Serve(kRoles);
  Open();
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  v1::WatchRequest request;
  request.set_acknowledged_change_number(1);
  ASSERT_TRUE(stream->Write(request));
  v1::WatchResponse response;
  while (stream->Read(&response)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "FIELD_INVALID");
}

TEST_F(WatchTest, RequestsOfANewerClientAreIgnored) {
  Serve(kRoles);
  Open();
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  ASSERT_TRUE(stream->Write(v1::WatchRequest()));
  v1::WatchRequest request;
  request.set_ping_number(1);
  ASSERT_TRUE(stream->Write(request));
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_grant());
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(WatchTest, NeedsTheRole) {
  Serve(kNoRoles);
  Open();
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  v1::WatchResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(status), "ROLE_MISSING");
}

TEST_F(WatchTest, EndsWhenTheReplicaLeaves) {
  Serve(kRoles);
  Open();
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = auth_stub_->Watch(&context);
  v1::WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  hub_.Close();
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "LEASE_NOT_HELD");
}

// Fault: take the read that ends with the client for a client that has ended
// its side.
TEST_F(WatchTest, IsReportedAsItEnded) {
  Serve(kRoles);
  Open();
  v1::WatchResponse response;
  grpc::ClientContext cancelled;
  const std::unique_ptr<Stream> vanishing = auth_stub_->Watch(&cancelled);
  ASSERT_TRUE(vanishing->Read(&response));
  cancelled.TryCancel();
  vanishing->Finish();
  ASSERT_TRUE(Eventually([this] { return observer_.lines().size() == 1; }));
  EXPECT_THAT(observer_.lines()[0], HasSubstr("code=1 verdict=0 id="));
  EXPECT_THAT(observer_.lines()[0], HasSubstr("error=the client is gone"));

  grpc::ClientContext context;
  const std::unique_ptr<Stream> leaving = auth_stub_->Watch(&context);
  ASSERT_TRUE(leaving->Read(&response));
  ASSERT_TRUE(leaving->WritesDone());
  EXPECT_TRUE(leaving->Finish().ok());
  ASSERT_TRUE(Eventually([this] { return observer_.lines().size() == 2; }));
  EXPECT_THAT(observer_.lines()[1], HasSubstr("code=0"));
}

TEST_F(WatchTest, ThousandStreamsThatVanishLeaveNothing) {
  Serve(kRoles);
  Open();
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<Stream>> streams;
  // A connection takes a hundred.
  std::vector<std::unique_ptr<v1::AuthService::Stub>> stubs;
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 0) {
      grpc::ChannelArguments own;
      own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs.push_back(v1::AuthService::NewStub(grpc::CreateCustomChannel(
          target_, grpc::InsecureChannelCredentials(), own)));
    }
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stubs.back()->Watch(contexts.back().get()));
    v1::WatchRequest request;
    request.set_ping_number(1);
    ASSERT_TRUE(streams.back()->Write(request));
  }
  for (const auto& stream : streams) {
    v1::WatchResponse response;
    while (stream->Read(&response) && !response.has_grant()) {
    }
  }
  EXPECT_EQ(hub_.streams(), 1000);
  Apply(token_.entry);
  EXPECT_EQ(hub_.Acked(1), 0);
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& stream : streams) stream->Finish();
  EXPECT_TRUE(Eventually([this] { return hub_.streams() == 0; }));
  EXPECT_EQ(hub_.Acked(1), 0);
  clock_.Advance(absl::Milliseconds(2002));
  EXPECT_EQ(hub_.Acked(1), 1);
}

TEST_F(WatchTest, TheClientAnswersFromMemoryUntilTheTokenChanges) {
  Serve(kRoles);
  Open();
  TestToken token = MakeTestToken(random_, "shop");
  Apply(token.entry);
  TokenClient client(ClientOptions());
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  const std::string secret(token.secret.Reveal());
  ASSERT_TRUE(client.Allows(secret));
  for (int i = 0; i < 1000; ++i) {
    const auto validation = client.Validate(secret, {{"pages:read"}, ""});
    ASSERT_OK(validation);
    ASSERT_TRUE(validation->is_valid());
    ASSERT_TRUE(validation->is_from_memory);
  }
  EXPECT_EQ(client.stats().misses, 1);
  EXPECT_EQ(client.stats().hits, 1000);

  EXPECT_EQ(client.Validate(secret, {{"pages:admin"}, ""})->verdict,
            v1::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_EQ(client.Validate(secret, {{}, "projects/other"})->verdict,
            v1::VERDICT_WRONG_PROJECT);
  EXPECT_TRUE(client.Allows(secret, {{}, "projects/shop"}));
  const auto identity = client.Validate(secret)->identity;
  ASSERT_NE(identity, nullptr);
  EXPECT_EQ(identity->name, token.entry.name.ToString());
  EXPECT_EQ(identity->creator, "user-1");
  EXPECT_EQ(identity->metadata.at("tier"), "gold");
  EXPECT_EQ(identity->expire_time, absl::InfiniteFuture());

  Revoke(token);
  EXPECT_TRUE(Eventually([this] { return hub_.Acked(seq_) == seq_; }));
  EXPECT_EQ(client.Validate(secret)->verdict, v1::VERDICT_REVOKED);
  EXPECT_TRUE(client.Validate(secret)->is_from_memory);
}

TEST_F(WatchTest, TheClientForgetsWhatWasUnknownWhenATokenIsCreated) {
  Serve(kRoles);
  Open();
  const TestToken token = MakeTestToken(random_, "shop");
  TokenClient client(ClientOptions());
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  const std::string secret(token.secret.Reveal());
  EXPECT_EQ(client.Validate(secret)->verdict, v1::VERDICT_UNKNOWN);
  EXPECT_TRUE(client.Validate(secret)->is_from_memory);
  Apply(token.entry);
  EXPECT_TRUE(Eventually([this] { return hub_.Acked(seq_) == seq_; }));
  EXPECT_TRUE(client.Allows(secret));
  EXPECT_EQ(client.Validate("wmsy_nothing")->verdict, v1::VERDICT_MALFORMED);
}

TEST_F(WatchTest, TheClientAsksWhenItHasNoLease) {
  Serve(kRoles);
  HoldLease();
  index_.Put(token_.entry);
  TokenClient client(ClientOptions());
  const std::string secret(token_.secret.Reveal());
  for (int i = 0; i < 3; ++i) {
    const auto validation = client.Validate(secret);
    ASSERT_OK(validation);
    EXPECT_TRUE(validation->is_valid());
    EXPECT_FALSE(validation->is_from_memory);
  }
  EXPECT_FALSE(client.has_lease());
  lease_.Close();
  EXPECT_THAT(client.Validate(secret),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WatchTest, AnExpiringAnswerIsKeptUntilItsEnd) {
  Serve(kRoles);
  Open();
  TokenClient client(ClientOptions());
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  TestToken token = MakeTestToken(random_, "shop");
  token.entry.expire_time = absl::Now() + absl::Seconds(3);
  Apply(token.entry);
  const std::string secret(token.secret.Reveal());
  ASSERT_TRUE(client.Allows(secret));
  EXPECT_TRUE(client.Validate(secret)->is_from_memory);
  // The server's clock stands still, so that it goes on to say VALID.
  EXPECT_TRUE(
      Eventually([&] { return !client.Validate(secret)->is_from_memory; }));
}

TEST_F(WatchTest, CallsBackWhenTheTokenIsRevoked) {
  Serve(kRoles);
  Open();
  TestToken token = MakeTestToken(random_, "shop");
  TestToken other = MakeTestToken(random_, "shop");
  Apply(token.entry);
  Apply(other.entry);
  TokenClient client(ClientOptions());
  absl::Notification revoked;
  absl::Notification other_revoked;
  const TokenSubscription subscription =
      client.OnRevoked(token.secret.Reveal(), [&] { revoked.Notify(); });
  TokenSubscription ended =
      client.OnRevoked(other.secret.Reveal(), [&] { other_revoked.Notify(); });
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  ASSERT_FALSE(revoked.WaitForNotificationWithTimeout(absl::Milliseconds(300)));
  { const TokenSubscription moved = std::move(ended); }
  Revoke(other);
  Revoke(token);
  EXPECT_TRUE(revoked.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_FALSE(other_revoked.HasBeenNotified());
  // One that is dead already is told of at once.
  absl::Notification again;
  const TokenSubscription late =
      client.OnRevoked(token.secret.Reveal(), [&] { again.Notify(); });
  EXPECT_TRUE(again.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST_F(WatchTest, CallsBackWhenNobodyVouchesForTheToken) {
  Serve(kRoles);
  HoldLease();
  index_.Put(token_.entry);
  TokenClientOptions options = ClientOptions();
  options.vouch_timeout = absl::Seconds(1);
  TokenClient client(options);
  absl::Notification ended;
  const TokenSubscription subscription =
      client.OnRevoked(token_.secret.Reveal(), [&] { ended.Notify(); });
  lease_.Close();
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

// Faults: count from when it was last asked about; believe a stream whose
// replica has no lease.
TEST_F(WatchTest, AsLongAsTheSessionHasALeaseItVouches) {
  Serve(kRoles);
  Open();
  Apply(token_.entry);
  TokenClientOptions options = ClientOptions();
  options.vouch_timeout = absl::Seconds(2);
  TokenClient client(options);
  ASSERT_TRUE(Eventually([&] { return client.has_lease(); }));
  absl::Notification ended;
  const TokenSubscription subscription =
      client.OnRevoked(token_.secret.Reveal(), [&] { ended.Notify(); });
  EXPECT_FALSE(
      ended.WaitForNotificationWithTimeout(options.vouch_timeout * 1.5));
  lease_.Close();
  EXPECT_FALSE(ended.WaitForNotificationWithTimeout(options.vouch_timeout / 8));
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

// Fault: destroy a callback under the lock that ending a subscription needs.
TEST_F(WatchTest, ACallbackMayOwnSubscriptions) {
  Serve(kRoles);
  Open();
  TestToken token = MakeTestToken(random_, "shop");
  Apply(token.entry);
  TokenClient client(ClientOptions());
  const auto subscribe = [&](std::function<void()> callback) {
    return std::make_shared<TokenSubscription>(
        client.OnRevoked(token.secret.Reveal(), std::move(callback)));
  };
  // One that ends with another one.
  auto owned = subscribe([] {});
  std::weak_ptr<TokenSubscription> alive = owned;
  auto owner = subscribe([owned = std::move(owned)] {});
  owner.reset();
  EXPECT_TRUE(alive.expired());
  // One that is its own, and ends with the call.
  auto own = std::make_shared<TokenSubscription>();
  alive = own;
  *own = client.OnRevoked(token.secret.Reveal(), [own] {});
  own.reset();
  Revoke(token);
  EXPECT_TRUE(Eventually([&] { return alive.expired(); }));
}

}  // namespace
}  // namespace wemasy::tokens
