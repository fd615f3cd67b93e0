// The bounds of a connection: what ApplyServerOptions sets, seen from outside.
// Times are short here, and each test waits for what must happen.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/unit/api_server_fixture.h"

namespace wemasy::tokens {
namespace {

constexpr char kEverything[] = R"({"bindings": [{"identity": "local",
    "roles": ["validator", "manager", "security"]}]})";

std::chrono::system_clock::time_point In(int millis) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(millis);
}

class ApiTransportTest : public ApiServerTest {
 protected:
  // A channel of its own, with its own connection.
  std::unique_ptr<v1::TokenService::Stub> Connect(
      grpc::ChannelArguments arguments = {}) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(
        target_, grpc::InsecureChannelCredentials(), arguments);
    return v1::TokenService::NewStub(channel_);
  }
  grpc::Status GetBy(v1::TokenService::Stub& stub,
                     grpc::ClientContext* context) {
    v1::GetTokenRequest request;
    request.set_name(name_);
    v1::GetTokenResponse response;
    return stub.GetToken(context, request, &response);
  }
  // A call whose metadata have a value of `size` bytes.
  grpc::StatusCode GetWithHeader(size_t size) {
    const auto stub = Connect();
    grpc::ClientContext context;
    context.AddMetadata("x-filler", std::string(size, 'x'));
    context.set_deadline(In(10'000));
    return GetBy(*stub, &context).error_code();
  }

  std::shared_ptr<grpc::Channel> channel_;
};

// What a call is answered that got through: the store is out of reach.
constexpr grpc::StatusCode kGotThrough = grpc::StatusCode::UNAVAILABLE;

// Fault: leave the handshake's time as it is: two minutes.
TEST_F(ApiTransportTest, AConnectionThatSaysNothingIsClosed) {
  ServerOptions options;
  options.handshake_timeout = absl::Milliseconds(200);
  Serve(kEverything, {}, {}, options);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  // The server's settings may come first; then the end.
  char buffer[256];
  ssize_t got = 1;
  pollfd watched{fd, POLLIN, 0};
  while (got > 0 && ::poll(&watched, 1, 10'000) == 1) {
    got = ::read(fd, buffer, sizeof(buffer));
  }
  EXPECT_LE(got, 0) << "still open after 10 s";
  ::close(fd);
}

// Fault: leave the bound on metadata as it is: 8 KiB.
TEST_F(ApiTransportTest, MetadataAreBounded) {
  Serve(kEverything);
  EXPECT_EQ(GetWithHeader(100), kGotThrough);
  EXPECT_EQ(observer_.started, 1);
  EXPECT_EQ(GetWithHeader(12 << 10), kGotThrough);
  EXPECT_EQ(observer_.started, 2);
  EXPECT_NE(GetWithHeader(20 << 10), grpc::StatusCode::OK);
  EXPECT_EQ(observer_.started, 2);
}

TEST_F(ApiTransportTest, AMessageOverTheBoundIsRefused) {
  Serve(kEverything);
  v1::ValidateResponse response;
  const grpc::Status status =
      ValidateToken(std::string((1 << 20) + 1, 'x'), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// Fault: no bound on streams.
TEST_F(ApiTransportTest, AConnectionHasOnlySoManyCallsAtOnce) {
  ServerOptions options;
  options.max_concurrent_streams = 1;
  Serve(kEverything, {}, {}, options);
  store_.Hold();
  const auto stub = Connect();
  std::thread first([&] {
    grpc::ClientContext context;
    GetBy(*stub, &context);
  });
  while (store_.waiting() < 1) std::this_thread::yield();
  grpc::ClientContext context;
  context.set_deadline(In(300));
  EXPECT_EQ(GetBy(*stub, &context).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(observer_.started, 1);
  store_.Release();
  first.join();
}

// Fault: strikes for pings on an idle connection, as gRPC has by default.
TEST_F(ApiTransportTest, AnIdleConnectionMayBeKeptAlive) {
  ServerOptions options;
  options.min_ping_interval = absl::Milliseconds(50);
  Serve(kEverything, {}, {}, options);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 100);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  Connect(arguments);
  ASSERT_TRUE(channel_->WaitForConnected(In(10'000)));
  // Some fifteen pings later; two strikes would have ended it.
  EXPECT_FALSE(channel_->WaitForStateChange(GRPC_CHANNEL_READY, In(1500)));
}

// Fault: no grace, so that calls in progress die with their connection.
TEST_F(ApiTransportTest, AnOldConnectionEndsButItsCallsDoNot) {
  ServerOptions options;
  options.max_connection_age = absl::Milliseconds(300);
  options.max_connection_age_grace = absl::Seconds(20);
  Serve(kEverything, {}, {}, options);
  store_.Hold();
  const auto stub = Connect();
  grpc::Status status;
  std::thread caller([&] {
    grpc::ClientContext context;
    status = GetBy(*stub, &context);
  });
  while (store_.waiting() < 1) std::this_thread::yield();
  // The client is told to go elsewhere.
  EXPECT_TRUE(channel_->WaitForStateChange(GRPC_CHANNEL_READY, In(10'000)));
  store_.Release();
  caller.join();
  EXPECT_EQ(ReasonOf(status), "DATABASE_UNAVAILABLE");
}

// A caller who went away gives its place back.
TEST_F(ApiTransportTest, ACancelledMutationIsNotWaitedFor) {
  barrier_.Hold();
  store_.Commits();
  Serve(kEverything);
  const auto stub = Connect();
  grpc::ClientContext context;
  std::thread caller([&] {
    v1::RevokeTokenRequest request;
    request.set_name(name_);
    request.set_actor("user-1");
    v1::RevokeTokenResponse response;
    const grpc::Status status = stub->RevokeToken(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  });
  while (tokens_->calls().mutations_in_flight() < 1 ||
         !barrier_.is_waited_for()) {
    std::this_thread::yield();
  }
  context.TryCancel();
  while (tokens_->calls().mutations_in_flight() > 0) std::this_thread::yield();
  caller.join();
}

}  // namespace
}  // namespace wemasy::tokens
