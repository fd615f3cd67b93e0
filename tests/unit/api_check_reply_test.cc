// Replies of Check that are written as bytes are what a message would be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "envoy/service/auth/v3/external_auth.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/api/ext_authz/check_reply.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {
namespace {

using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::CheckResponse;
using google::protobuf::util::MessageDifferencer;

using Headers = google::protobuf::RepeatedPtrField<HeaderValueOption>;

struct VerdictCase {
  Verdict verdict;
  std::string name;
  int http_status;
  int code;
};

const VerdictCase kRefusals[] = {
    {Verdict::kMalformed, "MALFORMED", 401, 16},
    {Verdict::kUnknown, "UNKNOWN", 401, 16},
    {Verdict::kRevoked, "REVOKED", 401, 16},
    {Verdict::kExpired, "EXPIRED", 401, 16},
    {Verdict::kWrongProject, "WRONG_PROJECT", 403, 7},
    {Verdict::kInsufficientScope, "INSUFFICIENT_SCOPE", 403, 7},
};

class CheckReplyTest : public ::testing::Test {
 protected:
  // As the validator and GatewayCheck make it.
  GatewayAnswer AnswerOf(Verdict verdict, int http_status) const {
    GatewayAnswer answer;
    answer.http_status = http_status;
    answer.validation.emplace();
    answer.validation->verdict = verdict;
    if (verdict <= Verdict::kUnknown) return answer;
    answer.token = entry_.name.ToString();
    answer.scopes = entry_.scopes;
    return answer;
  }
  GatewayAnswer Allowed() const {
    GatewayAnswer answer = AnswerOf(Verdict::kValid, 200);
    answer.headers = {{kProjectHeader, "projects/demo"},
                      {kTokenHeader, entry_.name.ToString()},
                      {kScopesHeader, absl::StrJoin(Scopes(), " ")}};
    return answer;
  }

  // What replies say of the token.
  void Describe(const std::string& verdict, CheckResponse* reply) const {
    auto& fields = *reply->mutable_dynamic_metadata()->mutable_fields();
    fields["verdict"].set_string_value(verdict);
    if (verdict == "MALFORMED" || verdict == "UNKNOWN") return;
    fields["token"].set_string_value(entry_.name.ToString());
    fields["project"].set_string_value("projects/demo");
    auto* const scopes = fields["scopes"].mutable_list_value();
    for (const std::string& scope : Scopes()) {
      scopes->add_values()->set_string_value(scope);
    }
  }
  CheckResponse AllowedReply() const {
    CheckResponse reply;
    reply.mutable_status();
    auto* const ok = reply.mutable_ok_response();
    Set("x-wemasy-project", "projects/demo", ok->mutable_headers());
    Set("x-wemasy-token", entry_.name.ToString(), ok->mutable_headers());
    if (Scopes().empty()) {
      ok->add_headers_to_remove("x-wemasy-scopes");
    } else {
      Set("x-wemasy-scopes", absl::StrJoin(Scopes(), " "),
          ok->mutable_headers());
    }
    Describe("VALID", &reply);
    return reply;
  }
  static CheckResponse DeniedReply(int http_status, int code) {
    CheckResponse reply;
    reply.mutable_status()->set_code(code);
    reply.mutable_denied_response()->mutable_status()->set_code(
        static_cast<envoy::type::v3::StatusCode>(http_status));
    reply.mutable_dynamic_metadata();
    return reply;
  }
  static void Set(const std::string& name, const std::string& value,
                  Headers* headers) {
    HeaderValueOption* const header = headers->Add();
    header->mutable_header()->set_key(name);
    header->mutable_header()->set_value(value);
    header->set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  }

  void ExpectReply(const GatewayAnswer& answer, const CheckResponse& want,
                   const std::vector<HeaderField>& fields = {}) const {
    EncodedMessage encoded;
    EncodeReply(answer, check_, fields, &encoded);
    CheckResponse reply;
    ASSERT_TRUE(reply.ParseFromString(encoded.bytes));
    EXPECT_TRUE(MessageDifferencer::Equals(reply, want))
        << reply.DebugString() << "\ninstead of\n"
        << want.DebugString();
    // No byte too many.
    EXPECT_EQ(encoded.bytes.size(), want.ByteSizeLong());
  }

  const std::vector<std::string>& Scopes() const {
    return entry_.scopes.scopes();
  }

  FakeRandom random_;
  IndexEntry entry_ = MakeTestToken(random_).entry;
  FakeBootClock clock_;
  TokenIndex index_;
  Lease lease_;
  const Validator validator_{&index_, &lease_, &clock_};
  const GatewayCheck check_{&validator_, CredentialReader({"x-api-key"})};
};

TEST_F(CheckReplyTest, OfAValidToken) {
  ExpectReply(Allowed(), AllowedReply());
}

TEST_F(CheckReplyTest, OfATokenWithoutScopes) {
  entry_.scopes = ScopeSet();
  ExpectReply(Allowed(), AllowedReply());
}

// Fault: a length of more than a byte is written as one.
TEST_F(CheckReplyTest, OfATokenWithTheLongestTexts) {
  entry_.scopes = ScopeSet({std::string(127, 'a'), std::string(128, 'b')});
  ExpectReply(Allowed(), AllowedReply());
  std::vector<std::string> scopes;
  for (size_t i = 0; i < kMaxScopes; ++i) {
    scopes.push_back(absl::StrCat(std::string(kMaxScopeLength - 2, 's'),
                                  absl::Dec(i, absl::kZeroPad2)));
  }
  entry_.scopes = ScopeSet(scopes);
  ExpectReply(Allowed(), AllowedReply());
}

TEST_F(CheckReplyTest, TakesAwayWhatMustNotPass) {
  CheckResponse want = AllowedReply();
  want.mutable_ok_response()->add_headers_to_remove("authorization");
  want.mutable_ok_response()->add_headers_to_remove("x_wemasy_token");
  ExpectReply(Allowed(), want,
              {{"authorization", "Bearer a"},
               {"cookie", "a=b"},
               {"x-wemasy-token", "b"},
               {"x_wemasy_token", "c"}});
}

TEST_F(CheckReplyTest, OfARefusedToken) {
  for (const VerdictCase& refusal : kRefusals) {
    GatewayAnswer answer = AnswerOf(refusal.verdict, refusal.http_status);
    answer.headers = {{"cache-control", "no-store"},
                      {"www-authenticate", std::string(300, 'w')}};
    answer.body = "{}\n";
    CheckResponse want = DeniedReply(refusal.http_status, refusal.code);
    Describe(refusal.name, &want);
    auto* const denied = want.mutable_denied_response();
    Set("cache-control", "no-store", denied->mutable_headers());
    Set("www-authenticate", std::string(300, 'w'), denied->mutable_headers());
    denied->set_body("{}\n");
    // Which go nowhere, and need not be removed.
    ExpectReply(answer, want, {{"authorization", "Bearer a"}});
  }
}

TEST_F(CheckReplyTest, WithoutADecisionThereIsNothingToSayOfAToken) {
  for (const auto& [http_status, code] :
       {std::pair<int, int>{400, 3}, {401, 16}, {500, 13}, {503, 14}}) {
    GatewayAnswer answer;
    answer.http_status = http_status;
    answer.body = "{}\n";
    CheckResponse want = DeniedReply(http_status, code);
    want.mutable_denied_response()->set_body("{}\n");
    ExpectReply(answer, want);
  }
}

}  // namespace
}  // namespace wemasy::tokens
