// What Envoy gets for a CheckRequest, over real gRPC.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/api_server_fixture.h"

namespace wemasy::tokens {
namespace {

using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::CheckRequest;
using envoy::service::auth::v3::CheckResponse;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kValidators[] = R"({"bindings": [
    {"identity": "local", "roles": ["validator"]}]})";
constexpr char kManagers[] = R"({"bindings": [
    {"identity": "local", "roles": ["manager"]}]})";

using Headers = google::protobuf::RepeatedPtrField<HeaderValueOption>;

std::vector<std::string> Lines(const Headers& headers) {
  std::vector<std::string> lines;
  for (const HeaderValueOption& header : headers) {
    EXPECT_EQ(header.append_action(),
              HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
    lines.push_back(
        absl::StrCat(header.header().key(), ": ", header.header().value()));
  }
  return lines;
}

class ExtAuthzTest : public ApiServerTest {
 protected:
  void SetUp() override {
    Serve(kValidators);
    HoldLease();
    index_.Put(token_.entry);
  }

  std::string Bearer() const {
    return "Bearer " + std::string(token_.secret.Reveal());
  }

  static void AddHeader(const std::string& name, const std::string& value,
                        CheckRequest* request) {
    auto* const http =
        request->mutable_attributes()->mutable_request()->mutable_http();
    (*http->mutable_headers())[name] = value;
  }
  static void AddRawHeader(const std::string& name, const std::string& value,
                           CheckRequest* request) {
    auto* const header = request->mutable_attributes()
                             ->mutable_request()
                             ->mutable_http()
                             ->mutable_header_map()
                             ->add_headers();
    header->set_key(name);
    header->set_raw_value(value);
  }
  static void Demand(const std::string& key, const std::string& value,
                     CheckRequest* request) {
    (*request->mutable_attributes()->mutable_context_extensions())[key] = value;
  }

  // The call itself never fails.
  CheckResponse Check(const CheckRequest& request) {
    grpc::ClientContext context;
    CheckResponse response;
    const grpc::Status status =
        check_stub_->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(ExtAuthzTest, AValidTokenPassesAndStaysBehind) {
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  AddHeader("cookie", "a=b", &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.status().code(), grpc::StatusCode::OK);
  EXPECT_THAT(
      Lines(response.ok_response().headers()),
      ElementsAre("x-wemasy-project: projects/shop", "x-wemasy-token: " + name_,
                  "x-wemasy-scopes: pages:read pages:write"));
  EXPECT_THAT(response.ok_response().headers_to_remove(),
              ElementsAre("authorization"));
  const auto& metadata = response.dynamic_metadata().fields();
  EXPECT_EQ(metadata.at("project").string_value(), "projects/shop");
  EXPECT_EQ(metadata.at("token").string_value(), name_);
  EXPECT_EQ(metadata.at("verdict").string_value(), "VALID");
  EXPECT_EQ(metadata.at("scopes").list_value().values_size(), 2);
  EXPECT_THAT(response.DebugString(),
              Not(HasSubstr(std::string(token_.secret.Reveal()))));
}

// Fault: end the call with an error, which Envoy may take for "allow".
TEST_F(ExtAuthzTest, WhatIsNoRequestIsDenied) {
  grpc::GenericStub stub(
      grpc::CreateChannel(target_, grpc::InsecureChannelCredentials()));
  const grpc::Slice bytes("\xff");
  const grpc::ByteBuffer request(&bytes, 1);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(
      &context, "/envoy.service.auth.v3.Authorization/Check", request, &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  CheckResponse response;
  ASSERT_TRUE(
      grpc::SerializationTraits<CheckResponse>::Deserialize(&reply, &response)
          .ok());
  EXPECT_TRUE(response.has_denied_response());
}

TEST_F(ExtAuthzTest, WhatPassesForOursIsTakenAwayButNotWhatWeSet) {
  CheckRequest request;
  AddHeader("x-api-key", std::string(token_.secret.Reveal()), &request);
  AddHeader("x-wemasy-project", "projects/other", &request);
  AddHeader("x_wemasy_project", "projects/other", &request);
  AddHeader("x-wemasy-admin", "yes", &request);
  EXPECT_THAT(
      Check(request).ok_response().headers_to_remove(),
      UnorderedElementsAre("x-api-key", "x_wemasy_project", "x-wemasy-admin"));
}

TEST_F(ExtAuthzTest, ATokenWithoutScopesTakesAwayTheirHeader) {
  IndexEntry entry = token_.entry;
  entry.scopes = ScopeSet();
  index_.Put(entry);
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  AddHeader("x-wemasy-scopes", "pages:delete", &request);
  const CheckResponse response = Check(request);
  EXPECT_THAT(Lines(response.ok_response().headers()),
              Not(Contains(HasSubstr("scopes"))));
  EXPECT_THAT(response.ok_response().headers_to_remove(),
              Contains("x-wemasy-scopes"));
}

TEST_F(ExtAuthzTest, RawHeadersAreReadEachByItself) {
  CheckRequest request;
  AddRawHeader("authorization", Bearer(), &request);
  EXPECT_TRUE(Check(request).has_ok_response());
  AddRawHeader("authorization", Bearer(), &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.status().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(response.denied_response().status().code(), 400);
}

TEST_F(ExtAuthzTest, ARefusalIsAWholeResponse) {
  const CheckResponse response = Check({});
  EXPECT_EQ(response.status().code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(response.denied_response().status().code(), 401);
  EXPECT_THAT(
      Lines(response.denied_response().headers()),
      ElementsAre("content-type: application/json", "cache-control: no-store",
                  "www-authenticate: Bearer realm=\"wemasy\""));
  EXPECT_EQ(response.denied_response().body(),
            "{\"error\":\"a valid API token is required\"}\n");
  EXPECT_THAT(response.dynamic_metadata().fields(), IsEmpty());
}

TEST_F(ExtAuthzTest, TheRouteSaysWhatATokenMustHave) {
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  Demand("required_scopes", "pages:delete", &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.status().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(response.denied_response().status().code(), 403);
  EXPECT_EQ(response.dynamic_metadata().fields().at("verdict").string_value(),
            "INSUFFICIENT_SCOPE");
}

TEST_F(ExtAuthzTest, WithoutALeaseItIsDeniedInAnAnswer) {
  lease_.Close();
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  AddHeader("x-request-id", "of-the-gateway", &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.status().code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(response.denied_response().status().code(), 503);
  EXPECT_THAT(Lines(response.denied_response().headers()),
              Contains("retry-after: 1"));
  EXPECT_THAT(observer_.lines(),
              ElementsAre(AllOf(HasSubstr("Check code=14 "),
                                HasSubstr(" id=of-the-gateway "))));
}

TEST_F(ExtAuthzTest, AMisspelledDemandDeniesAll) {
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  Demand("required_scope", "pages:read", &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.status().code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(response.denied_response().status().code(), 500);
  EXPECT_THAT(observer_.lines(), ElementsAre(HasSubstr("required_scope")));
}

class ExtAuthzWithoutRoleTest : public ExtAuthzTest {
 protected:
  void SetUp() override {
    Serve(kManagers);
    HoldLease();
    index_.Put(token_.entry);
  }
};

TEST_F(ExtAuthzWithoutRoleTest, AGatewayThatMayNotAskIsDeniedInAnAnswer) {
  CheckRequest request;
  AddHeader("authorization", Bearer(), &request);
  const CheckResponse response = Check(request);
  EXPECT_EQ(response.denied_response().status().code(), 500);
  EXPECT_THAT(observer_.lines(), ElementsAre(HasSubstr("Check code=7 ")));
}

}  // namespace
}  // namespace wemasy::tokens
