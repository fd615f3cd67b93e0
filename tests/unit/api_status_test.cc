#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/api/grpc/status.h"
#include "server/token/error.h"
#include "wemasy/tokens/v1/errors.pb.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::TestWithParam;
using ::testing::Values;

// The details of a status, each type of which may appear once.
struct Details {
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  bool has_info = false;
  bool has_bad_request = false;
};

Details DetailsOf(const grpc::Status& status) {
  Details details;
  EXPECT_TRUE(details.rich.ParseFromString(status.error_details()));
  for (const auto& any : details.rich.details()) {
    if (any.Is<google::rpc::ErrorInfo>()) {
      EXPECT_FALSE(details.has_info);
      details.has_info = any.UnpackTo(&details.info);
    } else if (any.Is<google::rpc::BadRequest>()) {
      EXPECT_FALSE(details.has_bad_request);
      details.has_bad_request = any.UnpackTo(&details.bad_request);
    } else {
      ADD_FAILURE() << "unexpected detail " << any.type_url();
    }
  }
  return details;
}

struct ReasonRow {
  ErrorReason reason;
  const char* text;
  grpc::StatusCode code;
};

// What callers decide by: a change of a row here breaks them.
constexpr ReasonRow kReasons[] = {
    {ErrorReason::kFieldInvalid, "FIELD_INVALID",
     grpc::StatusCode::INVALID_ARGUMENT},
    {ErrorReason::kPageTokenInvalid, "PAGE_TOKEN_INVALID",
     grpc::StatusCode::INVALID_ARGUMENT},
    {ErrorReason::kRequestIdReused, "REQUEST_ID_REUSED",
     grpc::StatusCode::INVALID_ARGUMENT},
    {ErrorReason::kRequestIdExpired, "REQUEST_ID_EXPIRED",
     grpc::StatusCode::ALREADY_EXISTS},
    {ErrorReason::kTokenNotFound, "TOKEN_NOT_FOUND",
     grpc::StatusCode::NOT_FOUND},
    {ErrorReason::kTokenNotActive, "TOKEN_NOT_ACTIVE",
     grpc::StatusCode::FAILED_PRECONDITION},
    {ErrorReason::kEtagMismatch, "ETAG_MISMATCH", grpc::StatusCode::ABORTED},
    {ErrorReason::kActiveTokenLimit, "ACTIVE_TOKEN_LIMIT",
     grpc::StatusCode::RESOURCE_EXHAUSTED},
    {ErrorReason::kCallerUnauthenticated, "CALLER_UNAUTHENTICATED",
     grpc::StatusCode::UNAUTHENTICATED},
    {ErrorReason::kRoleMissing, "ROLE_MISSING",
     grpc::StatusCode::PERMISSION_DENIED},
    {ErrorReason::kLeaseNotHeld, "LEASE_NOT_HELD",
     grpc::StatusCode::UNAVAILABLE},
    {ErrorReason::kDatabaseUnavailable, "DATABASE_UNAVAILABLE",
     grpc::StatusCode::UNAVAILABLE},
    {ErrorReason::kCommitInDoubt, "COMMIT_IN_DOUBT", grpc::StatusCode::UNKNOWN},
    {ErrorReason::kChangeUnconfirmed, "CHANGE_UNCONFIRMED",
     grpc::StatusCode::DEADLINE_EXCEEDED},
    {ErrorReason::kDeadlineTooShort, "DEADLINE_TOO_SHORT",
     grpc::StatusCode::DEADLINE_EXCEEDED},
    {ErrorReason::kOverloaded, "OVERLOADED",
     grpc::StatusCode::RESOURCE_EXHAUSTED},
    {ErrorReason::kInternal, "INTERNAL", grpc::StatusCode::INTERNAL},
    {ErrorReason::kReplicaTooOld, "REPLICA_TOO_OLD",
     grpc::StatusCode::FAILED_PRECONDITION},
    {ErrorReason::kTokenRefused, "TOKEN_REFUSED",
     grpc::StatusCode::UNAUTHENTICATED},
    {ErrorReason::kMetadataLimit, "METADATA_LIMIT",
     grpc::StatusCode::RESOURCE_EXHAUSTED},
};

class ReasonTest : public TestWithParam<ReasonRow> {};

TEST_P(ReasonTest, CarriesErrorInfo) {
  const ReasonRow& row = GetParam();
  const grpc::Status status =
      ToGrpcStatus(MakeError(row.reason, "what happened", {{"key", "value"}}));
  EXPECT_EQ(status.error_code(), row.code);
  EXPECT_EQ(status.error_message(), "what happened");
  const Details details = DetailsOf(status);
  EXPECT_EQ(details.rich.code(), row.code);
  EXPECT_EQ(details.rich.message(), "what happened");
  ASSERT_TRUE(details.has_info);
  EXPECT_EQ(details.info.reason(), row.text);
  EXPECT_EQ(details.info.domain(), "tokens.wemasy.com");
  EXPECT_EQ(details.info.metadata().at("key"), "value");
  EXPECT_FALSE(details.has_bad_request);
}

