// What the holder of a token may do with it, over real gRPC, on a store in
// memory.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/api/authenticator.h"
#include "server/api/self/self_service.h"
#include "tests/unit/api_server_fixture.h"
#include "tests/unit/lifecycle_fixture.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kValidators[] = R"({"bindings": [
    {"identity": "local", "roles": ["validator"]}]})";
constexpr char kManagers[] = R"({"bindings": [
    {"identity": "local", "roles": ["manager", "security"]}]})";

class SelfServiceTest : public LifecycleTest {
 protected:
  void SetUp() override { Serve(kValidators); }
  void TearDown() override { server_->Shutdown(); }

  void Serve(const char* roles) {
    if (server_ != nullptr) server_->Shutdown();
    authenticator_ = std::make_unique<Authenticator>(*RoleTable::Parse(roles),
                                                     PlaintextCallers::kLocal);
    service_ = std::make_unique<SelfServiceImpl>(
        &check_, &lifecycle_,
        ApiEnvironment{authenticator_.get(), &observer_, &clock_, &random_},
        BlockingCallOptions());
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    stub_ = v1::SelfService::NewStub(grpc::CreateChannel(
        absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
    // As a replica would, that reads the change log at once.
    store_.set_on_commit([this](const std::vector<Change>& changes) {
      for (const Change& change : changes) {
        if (change.operation == ChangeOperation::kPut) index_.Put(change.entry);
      }
    });
    HoldLease();
  }
  void HoldLease() {
    lease_.SetDatabaseTime(clock_.Now(), store_.now(), clock_.Now());
    lease_.Extend(clock_.Now() + absl::Seconds(30));
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  static Headers Bearer(const Secret& secret) {
    return {{"authorization", absl::StrCat("Bearer ", secret.Reveal())}};
  }

  grpc::Status GetSelf(const Headers& headers, v1::GetSelfResponse* response) {
    grpc::ClientContext context;
    for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    const grpc::Status status = stub_->GetSelf(&context, {}, response);
    KeepChallenge(context);
    return status;
  }
  grpc::Status RevokeSelf(const Headers& headers,
                          v1::RevokeSelfResponse* response,
                          v1::RevokeReason reason = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    v1::RevokeSelfRequest request;
    request.set_reason(reason);
    const grpc::Status status = stub_->RevokeSelf(&context, request, response);
    KeepChallenge(context);
    return status;
  }
  void KeepChallenge(const grpc::ClientContext& context) {
    challenge_.clear();
    const auto& metadata = context.GetServerTrailingMetadata();
    const auto found = metadata.find("www-authenticate");
    if (found == metadata.end()) return;
    challenge_.assign(found->second.data(), found->second.size());
  }
  TokenRecord RecordOf(const IssuedToken& issued) {
    const auto view =
        lifecycle_.Get(Context(), issued.token.record.name.ToString());
    EXPECT_OK(view);
    return view->record;
  }

  TokenIndex index_;
  Lease lease_;
  const Validator validator_{&index_, &lease_, &clock_};
  const GatewayCheck check_{&validator_, CredentialReader({"x-api-key"})};
  RecordingObserver observer_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<SelfServiceImpl> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::SelfService::Stub> stub_;
  // Of the last call.
  std::string challenge_;
};

TEST_F(SelfServiceTest, TellsTheHolderWhichTokenItIs) {
  CreateRequest create = MakeCreate();
  create.expire_time = store_.now() + absl::Hours(1);
  const IssuedToken issued = MustCreate(create);
  for (const Headers& headers :
       {Bearer(issued.secret),
        Headers{{"x-api-key", std::string(issued.secret.Reveal())}}}) {
    v1::GetSelfResponse response;
    const grpc::Status status = GetSelf(headers, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.token(), issued.token.record.name.ToString());
    EXPECT_EQ(response.project(), "projects/demo");
    EXPECT_THAT(response.scopes(), ElementsAre("pages:read", "pages:write"));
    EXPECT_EQ(response.expire_time().seconds(),
              absl::ToUnixSeconds(*create.expire_time));
  }
}

TEST_F(SelfServiceTest, ATokenWithoutEndHasNoExpireTime) {
  v1::GetSelfResponse response;
  ASSERT_TRUE(GetSelf(Bearer(MustCreate(MakeCreate()).secret), &response).ok());
  EXPECT_FALSE(response.has_expire_time());
}

TEST_F(SelfServiceTest, RefusesAllOthersAlike) {
  const IssuedToken revoked = MustCreate(MakeCreate("a"));
  ASSERT_OK(Revoke(revoked.token.record));
  const std::vector<Headers> refused = {
      {},
      {{"authorization", "Bearer nonsense"}},
      {{"authorization", "Basic QWxhZGRpbjpvcGVu"}},
      Bearer(revoked.secret),
  };
  for (const Headers& headers : refused) {
    v1::GetSelfResponse response;
    const grpc::Status status = GetSelf(headers, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(status.error_message(), "a valid API token is required");
    EXPECT_EQ(ReasonOf(status), "TOKEN_REFUSED");
    EXPECT_THAT(challenge_, HasSubstr("Bearer realm=\"wemasy\""));
  }
}

TEST_F(SelfServiceTest, RefusesTwoTokens) {
  const IssuedToken issued = MustCreate(MakeCreate());
  Headers headers = Bearer(issued.secret);
  headers.emplace_back("x-api-key", std::string(issued.secret.Reveal()));
  v1::GetSelfResponse told;
  v1::RevokeSelfResponse revoked;
  for (const grpc::Status& status :
       {GetSelf(headers, &told), RevokeSelf(headers, &revoked)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ReasonOf(status), "FIELD_INVALID");
    EXPECT_THAT(challenge_, HasSubstr("invalid_request"));
  }
  EXPECT_FALSE(RecordOf(issued).revocation);
}

TEST_F(SelfServiceTest, SaysNothingWithoutALease) {
  const IssuedToken issued = MustCreate(MakeCreate());
  clock_.Advance(absl::Minutes(1));
  v1::GetSelfResponse told;
  v1::RevokeSelfResponse revoked;
  for (const grpc::Status& status :
       {GetSelf(Bearer(issued.secret), &told),
        RevokeSelf(Bearer(issued.secret), &revoked)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "LEASE_NOT_HELD");
    EXPECT_EQ(challenge_, "");
  }
  EXPECT_FALSE(RecordOf(issued).revocation);
}

TEST_F(SelfServiceTest, TheHolderRevokesItsToken) {
  const IssuedToken issued = MustCreate(MakeCreate("a"));
  const IssuedToken other = MustCreate(MakeCreate("b"));
  const size_t waits = barrier_.awaited().size();
  v1::RevokeSelfResponse response;
  const grpc::Status status = RevokeSelf(Bearer(issued.secret), &response,
                                         v1::REVOKE_REASON_COMPROMISED);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(barrier_.awaited().size(), waits + 1);
  const auto revocation = RecordOf(issued).revocation;
  ASSERT_TRUE(revocation);
  EXPECT_EQ(revocation->revoker, issued.token.record.name.ToString());
  EXPECT_EQ(revocation->reason, RevokeReason::kCompromised);
  EXPECT_EQ(response.revoke_time().seconds(),
            absl::ToUnixSeconds(revocation->time));
  EXPECT_TRUE(response.has_confirm_time());
  EXPECT_FALSE(RecordOf(other).revocation);

  v1::GetSelfResponse told;
  EXPECT_EQ(GetSelf(Bearer(issued.secret), &told).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(SelfServiceTest, ARepeatedRevocationWaitsAgain) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const size_t waits = barrier_.awaited().size();
  v1::RevokeSelfResponse response;
  barrier_.confirms = false;
  const grpc::Status unconfirmed = RevokeSelf(Bearer(issued.secret), &response);
  EXPECT_EQ(unconfirmed.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(unconfirmed), "CHANGE_UNCONFIRMED");
  barrier_.confirms = true;
  const grpc::Status status = RevokeSelf(Bearer(issued.secret), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(barrier_.awaited().size(), waits + 2);
}

TEST_F(SelfServiceTest, AReplacedSecretHasNoPowerOverItsSuccessor) {
  const IssuedToken issued = MustCreate(MakeCreate());
  const auto rotated = lifecycle_.Rotate(Context(), MakeRotate(issued));
  ASSERT_OK(rotated);
  v1::RevokeSelfResponse response;
  const grpc::Status status = RevokeSelf(Bearer(issued.secret), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(status), "TOKEN_REFUSED");
  EXPECT_FALSE(RecordOf(issued).revocation);
}

TEST_F(SelfServiceTest, AnUnknownReasonIsRefused) {
  const IssuedToken issued = MustCreate(MakeCreate());
  v1::RevokeSelfResponse response;
  const grpc::Status status = RevokeSelf(Bearer(issued.secret), &response,
                                         static_cast<v1::RevokeReason>(99));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("reason"));
  EXPECT_FALSE(RecordOf(issued).revocation);
}

TEST_F(SelfServiceTest, TheGatewayNeedsItsRole) {
  const IssuedToken issued = MustCreate(MakeCreate());
  Serve(kManagers);
  v1::GetSelfResponse told;
  v1::RevokeSelfResponse revoked;
  for (const grpc::Status& status :
       {GetSelf(Bearer(issued.secret), &told),
        RevokeSelf(Bearer(issued.secret), &revoked)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(ReasonOf(status), "ROLE_MISSING");
  }
  EXPECT_FALSE(RecordOf(issued).revocation);
}

TEST_F(SelfServiceTest, ReportsNameTheTokenAndNeverTheSecret) {
  const IssuedToken issued = MustCreate(MakeCreate());
  v1::GetSelfResponse told;
  ASSERT_TRUE(GetSelf(Bearer(issued.secret), &told).ok());
  v1::RevokeSelfResponse revoked;
  ASSERT_TRUE(RevokeSelf(Bearer(issued.secret), &revoked).ok());
  EXPECT_FALSE(GetSelf(Bearer(issued.secret), &told).ok());
  const std::vector<std::string> lines = observer_.lines();
  ASSERT_EQ(lines.size(), 3U);
  for (const std::string& line : lines) {
    EXPECT_THAT(line,
                HasSubstr("token=" + issued.token.record.name.ToString()));
    EXPECT_EQ(line.find(std::string(issued.secret.Reveal())),
              std::string::npos);
  }
}

}  // namespace
}  // namespace wemasy::tokens
