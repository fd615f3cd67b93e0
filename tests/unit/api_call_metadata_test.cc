#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/api/grpc/call_metadata.h"
#include "server/api/request_id.h"

namespace wemasy::tokens {
namespace {

using ::std::chrono::system_clock;

TEST(RequestIdTest, IsOfPrintableAscii) {
  for (const std::string& id :
       {std::string("a"), std::string("0191-7c2e_x.y:z=1;"),
        std::string(128, 'a')}) {
    EXPECT_TRUE(IsRequestIdWellFormed(id)) << id;
  }
  for (const std::string& id :
       {std::string(), std::string(129, 'a'), std::string("a b"),
        std::string("a\"b"), std::string("a\\b"), std::string("a\n"),
        std::string("\0", 1), std::string("\xC3\xA4")}) {
    EXPECT_FALSE(IsRequestIdWellFormed(id)) << id;
  }
}

TEST(TraceIdTest, IsReadFromATraceparent) {
  constexpr char kId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string traceparent =
      absl::StrCat("00-", kId, "-00f067aa0ba902b7-01");
  EXPECT_EQ(ParseTraceId(traceparent), kId);
  EXPECT_EQ(ParseTraceId(absl::StrCat("cc", traceparent.substr(2), "-more")),
            kId);
  for (const std::string& malformed :
       {std::string(), std::string("00"), traceparent.substr(1),
        absl::StrCat("00-", std::string(32, '0'), "-00f067aa0ba902b7-01"),
        absl::StrCat("00-", std::string(32, 'F'), "-00f067aa0ba902b7-01"),
        absl::StrCat("00-", std::string(32, '"'), "-00f067aa0ba902b7-01")}) {
    EXPECT_EQ(ParseTraceId(malformed), "") << malformed;
  }
}

class BootDeadlineTest : public ::testing::Test {
 protected:
  // What is left until the deadline, in the end.
  absl::Duration Left(system_clock::time_point deadline) const {
    return ToBootDeadline(deadline, wall_now_, boot_now_, timeout_) - boot_now_;
  }

  const system_clock::time_point wall_now_ = system_clock::now();
  const BootTime boot_now_ = BootTime::FromNanos(5'000'000'000);
  const CallTimeout timeout_ = {absl::Seconds(10), absl::Seconds(60)};
};

TEST_F(BootDeadlineTest, IsTheCallers) {
  EXPECT_EQ(Left(wall_now_ + std::chrono::seconds(20)), absl::Seconds(20));
  EXPECT_EQ(Left(wall_now_), absl::ZeroDuration());
  EXPECT_EQ(Left(wall_now_ - std::chrono::seconds(1)), -absl::Seconds(1));
}

TEST_F(BootDeadlineTest, IsBounded) {
  EXPECT_EQ(Left(system_clock::time_point::max()), absl::Seconds(10));
  EXPECT_EQ(Left(wall_now_ + std::chrono::hours(24)), absl::Seconds(60));
}

}  // namespace
}  // namespace wemasy::tokens