INSTANTIATE_TEST_SUITE_P(AllReasons, ReasonTest, ::testing::ValuesIn(kReasons),
                         [](const auto& test) {
                           return std::string(test.param.text);
                         });

TEST(StatusTest, TheTableHasEveryReasonOfTheContract) {
  std::set<std::string> in_table;
  for (const ReasonRow& row : kReasons) {
    in_table.insert(absl::StrCat("ERROR_REASON_", row.text));
  }
  std::set<std::string> in_contract;
  const auto* descriptor = v1::ErrorReason_descriptor();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    if (descriptor->value(i)->number() != v1::ERROR_REASON_UNSPECIFIED) {
      in_contract.insert(descriptor->value(i)->name());
    }
  }
  EXPECT_EQ(in_table, in_contract);
}

TEST(StatusTest, OkIsOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(StatusTest, ViolationsBecomeABadRequest) {
  FieldViolations violations;
  violations.Add("token.display_name", "is empty");
  violations.Add("actor", "is missing");
  const grpc::Status status = ToGrpcStatus(violations.ToStatus());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const Details details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), "FIELD_INVALID");
  ASSERT_TRUE(details.has_bad_request);
  ASSERT_EQ(details.bad_request.field_violations_size(), 2);
  EXPECT_EQ(details.bad_request.field_violations(0).field(),
            "token.display_name");
  EXPECT_EQ(details.bad_request.field_violations(1).description(),
            "is missing");
}

class PlainStatusTest : public TestWithParam<absl::StatusCode> {};

TEST_P(PlainStatusTest, SaysNothingButInternal) {
  const grpc::Status status =
      ToGrpcStatus(absl::Status(GetParam(), "SELECT secret FROM tokens"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), Not(HasSubstr("SELECT")));
  EXPECT_THAT(status.error_details(), Not(HasSubstr("SELECT")));
  EXPECT_EQ(DetailsOf(status).info.reason(), "INTERNAL");
}

INSTANTIATE_TEST_SUITE_P(
    AllOtherCodes, PlainStatusTest,
    Values(absl::StatusCode::kUnknown, absl::StatusCode::kInvalidArgument,
           absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists,
           absl::StatusCode::kPermissionDenied,
           absl::StatusCode::kResourceExhausted,
           absl::StatusCode::kFailedPrecondition, absl::StatusCode::kAborted,
           absl::StatusCode::kOutOfRange, absl::StatusCode::kUnimplemented,
           absl::StatusCode::kInternal, absl::StatusCode::kUnavailable,
           absl::StatusCode::kDataLoss, absl::StatusCode::kUnauthenticated,
           static_cast<absl::StatusCode>(99)),
    [](const auto& test) {
      return absl::StrCat("Code", static_cast<int>(test.param));
    });

TEST(StatusTest, WhatTheCallerCausedKeepsItsCodeButNotItsText) {
  const grpc::Status cancelled = ToGrpcStatus(absl::CancelledError("SELECT"));
  EXPECT_EQ(cancelled.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(cancelled.error_message(), Not(HasSubstr("SELECT")));
  const grpc::Status deadline =
      ToGrpcStatus(absl::DeadlineExceededError("SELECT"));
  EXPECT_EQ(deadline.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(deadline.error_message(), Not(HasSubstr("SELECT")));
}

// Clients take 8 KiB of headers by default; the details go as base64.
TEST(StatusTest, FitsIntoHeaders) {
  FieldViolations violations;
  for (int i = 0; i < 1000; ++i) {
    violations.Add(absl::StrCat("leaked_tokens[", i, "].secret_sha256"),
                   "has \xC3\xBC bytes, want 32");
  }
  const grpc::Status status = ToGrpcStatus(violations.ToStatus());
  EXPECT_LT(status.error_message().size() * 3 / 2 +
                status.error_details().size() * 4 / 3,
            7500u);
  const Details details = DetailsOf(status);
  EXPECT_GT(details.bad_request.field_violations_size(), 20);
}

TEST(StatusTest, CutsTextsBetweenCharacters) {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text += "\xE2\x82\xAC";
  const grpc::Status status =
      ToGrpcStatus(MakeError(ErrorReason::kInternal, text));
  EXPECT_LE(status.error_message().size(), 1027u);
  // Serialising checks the text's encoding.
  EXPECT_EQ(DetailsOf(status).rich.message(), status.error_message());
  const std::string cut =
      status.error_message().substr(0, status.error_message().size() - 3);
  EXPECT_EQ(cut.size() % 3, 1u);
  EXPECT_TRUE(absl::EndsWith(status.error_message(), "..."));
}

}  // namespace
}  // namespace wemasy::tokens
