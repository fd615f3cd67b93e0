// Who is told that nobody vouches for a token any more.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/cpp/revocation_monitor.h"

namespace wemasy::tokens {
namespace {

constexpr int kTokens = 40;

// Fault: ask in vain about each of them, one after the other.
TEST(RevocationMonitorTest, OneQuestionInVainIsEnoughForAll) {
  const SystemBootClock clock;
  std::atomic<int> asked{0};
  std::atomic<int> ended{0};
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        ++asked;
        absl::SleepFor(absl::Milliseconds(100));
        return absl::UnavailableError("nobody");
      },
      /*vouch_timeout=*/absl::Seconds(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(
        monitor.Subscribe(absl::StrCat("token ", i), [&] { ++ended; }));
  }
  while (ended < kTokens) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_LT(asked, kTokens / 2);
}

// Fault: ask about the same one again and again.
TEST(RevocationMonitorTest, AnAnswerIsFoundForAllButTheOneWithout) {
  const SystemBootClock clock;
  std::atomic<int> refused{0};
  RevocationMonitor monitor(
      [&](absl::string_view token) -> absl::StatusOr<FreshAnswer> {
        if (token == "token 0") return absl::UnavailableError("nobody");
        FreshAnswer fresh;
        fresh.answer.verdict = v1::VERDICT_REVOKED;
        return fresh;
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(
        monitor.Subscribe(absl::StrCat("token ", i), [&] { ++refused; }));
  }
  while (refused < kTokens - 1) absl::SleepFor(absl::Milliseconds(10));
}

// Fault: ask about one after the other.
TEST(RevocationMonitorTest, AnAnswerThatIsLongInComingHoldsUpNoOther) {
  const SystemBootClock clock;
  absl::Notification told;
  RevocationMonitor monitor(
      [&](absl::string_view token) -> absl::StatusOr<FreshAnswer> {
        FreshAnswer fresh;
        fresh.answer.verdict = v1::VERDICT_REVOKED;
        if (token == "slow") {
          EXPECT_TRUE(told.WaitForNotificationWithTimeout(absl::Seconds(20)));
        }
        return fresh;
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  const TokenSubscription slow = monitor.Subscribe("slow", [] {});
  const TokenSubscription other =
      monitor.Subscribe("other", [&] { told.Notify(); });
  told.WaitForNotification();
}

// Fault: call back from all threads at once.
TEST(RevocationMonitorTest, CallbacksComeOneAtATime) {
  const SystemBootClock clock;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> ended{0};
  RevocationMonitor monitor(
      [](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        FreshAnswer fresh;
        fresh.answer.verdict = v1::VERDICT_REVOKED;
        return fresh;
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(monitor.Subscribe(absl::StrCat("token ", i), [&] {
      most = std::max<int>(most, ++running);
      absl::SleepFor(absl::Milliseconds(2));
      --running;
      ++ended;
    }));
  }
  while (ended < kTokens) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace wemasy::tokens
