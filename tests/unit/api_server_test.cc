// Both services on a real server, with callers that have no certificate.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/api_server_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kEverything[] = R"({"bindings": [{"identity": "local",
    "roles": ["validator", "manager", "security"]}]})";
constexpr char kShopOnly[] = R"({"bindings": [{"identity": "local",
    "roles": ["manager"], "projects": ["shop"]}]})";

TEST_F(ApiServerTest, ValidateTellsWhoAValidTokenIs) {
  Serve(kEverything);
  HoldLease();
  index_.Put(token_.entry);
  v1::ValidateRequest request;
  request.set_token(std::string(token_.secret.Reveal()));
  request.add_required_scopes("pages:read");
  request.set_expected_project("projects/shop");
  v1::ValidateResponse response;
  const grpc::Status status = Validate(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.verdict(), v1::VERDICT_VALID);
  EXPECT_EQ(response.token(), name_);
  EXPECT_EQ(response.project(), "projects/shop");
  EXPECT_EQ(response.creator(), "user-1");
  EXPECT_THAT(response.scopes(), ElementsAre("pages:read", "pages:write"));
  EXPECT_EQ(response.metadata().at("tier"), "gold");
  EXPECT_FALSE(response.has_expire_time());
}

TEST_F(ApiServerTest, ValidateNamesARefusedTokenButSaysNoMore) {
  Serve(kEverything);
  HoldLease();
  index_.Put(token_.entry);
  v1::ValidateRequest request;
  request.set_token(std::string(token_.secret.Reveal()));
  request.set_expected_project("projects/other");
  v1::ValidateResponse response;
  ASSERT_TRUE(Validate(request, &response).ok());
  v1::ValidateResponse want;
  want.set_verdict(v1::VERDICT_WRONG_PROJECT);
  want.set_token(name_);
  EXPECT_EQ(response.SerializeAsString(), want.SerializeAsString());

  request.clear_expected_project();
  request.add_required_scopes("pages:delete");
  ASSERT_TRUE(Validate(request, &response).ok());
  want.set_verdict(v1::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_EQ(response.SerializeAsString(), want.SerializeAsString());
}

// Messages are kept from call to call: nothing of one may be seen in the next.
TEST_F(ApiServerTest, ValidateForgetsTheCallBefore) {
  QueueServerOptions one;
  one.ready_calls = 1;
  Serve(kEverything, {}, one);
  HoldLease();
  index_.Put(token_.entry);
  v1::ValidateResponse response;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ValidateToken(token_.secret.Reveal(), &response).ok());
    EXPECT_EQ(response.verdict(), v1::VERDICT_VALID);
    ASSERT_TRUE(ValidateToken("x", &response).ok());
    v1::ValidateResponse want;
    want.set_verdict(v1::VERDICT_MALFORMED);
    EXPECT_EQ(response.SerializeAsString(), want.SerializeAsString());
    const Secret unknown = GenerateToken(random_);
    ASSERT_TRUE(ValidateToken(unknown.Reveal(), &response).ok());
    want.set_verdict(v1::VERDICT_UNKNOWN);
    EXPECT_EQ(response.SerializeAsString(), want.SerializeAsString());
  }
}

TEST_F(ApiServerTest, ValidateWithoutLeaseIsUnavailable) {
  Serve(kEverything);
  index_.Put(token_.entry);
  v1::ValidateResponse response;
  const grpc::Status status = ValidateToken(token_.secret.Reveal(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "LEASE_NOT_HELD");
}

TEST_F(ApiServerTest, ValidateRefusesMalformedRequests) {
  Serve(kEverything);
  HoldLease();
  v1::ValidateRequest request;
  request.add_required_scopes("ok");
  request.add_required_scopes("Not OK");
  request.set_expected_project("shop");
  v1::ValidateResponse response;
  const grpc::Status status = Validate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("required_scopes[1]"));
  EXPECT_THAT(status.error_message(), HasSubstr("expected_project"));
  request.clear_required_scopes();
  request.clear_expected_project();
  for (int i = 0; i < 65; ++i) request.add_required_scopes("a");
  EXPECT_THAT(Validate(request, &response).error_message(),
              HasSubstr("required_scopes has 65 scopes, want at most 64"));
}

