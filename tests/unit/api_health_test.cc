// gRPC's health service over loopback.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "tests/unit/api_server_fixture.h"

namespace wemasy::tokens {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr char kNobody[] = R"({"bindings": []})";

class HealthServiceTest : public ApiServerTest {
 protected:
  using Stream = grpc::ClientReader<HealthCheckResponse>;

  grpc::Status Check(const std::string& service,
                     HealthCheckResponse* response) {
    grpc::ClientContext context;
    return health_stub_->Check(&context, RequestFor(service), response);
  }
  std::unique_ptr<Stream> Watch(const std::string& service,
                                grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::seconds(20));
    return health_stub_->Watch(context, RequestFor(service));
  }
  // UNKNOWN, which nobody says, if the stream has ended.
  static HealthCheckResponse::ServingStatus Next(Stream& stream) {
    HealthCheckResponse response;
    return stream.Read(&response) ? response.status()
                                  : HealthCheckResponse::UNKNOWN;
  }

 private:
  static HealthCheckRequest RequestFor(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return request;
  }
};

TEST_F(HealthServiceTest, TellsAnybodyOfEachService) {
  Serve(kNobody);
  health_.SetServing("", true);
  health_.SetServing("x.Y", false);
  HealthCheckResponse response;
  ASSERT_TRUE(Check("", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  ASSERT_TRUE(Check("x.Y", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  health_.SetServing("x.Y", true);
  ASSERT_TRUE(Check("x.Y", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(Check("x.Z", &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthServiceTest, WatchTellsOfChangesOfItsServiceOnly) {
  Serve(kNobody);
  health_.SetServing("x.Y", false);
  grpc::ClientContext context;
  const auto stream = Watch("x.Y", &context);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::NOT_SERVING);
  health_.SetServing("", true);
  health_.SetServing("x.Y", false);
  health_.SetServing("x.Y", true);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::SERVING);
  health_.SetServing("x.Y", false);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::NOT_SERVING);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(HealthServiceTest, WatchOfAnUnknownServiceWaitsForIt) {
  Serve(kNobody);
  grpc::ClientContext context;
  const auto stream = Watch("x.Y", &context);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::SERVICE_UNKNOWN);
  health_.SetServing("x.Y", true);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::SERVING);
}

TEST_F(HealthServiceTest, ShutdownDoesNotWaitForWatches) {
  Serve(kNobody);
  health_.SetServing("", true);
  grpc::ClientContext context;
  const auto stream = Watch("", &context);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::SERVING);
  health_.EndWatches();
  EXPECT_EQ(Next(*stream), HealthCheckResponse::UNKNOWN);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  // Later ones end, too.
  grpc::ClientContext later;
  EXPECT_EQ(Watch("", &later)->Finish().error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HealthServiceTest, WatchesThatVanishLeaveNothing) {
  Serve(kNobody);
  for (int i = 0; i < 200; ++i) {
    grpc::ClientContext context;
    const auto stream = Watch("", &context);
    EXPECT_EQ(Next(*stream), HealthCheckResponse::SERVICE_UNKNOWN);
    context.TryCancel();
    stream->Finish();
    health_.SetServing("x.Y", i % 2 == 0);
  }
  for (int i = 0; i < 5000 && health_.watches() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(health_.watches(), 0);
}

// Faults: keep as long a name as a message may have, for each stream.
TEST_F(HealthServiceTest, LongNamesAreRefused) {
  Serve(kNobody);
  HealthCheckResponse response;
  EXPECT_EQ(Check(std::string(200, 'x'), &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Check(std::string(201, 'x'), &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  grpc::ClientContext context;
  const auto stream = Watch(std::string(201, 'x'), &context);
  EXPECT_EQ(Next(*stream), HealthCheckResponse::UNKNOWN);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(health_.watches(), 0);
}

}  // namespace
}  // namespace wemasy::tokens
