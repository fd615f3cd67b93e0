// Replies that are put together from bytes are what a message would be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/api/grpc/validate_reply.h"
#include "tests/support/entries.h"
#include "tests/support/fake_random.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr Verdict kNamedVerdicts[] = {Verdict::kRevoked, Verdict::kExpired,
                                      Verdict::kWrongProject,
                                      Verdict::kInsufficientScope};

class ValidateReplyTest : public ::testing::Test {
 protected:
  ValidateReplyTest() {
    entry_ = MakeTestToken(random_).entry;
    entry_.metadata = {{"region", ""}, {"tier", "gold"}};
  }

  // As the index and the validator make it.
  Validation MakeValidation(Verdict verdict) const {
    Validation validation;
    validation.verdict = verdict;
    return validation;
  }

  // All that a reply says of the token.
  v1::ValidateResponse WholeReply() const {
    v1::ValidateResponse reply;
    reply.set_verdict(v1::VERDICT_VALID);
    reply.set_token(entry_.name.ToString());
    reply.set_project("projects/demo");
    reply.set_creator("user-1");
    reply.add_scopes("pages:read");
    reply.add_scopes("pages:write");
    (*reply.mutable_metadata())["region"] = "";
    (*reply.mutable_metadata())["tier"] = "gold";
    return reply;
  }

  void ExpectReply(
      const Validation& validation, const v1::ValidateResponse& want,
      const absl::optional<Freshness>& freshness = absl::nullopt) const {
    EncodedMessage encoded;
    if (validation.verdict > Verdict::kUnknown) {
      const std::string metadata = EncodeMetadata(entry_.metadata);
      IndexSlot slot;
      slot.token = entry_.name.token;
      slot.project = &entry_.name.project;
      slot.creator = &entry_.creator;
      slot.scopes = &entry_.scopes;
      slot.metadata = &metadata;
      EncodeToken(validation.verdict, slot, &encoded);
    }
    EncodeDecision(validation, freshness, &encoded);
    v1::ValidateResponse reply;
    ASSERT_TRUE(reply.ParseFromString(encoded.bytes));
    EXPECT_TRUE(MessageDifferencer::Equals(reply, want))
        << reply.DebugString() << "\ninstead of\n"
        << want.DebugString();
    EXPECT_EQ(NameIn(encoded), want.token());
    // No byte too many.
    EXPECT_EQ(encoded.bytes.size(), want.ByteSizeLong());
  }

  FakeRandom random_;
  IndexEntry entry_;
  const Freshness freshness_ = {{"incarnation-1", "0000000A"}, 0};
};

TEST_F(ValidateReplyTest, OfAValidToken) {
  ExpectReply(MakeValidation(Verdict::kValid), WholeReply());
}

TEST_F(ValidateReplyTest, OfATokenThatWillEnd) {
  Validation validation = MakeValidation(Verdict::kValid);
  validation.expire_time = absl::FromUnixSeconds(1000);
  validation.decide_time = absl::FromUnixSeconds(900);
  v1::ValidateResponse want = WholeReply();
  want.mutable_expire_time()->set_seconds(1000);
  ExpectReply(validation, want);

  v1::AnswerFreshness* const freshness = want.mutable_freshness();
  freshness->set_incarnation("incarnation-1");
  freshness->set_timeline("0000000A");
  freshness->set_change_number(7);
  freshness->mutable_time_left()->set_seconds(100);
  validation.applied = 7;
  ExpectReply(validation, want, freshness_);
  freshness->set_watch_stream_number(5);
  ExpectReply(validation, want, Freshness{freshness_.replica, 5});
}

TEST_F(ValidateReplyTest, OfARefusedTokenIsItsNameOnly) {
  for (const Verdict verdict : kNamedVerdicts) {
    Validation validation = MakeValidation(verdict);
    validation.expire_time = absl::FromUnixSeconds(1000);
    v1::ValidateResponse want;
    want.set_verdict(static_cast<v1::Verdict>(verdict));
    want.set_token(entry_.name.ToString());
    ExpectReply(validation, want);
    want.mutable_freshness()->set_incarnation("incarnation-1");
    want.mutable_freshness()->set_timeline("0000000A");
    ExpectReply(validation, want, freshness_);
  }
}

TEST_F(ValidateReplyTest, OfAnUnknownTokenIsTheVerdict) {
  v1::ValidateResponse want;
  want.set_verdict(v1::VERDICT_MALFORMED);
  // Which follows from the text alone, and stays.
  ExpectReply(MakeValidation(Verdict::kMalformed), want, freshness_);
  want.set_verdict(v1::VERDICT_UNKNOWN);
  ExpectReply(MakeValidation(Verdict::kUnknown), want);
  want.mutable_freshness()->set_incarnation("incarnation-1");
  want.mutable_freshness()->set_timeline("0000000A");
  ExpectReply(MakeValidation(Verdict::kUnknown), want, freshness_);
}

TEST_F(ValidateReplyTest, OfABareToken) {
  entry_.creator.clear();
  entry_.scopes = ScopeSet();
  entry_.metadata.clear();
  v1::ValidateResponse want = WholeReply();
  want.clear_creator();
  want.clear_scopes();
  want.clear_metadata();
  ExpectReply(MakeValidation(Verdict::kValid), want);
}

TEST_F(ValidateReplyTest, OfTextsWhoseLengthIsTwoBytes) {
  entry_.creator = std::string(200, 'c');
  entry_.metadata = {{"key", std::string(300, 'v')}};
  v1::ValidateResponse want = WholeReply();
  want.set_creator(entry_.creator);
  want.mutable_metadata()->clear();
  (*want.mutable_metadata())["key"] = std::string(300, 'v');
  ExpectReply(MakeValidation(Verdict::kValid), want);
}

}  // namespace
}  // namespace wemasy::tokens