TEST_F(ApiServerTest, PermissionComesBeforeValidation) {
  Serve(kShopOnly);
  v1::ValidateRequest request;
  request.set_expected_project("malformed");
  v1::ValidateResponse response;
  grpc::Status status = Validate(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(status), "ROLE_MISSING");
  for (const char* name : {"", "malformed", "projects/other"}) {
    status = Get(name);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(ReasonOf(status), "ROLE_MISSING");
  }
  // Their own project they may ask about.
  EXPECT_EQ(ReasonOf(Get(name_)), "DATABASE_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(Get("projects/shop/tokens/malformed")), "ROLE_MISSING");
}

// Every method: admitted, converted, answered.
TEST_F(ApiServerTest, EveryMethodReachesTheLifeCycle) {
  Serve(kEverything);
  const auto call = [&](auto method, const auto& request, auto response) {
    grpc::ClientContext context;
    return ReasonOf((token_stub_.get()->*method)(&context, request, &response));
  };
  v1::CreateTokenRequest create;
  create.set_parent("projects/shop");
  create.set_actor("user-1");
  create.mutable_token()->set_display_name("CI");
  EXPECT_EQ(call(&v1::TokenService::Stub::CreateToken, create,
                 v1::CreateTokenResponse()),
            "DATABASE_UNAVAILABLE");
  v1::ListTokensRequest list;
  list.set_parent("projects/shop");
  EXPECT_EQ(
      call(&v1::TokenService::Stub::ListTokens, list, v1::ListTokensResponse()),
      "DATABASE_UNAVAILABLE");
  v1::UpdateTokenRequest update;
  update.mutable_token()->set_name(name_);
  update.mutable_token()->set_display_name("CD");
  update.set_actor("user-1");
  EXPECT_EQ(call(&v1::TokenService::Stub::UpdateToken, update,
                 v1::UpdateTokenResponse()),
            "DATABASE_UNAVAILABLE");
  v1::RevokeTokenRequest revoke;
  revoke.set_name(name_);
  revoke.set_actor("user-1");
  EXPECT_EQ(call(&v1::TokenService::Stub::RevokeToken, revoke,
                 v1::RevokeTokenResponse()),
            "DATABASE_UNAVAILABLE");
  v1::RotateTokenRequest rotate;
  rotate.set_name(name_);
  rotate.set_actor("user-1");
  EXPECT_EQ(call(&v1::TokenService::Stub::RotateToken, rotate,
                 v1::RotateTokenResponse()),
            "DATABASE_UNAVAILABLE");
  v1::RevokeLeakedTokensRequest leaks;
  leaks.set_actor("github");
  leaks.add_leaked_tokens()->set_secret(std::string(token_.secret.Reveal()));
  EXPECT_EQ(call(&v1::TokenService::Stub::RevokeLeakedTokens, leaks,
                 v1::RevokeLeakedTokensResponse()),
            "DATABASE_UNAVAILABLE");
  v1::ListAuditEventsRequest audit;
  audit.set_parent("projects/-");
  EXPECT_EQ(call(&v1::TokenService::Stub::ListAuditEvents, audit,
                 v1::ListAuditEventsResponse()),
            "DATABASE_UNAVAILABLE");
}

TEST_F(ApiServerTest, ReportsCallsAndReturnsTheirIds) {
  Serve(kEverything);
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "my-id");
  context.AddMetadata("traceparent",
                      "00-4bf92f3577b34da6a3ce929d0e0e4736-"
                      "00f067aa0ba902b7-01");
  Get(name_, &context);
  EXPECT_EQ(context.GetServerTrailingMetadata().find("x-request-id")->second,
            "my-id");
  EXPECT_THAT(observer_.lines(),
              ElementsAre(absl::StrCat(
                  "wemasy.tokens.v1.TokenService/GetToken code=14 verdict=0 "
                  "id=my-id caller=local peer=ipv4:127.0.0.1 token=",
                  name_,
                  " trace=4bf92f3577b34da6a3ce929d0e0e4736 "
                  "error=the database is out of reach")));
}

TEST_F(ApiServerTest, DrawsAnIdIfTheCallersIsNotWellFormed) {
  Serve(kEverything);
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "a \"b\"");
  Get(name_, &context);
  EXPECT_EQ(
      context.GetServerTrailingMetadata().find("x-request-id")->second.size(),
      32u);
}

TEST_F(ApiServerTest, ValidateIsReportedInDetailOnlyIfWanted) {
  Serve(kEverything);
  HoldLease();
  index_.Put(token_.entry);
  v1::ValidateResponse response;
  observer_.wants_detail = false;
  ASSERT_TRUE(ValidateToken(token_.secret.Reveal(), &response).ok());
  EXPECT_THAT(observer_.lines().back(),
              HasSubstr("code=0 verdict=7 id= caller= peer= token= "));
  observer_.wants_detail = true;
  ASSERT_TRUE(ValidateToken(token_.secret.Reveal(), &response).ok());
  EXPECT_THAT(observer_.lines().back(),
              HasSubstr(absl::StrCat("token=", name_)));
  EXPECT_EQ(observer_.started, 2);
}

