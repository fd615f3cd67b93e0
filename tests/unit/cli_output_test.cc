// What tokenctl prints, and with which exit code it ends.
#include <grpcpp/support/status.h>

#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace wemasy::tokens::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

grpc::Status RichStatus() {
  google::rpc::ErrorInfo info;
  info.set_reason("FIELD_INVALID");
  info.set_domain("tokens.wemasy.com");
  (*info.mutable_metadata())["name"] = "projects/a/tokens/b";
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("token.display_name");
  violation->set_description("has 101 characters, want 1 to 100");
  google::rpc::Status rich;
  rich.set_code(3);
  rich.add_details()->PackFrom(info);
  rich.add_details()->PackFrom(bad_request);
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "bad\x1b[2J request",
                      rich.SerializeAsString());
}

TEST(DescribeFailureTest, SaysEverythingTheErrorCarries) {
  const std::string text = DescribeFailure("create", RichStatus());
  EXPECT_THAT(text, HasSubstr("create failed: INVALID_ARGUMENT: bad"));
  EXPECT_THAT(text, HasSubstr("reason: FIELD_INVALID\n"));
  EXPECT_THAT(text, HasSubstr("name: projects/a/tokens/b\n"));
  EXPECT_THAT(text, HasSubstr("field token.display_name: has 101 characters"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(ReasonOf(RichStatus()), "FIELD_INVALID");
}

TEST(DescribeFailureTest, ManagesWithoutDetails) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "away", "\xFF\xFF");
  EXPECT_EQ(DescribeFailure("get", status),
            "tokenctl: get failed: UNAVAILABLE: away\n");
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(ExitCodeTest, IsTheDocumentedOne) {
  const auto code = [](grpc::StatusCode status) {
    return ExitCodeOf(grpc::Status(status, ""));
  };
  EXPECT_EQ(code(grpc::StatusCode::OK), ExitCode::kOk);
  EXPECT_EQ(code(grpc::StatusCode::NOT_FOUND), ExitCode::kNotFound);
  EXPECT_EQ(code(grpc::StatusCode::UNAVAILABLE), ExitCode::kUnavailable);
  EXPECT_EQ(code(grpc::StatusCode::DEADLINE_EXCEEDED), ExitCode::kUnavailable);
  EXPECT_EQ(code(grpc::StatusCode::CANCELLED), ExitCode::kUnavailable);
  EXPECT_EQ(code(grpc::StatusCode::INVALID_ARGUMENT), ExitCode::kError);
  EXPECT_EQ(code(grpc::StatusCode::PERMISSION_DENIED), ExitCode::kError);
}

TEST(TableTest, AlignsCharactersAndEscapesControls) {
  Table table({"A", "B"});
  table.AddRow({"Zürich", "1"});
  table.AddRow({"x\ny", "2"});
  EXPECT_EQ(table.ToString(), "A       B\nZürich  1\nx\\ny    2\n");
}

TEST(ShowTokenTest, SaysWhyATokenIsDead) {
  v1::Token token;
  token.set_name("projects/a/tokens/b");
  token.set_display_name("CI");
  token.set_state(v1::TOKEN_STATE_REVOKED);
  token.add_scopes("pages:read");
  token.mutable_revoke_time()->set_seconds(1'800'000'000);
  token.set_revoker("ada");
  token.set_revoke_reason(v1::REVOKE_REASON_COMPROMISED);
  token.set_revoke_comment("stolen");
  const std::string text = ShowToken(token);
  EXPECT_THAT(text, HasSubstr("REVOKED"));
  EXPECT_THAT(text, HasSubstr("2027-01-15T08:00:00Z by ada"));
  EXPECT_THAT(text, HasSubstr("COMPROMISED"));
  EXPECT_THAT(text, HasSubstr("stolen"));
  EXPECT_THAT(text, HasSubstr("pages:read"));
}

TEST(ShowTokensTest, NamesTokensSoThatTheyCanBeUsedAgain) {
  v1::Token token;
  token.set_name("projects/a/tokens/b");
  EXPECT_THAT(ShowTokens({token}, false), Not(HasSubstr("projects/a")));
  EXPECT_THAT(ShowTokens({token}, true), HasSubstr("projects/a/tokens/b"));
}

TEST(ShowValidationTest, TellsNothingAboutARefusedTokenButItsName) {
  v1::ValidateResponse response;
  response.set_verdict(v1::VERDICT_REVOKED);
  response.set_token("projects/a/tokens/b");
  const std::string text = ShowValidation(response);
  EXPECT_THAT(text, HasSubstr("REVOKED"));
  EXPECT_THAT(text, HasSubstr("projects/a/tokens/b"));
  EXPECT_THAT(text, Not(HasSubstr("scopes")));
  EXPECT_THAT(text, Not(HasSubstr("expires")));
}

TEST(ShowTest, UnknownEnumValuesAreNumbers) {
  EXPECT_EQ(ShowState(static_cast<v1::TokenState>(99)), "99");
  EXPECT_EQ(ShowVerdict(v1::VERDICT_INSUFFICIENT_SCOPE), "INSUFFICIENT_SCOPE");
  EXPECT_EQ(ShowAction(v1::AUDIT_ACTION_LEAK_REVOKED), "LEAK_REVOKED");
}

TEST(ToJsonTest, ListsAreThereWhenEmpty) {
  EXPECT_THAT(ToJson(v1::Token()), HasSubstr("\"scopes\": []"));
}

}  // namespace
}  // namespace wemasy::tokens::cli