TEST_F(ApiServerTest, NoSecretReachesAReport) {
  Serve(kEverything);
  const std::string secret(token_.secret.Reveal());
  v1::ValidateResponse response;
  ValidateToken(secret, &response);
  Get(secret);
  Get(absl::StrCat("projects/shop/tokens/", secret));
  v1::RevokeLeakedTokensRequest leaks;
  leaks.add_leaked_tokens()->set_secret(secret);
  v1::RevokeLeakedTokensResponse leaks_response;
  grpc::ClientContext context;
  token_stub_->RevokeLeakedTokens(&context, leaks, &leaks_response);
  const auto lines = observer_.lines();
  EXPECT_EQ(lines.size(), 4u);
  for (const std::string& line : lines) {
    EXPECT_THAT(line, Not(HasSubstr(secret.substr(5, 20))));
  }
}

TEST_F(ApiServerTest, ExceptionsBecomeInternal) {
  Serve(kEverything);
  store_.throws = true;
  const grpc::Status status = Get(name_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonOf(status), "INTERNAL");
  EXPECT_THAT(status.error_message(), Not(HasSubstr("SELECT")));
  EXPECT_THAT(observer_.lines().back(), HasSubstr("SELECT failed"));
}

TEST_F(ApiServerTest, CallersWithoutDeadlineGetOne) {
  Serve(kEverything);
  Get(name_);
  EXPECT_LE(store_.last_deadline() - clock_.Now(), absl::Seconds(10));
  EXPECT_GT(store_.last_deadline() - clock_.Now(), absl::Seconds(5));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(3));
  Get(name_, &context);
  // gRPC rounds up.
  EXPECT_LE(store_.last_deadline() - clock_.Now(), absl::Seconds(4));
}

TEST_F(ApiServerTest, TooManyCallsAreTurnedAway) {
  BlockingCallOptions options;
  options.max_reads = 2;
  Serve(kEverything, options);
  store_.Hold();
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back([&] { Get(name_); });
  while (store_.waiting() < 2) std::this_thread::yield();
  EXPECT_EQ(tokens_->calls().reads_in_flight(), 2);
  const grpc::Status status = Get(name_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");

  // Readers do not keep a revocation out.
  std::thread revoker([&] {
    v1::RevokeTokenRequest request;
    request.set_name(name_);
    request.set_actor("user-1");
    v1::RevokeTokenResponse response;
    grpc::ClientContext context;
    EXPECT_EQ(ReasonOf(token_stub_->RevokeToken(&context, request, &response)),
              "DATABASE_UNAVAILABLE");
  });
  while (store_.waiting() < 3) std::this_thread::yield();
  store_.Release();
  revoker.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(tokens_->calls().reads_in_flight(), 0);
  EXPECT_EQ(tokens_->calls().mutations_in_flight(), 0);
}

TEST_F(ApiServerTest, CompressedRequestsAreRefused) {
  Serve(kEverything);
  HoldLease();
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    v1::ValidateRequest request;
    request.set_token(std::string(1000, 'a'));
    v1::ValidateResponse response;
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    EXPECT_EQ(auth_stub_->Validate(&context, request, &response).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_EQ(observer_.started, 0);
}

TEST_F(ApiServerTest, OversizedRequestsAreRefused) {
  Serve(kEverything);
  HoldLease();
  v1::ValidateResponse response;
  ASSERT_TRUE(ValidateToken(std::string(1 << 19, 'a'), &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_MALFORMED);
  EXPECT_EQ(ValidateToken(std::string(1 << 20, 'a'), &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ApiServerTest, ServesManyCallsOverSeveralQueues) {
  QueueServerOptions options;
  options.queues = 2;
  options.ready_calls = 3;
  options.max_calls = 5;
  Serve(kEverything, {}, options);
  HoldLease();
  index_.Put(token_.entry);
  std::atomic<int> valid{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        v1::ValidateResponse response;
        const grpc::Status status =
            ValidateToken(token_.secret.Reveal(), &response);
        if (status.ok() && response.verdict() == v1::VERDICT_VALID) ++valid;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(valid, 8 * 50);
}

TEST_F(ApiServerTest, ShutsDownUnderLoad) {
  Serve(kEverything);
  HoldLease();
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        v1::ValidateResponse response;
        ValidateToken("x", &response);
      }
    });
  }
  while (observer_.started < 100) std::this_thread::yield();
  server_->Shutdown(std::chrono::system_clock::now() +
                    std::chrono::seconds(10));
  queues_->Join();
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ApiServerTest, IsDestroyedWithoutHavingBeenStarted) {
  const Authenticator authenticator({}, PlaintextCallers::kRefused);
  const ApiEnvironment environment = {&authenticator, &observer_, &clock_,
                                      &random_};
  AuthHandler handler(&validator_, &hub_, environment);
  QueueServer registered({});
  registered.Add(&handler);
  QueueServer unregistered({});
  unregistered.Add(&handler);
  grpc::ServerBuilder builder;
  registered.Register(&builder);
}

}  // namespace
}  // namespace wemasy::tokens
